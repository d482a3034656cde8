import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Held, holds } from '../../api/queries';
import { day, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Dialog } from '../../ui/Dialog';
import { Select, TextField } from '../../ui/Field';
import { Empty, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { PersonPicker } from './PersonPicker';

const KIND: Record<string, string> = { client: t('Client'), person: t('Person'), dataset: t('Dataset') };

/** What must not be deleted. */
export function Holds() {
  const client = useQueryClient();
  const list = useQuery(holds());
  const [adding, setAdding] = useState(false);
  const end = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/governance/holds/{id}/end', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['governance'] }),
    onError: (e) => toast(messageOf(e)),
  });
  const period = (h: Held) => (h.from || h.to ? `${h.from ? day(h.from) : '…'} – ${h.to ? day(h.to) : '…'}` : t('all'));
  return (
    <Card
      title={t('What must not be deleted?')}
      subtitle={t('While a hold stands, no snapshot and no original of an import expires')}
      actions={
        <Button kind="primary" onPress={() => setAdding(true)}>
          {t('Begin a hold')}
        </Button>
      }
    >
      <Loaded
        query={list}
        height={160}
        isEmpty={(all) => all.length === 0}
        empty={
          <Empty title={t('Nothing is held')}>
            {t(
              'When a dispute or an inquiry needs evidence, hold the client, the person or the dataset: nothing of it is deleted or erased until you lift the hold.',
            )}
          </Empty>
        }
      >
        {(all) => (
          <DataTable
            caption={t('Legal holds')}
            rows={all}
            rowKey={(h) => h.id}
            columns={[
              { id: 'what', head: t('What'), sort: (h) => h.label, cell: (h) => `${KIND[h.kind] ?? h.kind}: ${h.label}` },
              { id: 'period', head: t('Of'), cell: period },
              { id: 'reason', head: t('Why'), cell: (h) => <span style={{ whiteSpace: 'normal' }}>{h.reason}</span> },
              { id: 'since', head: t('Since'), sort: (h) => String(h.at), cell: (h) => `${instant(String(h.at))}, ${h.author}` },
              {
                id: 'state',
                head: t('State'),
                cell: (h) =>
                  h.ended_at ? (
                    <Badge>{t('lifted {{at}}', { at: instant(String(h.ended_at)) })}</Badge>
                  ) : (
                    <Button
                      isDisabled={end.isPending}
                      onPress={() => end.mutate(h.id)}
                      aria-label={t('Lift the hold on {{what}}', { what: h.label })}
                    >
                      {t('Lift')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
      {adding ? <Begin onClose={() => setAdding(false)} /> : null}
    </Card>
  );
}

function Begin({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [kind, setKind] = useState<'client' | 'person' | 'dataset'>('client');
  const [draft, setDraft] = useState({ subject: '', from: '', to: '', reason: '' });
  const change = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next });
  const add = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/governance/holds', { body: { kind, ...draft } })),
    onSuccess: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ['governance'] });
    },
  });
  return (
    <Dialog open onClose={onClose} title={t('Begin a hold')} subtitle={t('It is recorded who did, and why')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          add.mutate();
        }}
      >
        <Select
          label={t('What is held')}
          value={kind}
          onChange={(k) => {
            setKind(k);
            change({ subject: '' });
          }}
          options={[
            ['client', t('A client')],
            ['person', t('A person')],
            ['dataset', t('A dataset, or everything')],
          ]}
        />
        {kind === 'person' ? (
          <PersonPicker value={draft.subject} onChange={(subject) => change({ subject })} />
        ) : (
          <TextField
            label={kind === 'client' ? t('Name of the client') : t('Name of the dataset')}
            value={draft.subject}
            onChange={(subject) => change({ subject })}
            hint={kind === 'client' ? t('As it is shown elsewhere') : t('Such as time_entries; blank is everything')}
          />
        )}
        <TextField label={t('From')} value={draft.from} type="date" onChange={(from) => change({ from })} hint={t('Blank: since ever')} />
        <TextField
          label={t('To')}
          value={draft.to}
          type="date"
          onChange={(to) => change({ to })}
          hint={t('First day no longer held; blank: open')}
        />
        <TextField label={t('Why')} value={draft.reason} onChange={(reason) => change({ reason })} multiline />
        {add.isError ? <Notice tone="bad">{messageOf(add.error)}</Notice> : null}
        <Button kind="primary" type="submit" isDisabled={add.isPending || draft.reason.trim() === ''}>
          {t('Hold')}
        </Button>
      </form>
    </Dialog>
  );
}
