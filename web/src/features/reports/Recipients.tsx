import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import { accountNames, roles } from '../../api/accounts';
import type { Recipient, Template } from '../../api/reports';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useNames } from '../../metrics/names';
import { Button, IconButton, Segmented } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import css from './reports.module.css';

/** A place that files can be sent to. */
export interface Place {
  id: string;
  name: string;
  kind: string;
}

/** Who gets the files of a schedule, and how. */
export function Recipients({
  list,
  template,
  everyClient,
  places,
  onChange,
  faults,
}: {
  list: Recipient[];
  template: Template | undefined;
  /** Whether there is a file for each client. */
  everyClient: boolean;
  places: Place[];
  onChange: (next: Recipient[]) => void;
  faults: { path: string; message: string }[];
}) {
  const name = useNames();
  const placeOf = (id: string) => places.find((p) => p.id === id)?.name ?? id;
  return (
    <div className="stack" style={{ gap: 12 }}>
      {list.length === 0 ? <p className="muted small">{t('Nobody yet: the files are kept under Files only.')}</p> : null}
      <ul className={css.plain}>
        {list.map((r, i) => {
          const who = r.actor ? name(r.actor) : r.address || placeOf(r.destination ?? '');
          const fault = faults.find((f) => f.path === `recipients[${i}]`)?.message;
          return (
            <li key={JSON.stringify(r)} className="spread">
              <span>
                {who}
                <span className="muted small"> {saidOf(r, placeOf)}</span>
                {fault ? (
                  <span className={css.wrong} role="alert">
                    {fault}
                  </span>
                ) : null}
              </span>
              <IconButton label={t('Leave out {{who}}', { who })} onPress={() => onChange(list.filter((_, j) => j !== i))}>
                <X size={16} />
              </IconButton>
            </li>
          );
        })}
      </ul>
      <Add template={template} everyClient={everyClient} places={places} taken={list} onAdd={(r) => onChange([...list, r])} />
    </div>
  );
}

function saidOf(r: Recipient, placeOf: (id: string) => string): string {
  const how =
    r.actor && !r.destination
      ? t('a notice in the program')
      : r.actor || r.address
        ? t('by {{place}}', { place: placeOf(r.destination ?? '') })
        : '';
  const rights = r.role ? t('with the rights of {{role}}', { role: r.role }) : '';
  const only = r.clients?.length ? t('only {{clients}}', { clients: r.clients.join(', ') }) : '';
  return [how, rights, only].filter(Boolean).join(', ');
}

type Kind = 'member' | 'address' | 'place';

function Add({
  template,
  everyClient,
  places,
  taken,
  onAdd,
}: {
  template: Template | undefined;
  everyClient: boolean;
  places: Place[];
  taken: Recipient[];
  onAdd: (r: Recipient) => void;
}) {
  const members = Object.entries(useQuery(accountNames()).data ?? {}).sort((a, b) => a[1].localeCompare(b[1]));
  const known = (useQuery(roles()).data?.roles ?? []).map((r) => [r, sentence(words(r))] as const);
  const [kind, setKind] = useState<Kind>('member');
  const [actor, setActor] = useState('');
  const [address, setAddress] = useState('');
  const [through, setThrough] = useState('');
  const [role, setRole] = useState('viewer');
  const [clients, setClients] = useState('');
  const mail = places.filter((p) => p.kind === 'email');
  const others = places.filter((p) => p.kind !== 'email');
  // What is for clients has the client's rights, whoever gets it.
  const outside = kind !== 'member' && template?.audience !== 'client';
  const limited = kind !== 'member' && (outside || everyClient);
  const limits = clients
    .split('\n')
    .map((c) => c.trim())
    .filter(Boolean);
  const rights = { ...(outside ? { role } : {}), ...(limited && limits.length > 0 ? { clients: limits } : {}) };
  const made: Recipient | undefined =
    kind === 'member'
      ? actor && !taken.some((r) => r.actor === actor)
        ? { actor, ...(through ? { destination: through } : {}) }
        : undefined
      : kind === 'address'
        ? /^\S+@\S+$/.test(address.trim()) && through && mail.some((p) => p.id === through)
          ? { address: address.trim(), destination: through, ...rights }
          : undefined
        : through && others.some((p) => p.id === through)
          ? { destination: through, ...rights }
          : undefined;
  return (
    <div className={css.add}>
      <Segmented
        label={t('Kind of recipient')}
        value={kind}
        options={[
          ['member', t('Member')],
          ['address', t('Outside address')],
          ['place', t('Folder, bucket, webhook')],
        ]}
        onChange={(next) => {
          setKind(next);
          setThrough('');
        }}
      />
      <div className={css.fields}>
        {kind === 'member' ? (
          <Select
            label={t('Member')}
            value={actor}
            onChange={setActor}
            options={[['', members.length > 0 ? t('Choose …') : t('nobody has an account yet')] as const, ...members]}
            hint={members.length > 0 ? t('Gets what their own role may see.') : t('Make accounts under Users first.')}
          />
        ) : null}
        {kind === 'address' ? <TextField label={t('E-mail address')} type="email" value={address} onChange={setAddress} /> : null}
        {kind === 'member' ? (
          <Select
            label={t('How')}
            value={through}
            onChange={setThrough}
            options={[['', t('a notice in the program')] as const, ...mail.map((p) => [p.id, p.name] as const)]}
          />
        ) : (
          <Select
            label={kind === 'address' ? t('Through the mail server') : t('Destination')}
            value={through}
            onChange={setThrough}
            options={[['', t('Choose …')] as const, ...(kind === 'address' ? mail : others).map((p) => [p.id, p.name] as const)]}
            hint={(kind === 'address' ? mail : others).length === 0 ? t('There is none yet: add one under Destinations.') : undefined}
          />
        )}
        {outside ? (
          <Select
            label={t('With the rights of')}
            value={role}
            onChange={setRole}
            options={known.length > 0 ? known : [[role, sentence(role)] as const]}
            hint={t('It shows what this role may see, and never more than you may.')}
          />
        ) : null}
        {limited ? (
          <TextField
            label={t('Only these clients')}
            multiline
            value={clients}
            onChange={setClients}
            hint={outside ? t('One in each line; all when left empty.') : t('One in each line: gets the files of these, and of no others.')}
          />
        ) : null}
      </div>
      <div className="row">
        <Button
          isDisabled={!made}
          onPress={() => {
            if (!made) return;
            onAdd(made);
            setActor('');
            setAddress('');
          }}
        >
          {t('Add')}
        </Button>
      </div>
    </div>
  );
}
