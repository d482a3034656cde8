import { useState } from 'react';
import { faultOf, messageOf } from '../../api/client';
import type { Source, SourceSpec } from '../../api/queries';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { TABLES } from '../../lib/tables';
import { Button } from '../../ui/Button';
import { Checkbox, Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { FIELDS, located, PATHS, Place, type Settings } from './Place';

type Kind = SourceSpec['kind'];

const KINDS: Record<string, string> = {
  folder: t('A folder of this machine'),
  sftp: t('A folder of an SFTP server'),
  s3: t('A bucket of an S3 store'),
  imap: t('E-mail attachments (IMAP)'),
};

/** The part of a source that people set; what it has kept encrypted stays unless it is entered anew. */
export function specOf(s: Source | undefined): SourceSpec {
  if (!s) return { name: '', kind: 'folder', settings: {}, schedule: 'watch', after: 'keep' };
  const { name, kind, settings, schedule, zone, after, all_or_nothing, dataset, mapping, source_system, paused } = s;
  return {
    name,
    kind,
    settings,
    ...(schedule ? { schedule } : {}),
    ...(zone ? { zone } : {}),
    ...(after ? { after } : {}),
    ...(all_or_nothing ? { all_or_nothing } : {}),
    ...(dataset ? { dataset } : {}),
    ...(mapping ? { mapping } : {}),
    ...(source_system ? { source_system } : {}),
    ...(paused ? { paused } : {}),
  };
}

export function SourceForm({
  source,
  fault,
  busy,
  action,
  onSave,
}: {
  source?: Source;
  fault: unknown;
  busy: boolean;
  action: string;
  onSave: (spec: SourceSpec) => void;
}) {
  const [spec, setSpec] = useState<SourceSpec>(() => specOf(source));
  const set = (part: Partial<SourceSpec>) => setSpec((s) => ({ ...s, ...part }));
  const setting = (part: Partial<Settings>) => setSpec((s) => ({ ...s, settings: { ...s.settings, ...part } }));
  const wrong = (path: string) => faultOf(fault, path);
  const [pathLabel, pathExample] = PATHS[spec.kind];
  const mail = spec.kind === 'imap';
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        onSave(spec);
      }}
    >
      {fault ? <Notice tone="bad">{messageOf(fault)}</Notice> : null}
      <div className="stack" style={FIELDS}>
        <TextField
          label={t('Name')}
          value={spec.name}
          onChange={(name) => set({ name })}
          fault={wrong('name')}
          placeholder={t('psa exports')}
          autoFocus
        />
        <Select
          label={t('What it is')}
          value={spec.kind}
          onChange={(kind: Kind) => {
            const { pattern } = spec.settings; // where one kind is says nothing of another
            set({ kind, schedule: kind === 'folder' ? 'watch' : '0 6 * * *', settings: pattern ? { pattern } : {} });
          }}
          options={Object.entries(KINDS).map(([id, text]) => [id as Kind, text] as const)}
        />
      </div>
      <Place spec={spec} source={source} set={set} setting={setting} wrong={wrong} />
      <div className="stack" style={FIELDS}>
        <TextField
          label={pathLabel}
          value={spec.settings.path ?? ''}
          onChange={(path) => setting({ path })}
          fault={wrong('path')}
          placeholder={pathExample}
        />
        <TextField
          label={t('Which files')}
          value={spec.settings.pattern ?? ''}
          onChange={(pattern) => setting({ pattern })}
          fault={wrong('pattern')}
          placeholder={t('all, or such as *.csv')}
        />
      </div>
      <When spec={spec} set={set} wrong={wrong} />
      <div className="stack" style={FIELDS}>
        <Select
          label={mail ? t('After the import an e-mail') : t('After the import a file')}
          value={spec.after ?? 'keep'}
          onChange={(after: 'keep' | 'move' | 'delete') => set({ after })}
          options={[
            ['keep', t('stays where it is')],
            ['move', mail ? t('is moved to “done”') : t('is moved to “done” beside it')],
            ['delete', t('is deleted')],
          ]}
        />
        <Select
          label={t('The files are')}
          value={spec.dataset ?? ''}
          onChange={(dataset) => setSpec(({ dataset: _, ...s }) => (dataset ? { ...s, dataset } : s))}
          options={[['', t('told from each file')] as const, ...TABLES.map((name) => [name, sentence(words(name))] as const)]}
        />
      </div>
      <Checkbox
        label={t('All or nothing: store the files of a run only when every row of every file can be stored')}
        checked={spec.all_or_nothing ?? false}
        onChange={(all_or_nothing) => set({ all_or_nothing })}
      />
      {source ? (
        <Checkbox label={t('Paused: run it by hand only')} checked={spec.paused ?? false} onChange={(paused) => set({ paused })} />
      ) : null}
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={busy || !spec.name || !located(spec)}>
          {action}
        </Button>
      </div>
    </form>
  );
}

const CRON = [
  ['0 6 * * *', t('every day at 6:00')],
  ['0 6 * * 1-5', t('on working days at 6:00')],
  ['0 * * * *', t('every hour')],
  ['0 6 * * 1', t('every Monday at 6:00')],
  ['0 6 1 * *', t('on the first of the month at 6:00')],
] as const;

function When({
  spec,
  set,
  wrong,
}: {
  spec: SourceSpec;
  set: (part: Partial<SourceSpec>) => void;
  wrong: (path: string) => string | undefined;
}) {
  const schedule = spec.schedule ?? '';
  const known = schedule === '' || schedule === 'watch' || CRON.some(([c]) => c === schedule);
  const [own, setOwn] = useState(!known);
  return (
    <div className="stack" style={FIELDS}>
      <Select
        label={t('When')}
        value={own ? 'own' : schedule}
        onChange={(next) => {
          setOwn(next === 'own');
          if (next !== 'own') set({ schedule: next });
        }}
        options={[
          ...(spec.kind === 'folder' ? [['watch', t('as soon as a file comes')] as const] : []),
          ...CRON,
          ['', t('only by hand')],
          ['own', t('another time …')],
        ]}
      />
      {own ? (
        <TextField
          label={t('Cron expression')}
          value={schedule}
          onChange={(next) => set({ schedule: next })}
          fault={wrong('schedule')}
          hint={t('Minute, hour, day, month, weekday: 30 5 * * 1-5 is 5:30 on working days.')}
        />
      ) : null}
      {schedule && schedule !== 'watch' ? (
        <TextField
          label={t('Time zone')}
          value={spec.zone ?? ''}
          onChange={(zone) => set({ zone })}
          fault={wrong('zone')}
          placeholder={Intl.DateTimeFormat().resolvedOptions().timeZone}
          hint={t('UTC when left out')}
        />
      ) : null}
    </div>
  );
}
