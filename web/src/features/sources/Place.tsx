import { useState } from 'react';
import type { Source, SourceSpec } from '../../api/queries';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Select, TextField } from '../../ui/Field';

export type Settings = SourceSpec['settings'];
type Encryption = NonNullable<Settings['tls']>;

/** Fields side by side; one with a hint does not stretch its neighbor. */
export const FIELDS = { ...columns(220), alignItems: 'start' } as const;

interface Part {
  spec: SourceSpec;
  source: Source | undefined;
  set: (part: Partial<SourceSpec>) => void;
  setting: (part: Partial<Settings>) => void;
  wrong: (path: string) => string | undefined;
}

/** Where a source is, in the words of its kind. */
export function Place(p: Part) {
  switch (p.spec.kind) {
    case 'sftp':
      return <Server {...p} />;
    case 's3':
      return <Bucket {...p} />;
    case 'imap':
      return <Mailbox {...p} />;
    default:
      return null;
  }
}

/** Whether enough is said to keep a source. */
export function located({ kind, settings: s }: SourceSpec): boolean {
  switch (kind) {
    case 'folder':
      return Boolean(s.path);
    case 's3':
      return Boolean(s.endpoint && s.bucket && s.user);
    default:
      return Boolean(s.host && s.user);
  }
}

/** What the server calls the place within it. */
export const PATHS: Record<SourceSpec['kind'], readonly [label: string, example: string]> = {
  folder: [t('Folder'), '/srv/exports'],
  sftp: [t('Folder on the server'), 'exports'],
  s3: [t('Prefix in the bucket'), t('all of it, or such as exports/psa')],
  imap: [t('Mailbox folder'), 'INBOX'],
};

function Server(p: Part) {
  return (
    <div className="stack" style={FIELDS}>
      <Host {...p} example="files.example.com" port="22" />
      <User {...p} label={t('User')} />
      <Secret {...p} label={t('Password')} />
    </div>
  );
}

function Bucket(p: Part) {
  const { spec, setting, wrong } = p;
  return (
    <div className="stack" style={FIELDS}>
      <TextField
        label={t('Address of the store')}
        value={spec.settings.endpoint ?? ''}
        onChange={(endpoint) => setting({ endpoint })}
        fault={wrong('endpoint')}
        placeholder="https://s3.eu-central-1.amazonaws.com"
        hint={t('Encrypted (https) unless you write http://.')}
      />
      <TextField
        label={t('Region')}
        value={spec.settings.region ?? ''}
        onChange={(region) => setting({ region })}
        fault={wrong('region')}
        placeholder="us-east-1"
      />
      <TextField
        label={t('Bucket')}
        value={spec.settings.bucket ?? ''}
        onChange={(bucket) => setting({ bucket })}
        fault={wrong('bucket')}
        placeholder="msp-exports"
      />
      <User {...p} label={t('Access key ID')} />
      <Secret {...p} label={t('Secret access key')} />
    </div>
  );
}

const ENCRYPTIONS: readonly (readonly [Encryption, string])[] = [
  ['implicit', t('TLS from the start')],
  ['starttls', t('TLS by STARTTLS')],
  ['none', t('none (this machine only)')],
];

function Mailbox(p: Part) {
  const { spec, setting, wrong } = p;
  const s = spec.settings;
  const [senders, setSenders] = useState((s.senders ?? []).join(', '));
  const tls = s.tls ?? (s.port === 143 ? 'starttls' : 'implicit');
  return (
    <>
      <div className="stack" style={FIELDS}>
        <Host {...p} example="imap.example.com" port={tls === 'implicit' ? '993' : '143'} />
        <Select label={t('Encryption')} value={tls} onChange={(next: Encryption) => setting({ tls: next })} options={ENCRYPTIONS} />
        <User {...p} label={t('User')} />
        <Secret {...p} label={t('Password')} more={t('Some providers want one made for programs.')} />
      </div>
      <div className="stack" style={FIELDS}>
        <TextField
          label={t('Only e-mails from')}
          value={senders}
          onChange={(next) => {
            setSenders(next);
            setting({
              senders: next
                .split(/[,;\s]+/)
                .map((one) => one.trim())
                .filter(Boolean),
            });
          }}
          fault={wrong('senders')}
          placeholder="reports@psa.example.com, @example.org"
          hint={t('Anyone can send an e-mail: name whose exports are taken. Left empty, those of everyone are.')}
        />
        <TextField
          label={t('Only with this in the subject')}
          value={s.subject ?? ''}
          onChange={(subject) => setting({ subject })}
          fault={wrong('subject')}
          placeholder={t('any subject')}
        />
      </div>
    </>
  );
}

function Host({ spec, setting, wrong, example, port }: Part & { example: string; port: string }) {
  return (
    <>
      <TextField
        label={t('Server')}
        value={spec.settings.host ?? ''}
        onChange={(host) => setting({ host })}
        fault={wrong('host')}
        placeholder={example}
      />
      <TextField
        label={t('Port')}
        type="number"
        value={spec.settings.port ? String(spec.settings.port) : ''}
        onChange={(next) => setting({ port: Number(next) || 0 })}
        fault={wrong('port')}
        placeholder={port}
      />
    </>
  );
}

function User({ spec, setting, wrong, label }: Part & { label: string }) {
  return <TextField label={label} value={spec.settings.user ?? ''} onChange={(user) => setting({ user })} fault={wrong('user')} />;
}

function Secret({ spec, source, set, wrong, label, more }: Part & { label: string; more?: string }) {
  const kept = source && source.kind === spec.kind;
  return (
    <TextField
      label={label}
      type="password"
      value={spec.password ?? ''}
      onChange={(password) => set({ password })}
      fault={wrong('password')}
      hint={[kept ? t('Kept encrypted; leave it empty to keep the one there is.') : t('Kept encrypted and never shown.'), more]
        .filter(Boolean)
        .join(' ')}
    />
  );
}
