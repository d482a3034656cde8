import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import { accountNames, roles } from '../../api/accounts';
import { faultOf, messageOf } from '../../api/client';
import { destinations, type Route, type RouteSpec } from '../../api/delivery';
import { rules } from '../../api/queries';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button, IconButton } from '../../ui/Button';
import { Checkbox, Group, Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { DAYS, hasWay, NOBODY, SEVERITIES, specOf, trimmed } from './route';

const FIELDS = { ...columns(200), alignItems: 'start' } as const;

/** A route as a form. */
export function RouteForm({
  saved,
  fault,
  busy,
  onSave,
  onCancel,
}: {
  saved: Route | undefined;
  fault: unknown;
  busy: boolean;
  onSave: (spec: RouteSpec) => void;
  onCancel: () => void;
}) {
  const [spec, setSpec] = useState<RouteSpec>(() => (saved ? specOf(saved) : NOBODY));
  const set = (part: Partial<RouteSpec>) => setSpec((s) => ({ ...s, ...part }));
  const all = useQuery(rules()).data ?? [];
  const wrong = (path: string) => faultOf(fault, path);
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        onSave(trimmed(spec));
      }}
    >
      {fault ? <Notice tone="bad">{messageOf(fault)}</Notice> : null}
      <TextField label={t('Name')} value={spec.name} onChange={(name) => set({ name })} fault={wrong('name')} autoFocus />
      <Group legend={t('Of which rules')}>
        <Many
          label={t('All rules, unless some are chosen')}
          options={all.map((r) => [r.name, r.name] as const)}
          value={spec.rules ?? []}
          onChange={(v) => set({ rules: v })}
          none={t('There are no rules yet: see KPIs & rules.')}
        />
        <Many
          label={t('All severities, unless some are chosen')}
          options={SEVERITIES}
          value={spec.severities ?? []}
          onChange={(v) => set({ severities: v })}
          none=""
        />
      </Group>
      <Whom spec={spec} set={set} wrong={wrong} />
      <When spec={spec} set={set} wrong={wrong} />
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={busy || spec.name.trim() === '' || !hasWay(spec)}>
          {t('Save')}
        </Button>
        <Button onPress={onCancel}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}

interface Part {
  spec: RouteSpec;
  set: (part: Partial<RouteSpec>) => void;
  wrong: (path: string) => string | undefined;
}

/** Who is told, and by which ways. */
export function Whom({ spec, set, wrong }: Part) {
  const members = Object.entries(useQuery(accountNames()).data ?? {}).sort((a, b) => a[1].localeCompare(b[1]));
  const roleNames = useQuery(roles()).data?.roles ?? [];
  const places = useQuery(destinations()).data ?? [];
  const mail = places.filter((p) => p.kind === 'email');
  const hooks = places.filter((p) => p.kind === 'webhook');
  return (
    <>
      <Group legend={t('Whom it tells')}>
        <Many
          label={t('People')}
          options={members}
          value={spec.users ?? []}
          onChange={(v) => set({ users: v })}
          none={t('Nobody has an account yet: whoever uses the program is told in it.')}
        />
        <Many
          label={t('Roles')}
          options={roleNames.map((r) => [r, sentence(words(r))] as const)}
          value={spec.roles ?? []}
          onChange={(v) => set({ roles: v })}
          none=""
        />
        <p className="muted small">{t('When nobody is named, everybody who sees all figures is told, in the program only.')}</p>
      </Group>
      <Group legend={t('By which ways')}>
        <div className="row">
          <Checkbox label={t('Notice in the program')} checked={spec.in_app ?? false} onChange={(on) => set({ in_app: on })} />
          <Checkbox
            label={t('Message in the browsers of those who opted in')}
            checked={spec.push ?? false}
            onChange={(on) => set({ push: on })}
          />
        </div>
        <Select
          label={t('E-mail through')}
          value={spec.email ?? ''}
          onChange={(email) => set({ email })}
          options={[['', t('no e-mail')] as const, ...mail.map((p) => [p.id, p.name] as const)]}
          fault={wrong('email')}
          hint={mail.length === 0 ? t('There is no e-mail server yet: see Destinations.') : undefined}
        />
        {hooks.length > 0 ? (
          <>
            <Many
              label={t('Webhooks')}
              options={hooks.map((p) => [p.id, p.name] as const)}
              value={spec.webhooks ?? []}
              onChange={(v) => set({ webhooks: v })}
              none=""
            />
            {spec.webhooks?.length ? (
              <Select
                label={t('Webhooks are told what this role may see')}
                value={spec.webhook_role || 'viewer'}
                onChange={(role) => set({ webhook_role: role })}
                options={(roleNames.length > 0 ? roleNames : ['viewer']).map((r) => [r, sentence(words(r))] as const)}
                fault={wrong('webhook_role')}
              />
            ) : null}
          </>
        ) : null}
        {hasWay(spec) ? null : <p role="alert">{t('Choose at least one way.')}</p>}
      </Group>
    </>
  );
}

function When({ spec, set, wrong }: Part) {
  const quiet = spec.quiet ?? [];
  const change = (i: number, part: Partial<(typeof quiet)[number]>) =>
    set({ quiet: quiet.map((w, j) => (j === i ? { ...w, ...part } : w)) });
  const grouping = spec.daily_at ? 'daily' : spec.every_minutes ? 'some' : 'once';
  return (
    <Group legend={t('When')}>
      <div className="stack" style={FIELDS}>
        <Select
          label={t('Together')}
          value={grouping}
          onChange={(next) => setGroup(next, set)}
          options={[
            ['once', t('each at once')],
            ['some', t('at most one message in so many minutes')],
            ['daily', t('one message a day')],
          ]}
        />
        {grouping === 'some' ? (
          <TextField
            label={t('Minutes')}
            type="number"
            value={String(spec.every_minutes ?? 60)}
            onChange={(v) => set({ every_minutes: Math.max(1, Math.trunc(Number(v)) || 1) })}
            fault={wrong('every_minutes')}
          />
        ) : null}
        {grouping === 'daily' ? (
          <TextField
            label={t('At')}
            type="time"
            value={spec.daily_at ?? ''}
            onChange={(v) => v && set({ daily_at: v })}
            fault={wrong('daily_at')}
          />
        ) : null}
        <TextField
          label={t('Remind after hours')}
          type="number"
          value={spec.remind_hours ? String(spec.remind_hours) : ''}
          onChange={(v) => set({ remind_hours: Math.max(0, Math.trunc(Number(v)) || 0) })}
          placeholder={t('never')}
          hint={t('Until somebody has acknowledged it.')}
          fault={wrong('remind_hours')}
        />
        <TextField
          label={t('Time zone')}
          value={spec.zone ?? ''}
          onChange={(zone) => set({ zone: zone.trim() })}
          placeholder={t('that of the settings')}
          fault={wrong('zone')}
        />
      </div>
      {quiet.map((w, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a window has no name
        <div key={i} className="row" style={{ alignItems: 'end' }}>
          <TextField label={t('Quiet from')} type="time" value={w.from} onChange={(from) => change(i, { from })} />
          <TextField label={t('until')} type="time" value={w.to} onChange={(to) => change(i, { to })} />
          <fieldset className="row" style={{ border: 0, margin: 0, padding: 0, gap: 0 }}>
            <legend className="sr">{t('On these days; every day when none is chosen')}</legend>
            {DAYS.map(([id, label]) => (
              <Checkbox
                key={id}
                label={label}
                checked={w.days?.includes(id) ?? false}
                onChange={(on) => change(i, { days: on ? [...(w.days ?? []), id] : (w.days ?? []).filter((d) => d !== id) })}
              />
            ))}
          </fieldset>
          <IconButton label={t('Leave out these quiet hours')} onPress={() => set({ quiet: quiet.filter((_, j) => j !== i) })}>
            <X size={16} />
          </IconButton>
        </div>
      ))}
      {wrong('quiet') ? <p role="alert">{wrong('quiet')}</p> : null}
      <div className="row">
        <Button onPress={() => set({ quiet: [...quiet, { from: '20:00', to: '07:00' }] })}>{t('Add quiet hours')}</Button>
        <span className="muted small">{t('Critical rules do not wait.')}</span>
      </div>
    </Group>
  );
}

function setGroup(next: 'once' | 'some' | 'daily', set: (part: Partial<RouteSpec>) => void) {
  set({ every_minutes: next === 'some' ? 60 : 0, daily_at: next === 'daily' ? '08:00' : '' });
}

/** Some of a few, each with a box. */
function Many({
  label,
  options,
  value,
  onChange,
  none,
}: {
  label: string;
  options: readonly (readonly [string, string])[];
  value: string[];
  onChange: (next: string[]) => void;
  none: string;
}) {
  return (
    <fieldset style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }}>
      <legend className="muted small" style={{ padding: 0 }}>
        {label}
      </legend>
      {options.length === 0 ? <p className="muted small">{none}</p> : null}
      <div className="row" style={{ gap: 0, maxHeight: 180, overflow: 'auto' }}>
        {options.map(([id, text]) => (
          <Checkbox
            key={id}
            label={text}
            checked={value.includes(id)}
            onChange={(on) => onChange(on ? [...value, id] : value.filter((x) => x !== id))}
          />
        ))}
      </div>
    </fieldset>
  );
}
