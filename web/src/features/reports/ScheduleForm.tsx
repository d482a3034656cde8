import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { faultOf, faultsOf, messageOf } from '../../api/client';
import { destinations } from '../../api/delivery';
import { type FormatOf, type Schedule, type ScheduleSpec, saveSchedule, type Template } from '../../api/reports';
import { chosen, EVERY, inWords, nextInWords, WEEKDAYS, written } from '../../lib/cron';
import { zones } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Search } from '../../lib/state';
import { ClientField } from '../../metrics/ReportParameters';
import { lastFormats, ownPeriod, templateOptions, titleOf } from '../../metrics/reporting';
import { Button } from '../../ui/Button';
import { Checkbox, Group, Select, TextField } from '../../ui/Field';
import { useMay } from '../../ui/may';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import { Recipients } from './Recipients';
import css from './reports.module.css';
import { specOf } from './Schedules';

/** A schedule as a form: what, when, for whom. */
export function ScheduleForm({
  templates,
  formats,
  saved,
  given,
  onDone,
}: {
  templates: Template[];
  formats: FormatOf[];
  saved: Schedule | undefined;
  /** What was chosen before the form was opened. */
  given: NonNullable<Search['schedule']>;
  onDone: () => void;
}) {
  const client = useQueryClient();
  const places = useQuery({ ...destinations(), enabled: useMay('definitions.write') }).data ?? [];
  const [first] = useState<ScheduleSpec>(() => {
    if (saved) return specOf(saved);
    const template = templates.find((x) => x.name === given.template) ?? templates[0];
    const last = lastFormats().report;
    return {
      name: template ? titleOf(template) : '',
      template: template?.name ?? '',
      ...(given.client ? { client: given.client } : {}),
      ...(given.currency ? { currency: given.currency } : {}),
      formats: given.formats ?? [formats.some((f) => f.name === last) ? last : 'pdf'],
      cron: '0 7 1 * *',
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC',
      recipients: [],
      when_stale: 'say',
      when_in_review: 'say',
    };
  });
  const [spec, setSpec] = useState(first);
  const leaving = useUnsaved(JSON.stringify(spec) !== JSON.stringify(first), 'schedule', 'tab');
  const set = (part: Partial<ScheduleSpec>) => setSpec((s) => ({ ...s, ...part }));
  const save = useMutation({
    mutationFn: () => saveSchedule(saved?.id, spec),
    onSuccess: async (x) => {
      await client.invalidateQueries({ queryKey: ['reports', 'schedules'] });
      toast(t('{{name}} is saved.', { name: x.name }));
      onDone();
    },
  });
  const wrong = (path: string) => faultOf(save.error, path);
  const template = templates.find((x) => x.name === spec.template);
  const about = template?.of_client ?? false;
  const pick = (name: string) => {
    const next = templates.find((x) => x.name === name);
    setSpec(({ client: whom, every_client: every, ...s }) => ({
      ...s,
      template: name,
      // A name that was only the old report's follows the new one.
      name: next && (s.name === '' || (template && s.name === titleOf(template))) ? titleOf(next) : s.name,
      ...(next?.of_client ? { ...(whom ? { client: whom } : {}), ...(every ? { every_client: true } : {}) } : {}),
    }));
  };
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {leaving}
      {save.isError ? <Notice tone="bad">{messageOf(save.error)}</Notice> : null}
      <TextField label={t('Name')} value={spec.name} onChange={(name) => set({ name })} fault={wrong('name')} autoFocus />
      <Select
        label={t('Report')}
        value={spec.template}
        onChange={pick}
        options={templateOptions(templates, spec.client)}
        hint={template?.description}
        fault={wrong('template')}
      />
      {about ? (
        <ClientField
          label={t('Client')}
          every
          value={spec.every_client ? '*' : (spec.client ?? '')}
          onChange={(next) =>
            setSpec(({ client: _, every_client: __, ...s }) => ({
              ...s,
              ...(next === '*' ? { every_client: true } : next ? { client: next } : {}),
            }))
          }
        />
      ) : null}
      <TextField
        label={t('Currency')}
        value={spec.currency ?? ''}
        onChange={(next) =>
          setSpec(({ currency: _, ...s }) => ({ ...s, ...(next.trim() ? { currency: next.trim().slice(0, 3).toUpperCase() } : {}) }))
        }
        placeholder={t('as it is')}
        hint={t('Such as EUR, to convert all amounts. Each file reports on {{period}}.', { period: ownPeriod(template) })}
        fault={wrong('currency')}
      />
      <Group legend={t('Formats')}>
        <div className="row">
          {formats.map((f) => (
            <Checkbox
              key={f.name}
              label={f.label}
              checked={spec.formats.includes(f.name)}
              onChange={(on) => set({ formats: on ? [...spec.formats, f.name] : spec.formats.filter((x) => x !== f.name) })}
            />
          ))}
        </div>
        {spec.formats.length === 0 ? <p role="alert">{t('Choose at least one.')}</p> : null}
      </Group>
      <When spec={spec} set={set} wrong={wrong} />
      <Group legend={t('Who gets it')}>
        <Recipients
          list={spec.recipients}
          template={template}
          everyClient={spec.every_client ?? false}
          places={places}
          onChange={(recipients) => set({ recipients })}
          faults={faultsOf(save.error)}
        />
      </Group>
      <div className={css.fields}>
        <Select
          label={t('When no newer data came')}
          value={spec.when_stale || 'say'}
          onChange={(when_stale: 'say' | 'wait') => set({ when_stale })}
          options={[
            ['say', t('make it and say so in it')],
            ['wait', t('wait for newer data')],
          ]}
        />
        <Select
          label={t('While findings wait for a decision')}
          value={spec.when_in_review || 'say'}
          onChange={(when_in_review: 'say' | 'wait') => set({ when_in_review })}
          options={[
            ['say', t('make it and say so in it')],
            ['wait', t('wait for the decisions')],
          ]}
        />
      </div>
      <Checkbox label={t('Paused: run it by hand only')} checked={spec.paused ?? false} onChange={(paused) => set({ paused })} />
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={save.isPending || spec.name.trim() === '' || spec.formats.length === 0}>
          {t('Save')}
        </Button>
        <Button onPress={onDone}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}

/** When it runs, in words, and for those who want it as a cron expression. */
function When({
  spec,
  set,
  wrong,
}: {
  spec: ScheduleSpec;
  set: (part: Partial<ScheduleSpec>) => void;
  wrong: (path: string) => string | undefined;
}) {
  const [own, setOwn] = useState(() => chosen(spec.cron).every === 'own');
  const choice = chosen(spec.cron);
  const every = own ? 'own' : choice.every;
  const change = (part: Partial<typeof choice>) =>
    set({ cron: written({ ...choice, every: choice.every === 'own' ? 'month' : choice.every, ...part }) });
  const zone = spec.zone || 'UTC';
  const at = nextInWords(spec.cron, zone, new Date());
  return (
    <Group legend={t('When')}>
      <div className={css.fields}>
        <Select
          label={t('How often')}
          value={every}
          onChange={(next) => {
            setOwn(next === 'own');
            if (next !== 'own') change({ every: next });
          }}
          options={EVERY}
        />
        {every === 'week' ? (
          <Select label={t('On')} value={choice.weekday} onChange={(weekday) => change({ weekday })} options={WEEKDAYS} />
        ) : null}
        {every === 'month' || every === 'quarter' ? (
          <Select
            label={every === 'month' ? t('On day') : t('On day of its first month')}
            value={choice.day}
            onChange={(day) => change({ day })}
            options={Array.from({ length: 28 }, (_, i) => [String(i + 1), String(i + 1)] as const)}
          />
        ) : null}
        {own ? (
          <TextField
            label={t('Cron expression')}
            value={spec.cron}
            onChange={(cron) => set({ cron })}
            hint={t('Minute, hour, day, month, weekday: 30 5 * * 1-5 is 5:30 on working days.')}
            fault={wrong('cron')}
          />
        ) : (
          <TextField label={t('At')} value={choice.time} type="time" onChange={(time) => time && change({ time })} />
        )}
        <Select
          label={t('Time zone')}
          value={zone}
          onChange={(next) => set({ zone: next })}
          options={zonesWith(zone).map((z) => [z, z] as const)}
          fault={wrong('zone')}
        />
      </div>
      <p className="muted small" aria-live="polite">
        {at
          ? t('Runs {{when}}. Next: {{at}}.', { when: own ? spec.cron : inWords(spec.cron), at })
          : t('The next time is told after saving.')}
      </p>
    </Group>
  );
}

const zonesWith = (zone: string): string[] => {
  const all = zones();
  return all.includes(zone) ? all : [zone, ...all];
};
