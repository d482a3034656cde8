import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { aliases } from '../../api/queries';
import { type NameReview, nameReviews } from '../../api/reviews';
import { Page } from '../../app/Page';
import { instant, percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Button, Segmented } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { TextField } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { toast } from '../../ui/toast';
import css from './matching.module.css';

/** Names of the files that may mean what is known already: a person says. */
export function Matching() {
  const [search, change] = useAddress();
  return (
    <Page
      title={t('Matching')}
      lead={t(
        'Exports name the same client, person or product in several ways. What is certain is linked by itself; the rest waits here. A decision holds for all past and coming rows and can be undone.',
      )}
    >
      <Tabs
        label={t('Matching')}
        value={search.tab ?? 'open'}
        onChange={(tab) => change({ tab: tab === 'open' ? undefined : tab })}
        tabs={[
          { id: 'open', title: t('To decide'), content: () => <Queue /> },
          { id: 'decided', title: t('Decided'), content: () => <DecidedList /> },
          { id: 'names', title: t('All names'), content: () => <Names /> },
        ]}
      />
    </Page>
  );
}

/** A verdict's request; every view of the queue is read anew. */
function useDecide() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['data'] });
  const undo = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/reviews/{id}/undo', { params: { path: { id } } })),
    onSuccess: () => toast(t('The decision is taken back: the question is open again.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  const decide = useMutation({
    mutationFn: (d: { review: NameReview; verdict: 'same' | 'different' | 'create'; choice?: string; reason?: string }) =>
      unwrap(
        api.POST('/api/v1/reviews/{id}/decide', {
          params: { path: { id: d.review.id } },
          body: { verdict: d.verdict, ...(d.choice ? { choice: d.choice } : {}), ...(d.reason ? { reason: d.reason } : {}) },
        }),
      ),
    onSuccess: (_, d) => toast(outcome(d.review, d.verdict, d.choice), { label: t('Undo'), run: () => undo.mutate(d.review.id) }),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  return { decide, undo };
}

function outcome(r: NameReview, verdict: string, choice?: string): string {
  const name = r.evidence.name;
  const found = r.evidence.candidates?.find((c) => c.entity === choice)?.name ?? choice ?? '';
  if (verdict === 'same') return t('{{name}} counts as {{other}} from now on, its past rows too.', { name, other: found });
  return t('{{name}} stays apart.', { name });
}

function Queue() {
  const open = useQuery(nameReviews('open'));
  const { decide } = useDecide();
  return (
    <Loaded
      query={open}
      height={300}
      isEmpty={(all) => all.length === 0}
      empty={
        <Empty title={t('Nothing to decide')} action={<Link to="/import">{t('Import files')}</Link>}>
          {t('Names that an import is not sure of come here.')}
        </Empty>
      }
    >
      {(all) => (
        <div className="stack">
          <p className="muted">{t('{{count}} open, those with the most rows first.', { count: all.length })}</p>
          <ul className="stack" aria-label={t('Names to decide')}>
            {all.map((r) => (
              <li key={r.id}>
                <Question
                  review={r}
                  busy={decide.isPending}
                  onDecide={(verdict, choice, reason) =>
                    decide.mutate({ review: r, verdict, ...(choice ? { choice } : {}), ...(reason ? { reason } : {}) })
                  }
                />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Loaded>
  );
}

function Question({
  review: r,
  busy,
  onDecide,
}: {
  review: NameReview;
  busy: boolean;
  onDecide: (verdict: 'same' | 'different' | 'create', choice?: string, reason?: string) => void;
}) {
  const [reason, setReason] = useState('');
  const e = r.evidence;
  const candidates = e.candidates ?? [];
  return (
    <Card
      level={3}
      title={
        candidates.length === 1
          ? t('Is {{name}} the same as {{other}}?', { name: e.name, other: candidates[0]?.name ?? '' })
          : t('Which one is {{name}}?', { name: e.name })
      }
      subtitle={t('{{kind}}, {{count}} rows of {{dataset}} from {{source}}', {
        kind: sentence(e.kind),
        count: e.rows,
        dataset: words(e.dataset),
        source: e.source,
      })}
      actions={
        r.import_id ? (
          <Link to="/import/$id" params={{ id: String(r.import_id) }}>
            {t('The import')}
          </Link>
        ) : null
      }
    >
      <div className="stack" style={{ gap: 10 }}>
        <ul className={css.candidates}>
          {candidates.map((c) => (
            <li key={c.entity}>
              <div>
                <strong>{c.name}</strong> <Badge>{t('{{score}} alike', { score: percent(c.score) })}</Badge>
                <p className="muted small">{(c.why ?? []).map(sentence).join('; ')}</p>
              </div>
              <Button kind="primary" isDisabled={busy} onPress={() => onDecide('same', c.entity, reason)}>
                {t('Same as {{name}}', { name: c.name })}
              </Button>
            </li>
          ))}
        </ul>
        <div className="row" style={{ alignItems: 'end' }}>
          <Button isDisabled={busy} onPress={() => onDecide('different', undefined, reason)}>
            {candidates.length > 1 ? t('None of them') : t('Different')}
          </Button>
          {e.kind === 'client' ? (
            <Button isDisabled={busy} onPress={() => onDecide('create', undefined, reason)}>
              {t('Different, and a client of its own')}
            </Button>
          ) : null}
          <TextField
            label={t('Why, for those who read it later')}
            hideLabel
            placeholder={t('Why (optional)')}
            value={reason}
            onChange={setReason}
          />
        </div>
      </div>
    </Card>
  );
}

const VERDICTS: Record<string, string> = { same: t('same'), different: t('different'), create: t('client of its own') };

function DecidedList() {
  const done = useQuery(nameReviews('decided'));
  const { undo } = useDecide();
  return (
    <Loaded query={done} height={300} isEmpty={(all) => all.length === 0} empty={<Empty title={t('Nothing is decided yet')} />}>
      {(all) => (
        <DataTable
          caption={t('Decisions about names')}
          rows={all}
          rowKey={(r) => r.id}
          columns={[
            { id: 'name', head: t('Name'), sort: (r) => r.evidence.name, cell: (r) => r.evidence.name },
            { id: 'kind', head: t('Kind'), sort: (r) => r.evidence.kind, cell: (r) => sentence(r.evidence.kind) },
            {
              id: 'verdict',
              head: t('Decision'),
              cell: (r) =>
                r.decision.verdict === 'same'
                  ? t('same as {{name}}', {
                      name: r.evidence.candidates?.find((c) => c.entity === r.decision.choice)?.name ?? r.decision.choice,
                    })
                  : (VERDICTS[r.decision.verdict] ?? r.decision.verdict),
            },
            { id: 'reason', head: t('Why'), cell: (r) => <span style={{ whiteSpace: 'normal' }}>{r.decision.reason}</span> },
            { id: 'by', head: t('By'), cell: (r) => r.decision.by },
            { id: 'at', head: t('When'), sort: (r) => String(r.decision.at), cell: (r) => instant(String(r.decision.at)) },
            {
              id: 'undo',
              head: '',
              cell: (r) => (
                <Button
                  kind="quiet"
                  isDisabled={undo.isPending}
                  onPress={() => undo.mutate(r.id)}
                  aria-label={t('Undo the decision on {{name}}', { name: r.evidence.name })}
                >
                  {t('Undo')}
                </Button>
              ),
            },
          ]}
        />
      )}
    </Loaded>
  );
}

const KINDS = [
  ['client', t('Clients')],
  ['staff', t('Staff')],
  ['product', t('Products')],
] as const;

const HOW: Record<string, string> = {
  id: t('same id'),
  equal: t('same name, written in another way'),
  match: t('likeness of the names'),
  person: t('a person said so'),
};

function Names() {
  const client = useQueryClient();
  const [kind, setKind] = useState<'client' | 'staff' | 'product'>('client');
  const list = useQuery(aliases(kind));
  const part = useMutation({
    mutationFn: (key: string) => unwrap(api.POST('/api/v1/aliases/part', { body: { kind, key } })),
    onSuccess: () => toast(t('They count apart again, and no import will link them.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data'] }),
  });
  return (
    <div className="stack">
      <Segmented label={t('Kind')} value={kind} onChange={setKind} options={KINDS} />
      <Loaded
        query={list}
        height={300}
        isEmpty={(all) => all.length === 0}
        empty={<Empty title={t('Every name means itself')}>{t('Other spellings that are linked with a name are listed here.')}</Empty>}
      >
        {(all) => (
          <DataTable
            caption={t('What names are taken for')}
            rows={all}
            rowKey={(a) => a.key}
            columns={[
              { id: 'key', head: t('In the files'), sort: (a) => a.key_name || a.key, cell: (a) => a.key_name || a.key },
              { id: 'name', head: t('Counts as'), sort: (a) => a.name, cell: (a) => a.name || a.canonical },
              { id: 'how', head: t('Because'), sort: (a) => a.how, cell: (a) => HOW[a.how] ?? words(a.how) },
              { id: 'score', head: t('How sure'), right: true, sort: (a) => a.score, cell: (a) => percent(a.score) },
              {
                id: 'part',
                head: '',
                cell: (a) => (
                  <Button
                    kind="quiet"
                    isDisabled={part.isPending}
                    onPress={() => part.mutate(a.key)}
                    aria-label={t('{{name}} is not {{other}}', { name: a.key_name || a.key, other: a.name })}
                  >
                    {t('Not the same')}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </div>
  );
}
