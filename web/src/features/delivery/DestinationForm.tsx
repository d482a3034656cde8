import { useState } from 'react';
import { faultOf, messageOf } from '../../api/client';
import type { Destination, DestinationSettings, DestinationSpec } from '../../api/delivery';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { complete, KINDS } from './words';

const FIELDS = { ...columns(220), alignItems: 'start' } as const;

/** A destination as a form; a secret that is kept stays unless it is entered anew. */
export function DestinationForm({
  saved,
  fault,
  busy,
  onSave,
  onCancel,
}: {
  saved: Destination | undefined;
  fault: unknown;
  busy: boolean;
  onSave: (spec: DestinationSpec) => void;
  onCancel: () => void;
}) {
  const [spec, setSpec] = useState<DestinationSpec>(() =>
    saved ? { name: saved.name, kind: saved.kind, settings: saved.settings } : { name: '', kind: 'email', settings: {} },
  );
  const set = (part: Partial<DestinationSpec>) => setSpec((s) => ({ ...s, ...part }));
  const s = spec.settings;
  const setting = (part: { [K in keyof DestinationSettings]?: DestinationSettings[K] | undefined }) =>
    setSpec((x) => ({
      ...x,
      settings: Object.fromEntries(
        Object.entries({ ...x.settings, ...part }).filter(([, v]) => v !== undefined && v !== ''),
      ) as DestinationSettings,
    }));
  const wrong = (path: string) => faultOf(fault, path);
  const text = (
    key: 'host' | 'user' | 'from' | 'from_name' | 'path' | 'endpoint' | 'region' | 'bucket' | 'url',
    label: string,
    more: { placeholder?: string; hint?: string } = {},
  ) => <TextField label={label} value={s[key] ?? ''} onChange={(v) => setting({ [key]: v })} fault={wrong(key)} {...more} />;
  const secret = (label: string, hint?: string) => (
    <TextField
      label={label}
      type="password"
      autoComplete="new-password"
      value={spec.password ?? ''}
      onChange={(password) => setSpec(({ password: _, ...x }) => (password ? { ...x, password } : x))}
      fault={wrong('password')}
      hint={saved ? t('Left empty, the one that is kept stays. It must be entered anew for another server or user.') : hint}
    />
  );
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        onSave({ ...spec, name: spec.name.trim() });
      }}
    >
      {fault ? <Notice tone="bad">{messageOf(fault)}</Notice> : null}
      <div className="stack" style={FIELDS}>
        <TextField
          label={t('Name')}
          value={spec.name}
          onChange={(name) => set({ name })}
          fault={wrong('name')}
          placeholder={t('office mail')}
          autoFocus
        />
        <Select
          label={t('What it is')}
          value={spec.kind}
          onChange={(kind) => setSpec(({ name }) => ({ name, kind, settings: {} }))}
          options={KINDS}
          fault={wrong('kind')}
        />
      </div>
      <div className="stack" style={FIELDS}>
        {spec.kind === 'email' ? (
          <>
            {text('host', t('Server'), { placeholder: 'smtp.example.com' })}
            <Select
              label={t('Encryption')}
              value={s.tls ?? 'starttls'}
              onChange={(tls) => setting({ tls: tls === 'starttls' ? undefined : tls })}
              options={[
                ['starttls', t('TLS by STARTTLS')],
                ['tls', t('TLS from the start')],
                ['none', t('none: everybody on the way can read it')],
              ]}
              fault={wrong('tls')}
            />
            <TextField
              label={t('Port')}
              inputMode="numeric"
              value={s.port ? String(s.port) : ''}
              onChange={(v) => setting({ port: /^\d{1,5}$/.test(v) ? Number(v) : undefined })}
              placeholder={s.tls === 'tls' ? '465' : '587'}
              fault={wrong('port')}
            />
            {text('from', t('From address'), { placeholder: 'reports@example.com' })}
            {text('from_name', t('From name'), { placeholder: 'MoatMetrics' })}
            {text('user', t('User'), { hint: t('Empty when the server asks for none.') })}
            {secret(t('Password'))}
          </>
        ) : null}
        {spec.kind === 'folder'
          ? text('path', t('Whole path'), {
              placeholder: '/srv/reports',
              hint: t('In one of the folders that whoever runs MoatMetrics allows (delivery_folders).'),
            })
          : null}
        {spec.kind === 's3' ? (
          <>
            {text('endpoint', t('Address of the store'), { placeholder: 'https://s3.eu-central-1.amazonaws.com' })}
            {text('region', t('Region'), { placeholder: 'us-east-1' })}
            {text('bucket', t('Bucket'), { placeholder: 'msp-reports' })}
            {text('path', t('Folder in it'))}
            {text('user', t('Access key ID'))}
            {secret(t('Secret access key'))}
          </>
        ) : null}
        {spec.kind === 'webhook' ? (
          <>
            {text('url', t('Address'), { placeholder: 'https://hooks.example.com/moat' })}
            {secret(t('Secret'), t('Signs what is sent; 16 characters or more. The receiver needs the same.'))}
          </>
        ) : null}
      </div>
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={busy || !complete(spec, saved !== undefined && saved.kind === spec.kind)}>
          {t('Save')}
        </Button>
        <Button onPress={onCancel}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}
