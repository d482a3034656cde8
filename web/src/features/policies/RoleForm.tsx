import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, faultsOf, messageOf, unwrap } from '../../api/client';
import type { RoleDraft, RoleOf } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useSettled } from '../../lib/settled';
import { useRights } from '../../metrics/rights';
import { Button, Segmented } from '../../ui/Button';
import { Checkbox, Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import { Effects } from './Effects';
import css from './policies.module.css';
import { CLASSES, namesOf } from './words';

/** A role as a form, with what it would allow. */
export function RoleForm({ list, from, onDone }: { list: RoleOf[]; from: RoleOf | undefined; onDone: (row: string | undefined) => void }) {
  const client = useQueryClient();
  const all = useRights()?.all ?? [];
  const saved = from?.custom ?? undefined;
  const base = from ?? list.find((r) => r.name === 'viewer');
  const [draft, setDraft] = useState<RoleDraft>(() => ({
    name: saved?.name ?? '',
    label: saved?.label ?? '',
    based_on: saved?.based_on ?? (base && base.name !== 'owner' ? base.name : 'viewer'),
    actions: (base?.actions ?? []).filter((a) => a !== 'self.manage'),
    hidden: base?.hidden ?? CLASSES.map(([c]) => c),
    reason: '',
  }));
  const [clients, setClients] = useState<string | undefined>(() => (saved?.clients ? saved.clients.join('\n') : undefined));
  const [teams, setTeams] = useState<string | undefined>(() => (saved?.teams ? saved.teams.join('\n') : undefined));
  const set = (part: Partial<RoleDraft>) => setDraft((d) => ({ ...d, ...part }));
  const body: RoleDraft = {
    ...draft,
    ...(clients === undefined ? {} : { clients: namesOf(clients) }),
    ...(teams === undefined ? {} : { teams: namesOf(teams) }),
  };
  const [first] = useState(() => JSON.stringify(body));
  const leaving = useUnsaved(JSON.stringify(body) !== first, 'edit', 'row', 'tab');
  const put = (trying: boolean, what: RoleDraft) => {
    const query = { try: trying };
    const { name = '', ...rest } = what;
    if (saved) return unwrap(api.PUT('/api/v1/roles/{name}', { params: { path: { name: saved.name }, query }, body: rest }));
    return unwrap(api.POST('/api/v1/roles', { params: { query }, body: { ...rest, name: name.trim() } }));
  };
  const asked = useSettled(JSON.stringify(body));
  const rested = JSON.parse(asked) as RoleDraft;
  const preview = useQuery({
    queryKey: ['policy-try', saved?.name ?? '', asked], // not renewed by what it leads to
    queryFn: () => put(true, rested),
    enabled: rested.label.trim() !== '' && (saved !== undefined || (rested.name ?? '') !== ''),
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => put(false, body),
    onSuccess: async (v) => {
      await client.invalidateQueries({ queryKey: ['policies'] });
      toast(v.waits ? t('It waits for {{who}}.', { who: v.waits }) : t('{{role}} is saved and holds now.', { role: draft.label }));
      onDone(v.waits ? from?.name : (saved?.name ?? draft.name));
    },
  });
  const error = save.error ?? (preview.isError ? preview.error : null);
  const wrong = (path: string) => faultOf(error, path);
  const turned = (of: string[], name: string, on: boolean) => (on ? [...of, name] : of.filter((o) => o !== name));
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {leaving}
      <TextField
        label={t('Label')}
        value={draft.label}
        onChange={(label) => set({ label })}
        placeholder={t('Regional manager')}
        fault={wrong('label')}
      />
      {saved ? null : (
        <TextField
          label={t('Name')}
          value={draft.name ?? ''}
          onChange={(name) => set({ name })}
          placeholder="regional"
          hint={t('Small letters, digits and dashes; it does not change later.')}
          fault={draft.name ? wrong('name') : undefined}
        />
      )}
      <Select
        label={t('Based on')}
        value={draft.based_on}
        onChange={(based_on) => set({ based_on })}
        options={list.filter((r) => !r.custom && r.name !== 'owner').map((r) => [r.name, r.label] as const)}
        hint={t('From it the role takes only whether an account must name clients or teams.')}
        fault={wrong('based_on')}
      />
      <fieldset className={css.choices}>
        <legend>{t('Sees')}</legend>
        {CLASSES.map(([name, label]) => (
          <Checkbox
            key={name}
            label={label}
            checked={!draft.hidden.includes(name)}
            onChange={(on) => {
              // One gives the other away beside revenue.
              const together = name === 'cost' || name === 'margin' ? ['cost', 'margin'] : [name];
              set({
                hidden: together.reduce(
                  (of, n) => turned(of, n, !on),
                  draft.hidden.filter((h) => !together.includes(h)),
                ),
              });
            }}
          />
        ))}
        {wrong('hidden') ? <Notice tone="bad">{wrong('hidden')}</Notice> : null}
      </fieldset>
      <Rows label={t('Clients')} value={clients} onChange={setClients} fault={wrong('clients')} />
      <Rows label={t('Teams')} value={teams} onChange={setTeams} fault={wrong('teams')} />
      <fieldset className={css.choices}>
        <legend>{t('May')}</legend>
        {all
          .filter((a) => a.action !== 'self.manage')
          .map((a) => (
            <Checkbox
              key={a.action}
              label={a.label}
              checked={draft.actions.includes(a.action)}
              onChange={(on) => set({ actions: turned(draft.actions, a.action, on) })}
            />
          ))}
      </fieldset>
      <TextField
        label={t('Why')}
        value={draft.reason ?? ''}
        onChange={(reason) => set({ reason })}
        hint={t('For those who approve or read it later.')}
      />
      {error && faultsOf(error).length === 0 ? <Notice tone="bad">{messageOf(error)}</Notice> : null}
      {preview.data && !preview.isError ? (
        <section aria-label={t('What it would change')}>
          <h3>{t('What it would change')}</h3>
          <Effects list={preview.data.effects} />
          {preview.data.waits ? <p className="small">{t('It would wait for {{who}}.', { who: preview.data.waits })}</p> : null}
        </section>
      ) : null}
      <div className="row">
        <Button type="submit" kind="primary" isDisabled={save.isPending || draft.label.trim() === ''}>
          {t('Save')}
        </Button>
        <Button onPress={() => onDone(from?.name)}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}

function Rows({
  label,
  value,
  onChange,
  fault,
}: {
  label: string;
  value: string | undefined;
  onChange: (next: string | undefined) => void;
  fault: string | undefined;
}) {
  return (
    <div className="stack">
      <div className="row">
        <span style={{ minWidth: 80 }}>{label}</span>
        <Segmented
          label={label}
          value={value === undefined ? 'all' : 'some'}
          options={[
            ['all', t('All')],
            ['some', t('Only these')],
          ]}
          onChange={(next) => onChange(next === 'all' ? undefined : '')}
        />
      </div>
      {value === undefined ? null : (
        <TextField
          label={label}
          hideLabel
          value={value}
          onChange={onChange}
          multiline
          hint={t('One name a line; none: no rows at all.')}
          fault={fault}
        />
      )}
    </div>
  );
}
