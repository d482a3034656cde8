import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { people, preview, type Review, type ReviewKind, type Verdict } from '../../api/reviews';
import { format, inCurrency, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Comments } from '../../metrics/Comments';
import { Button } from '../../ui/Button';
import { Card, Kbd } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import type { Answer } from './decide';
import { Evidence } from './Evidence';
import { State } from './Row';
import css from './review.module.css';

const KEY: Record<string, string> = { approve: 'a', reject: 'r', correct: 'c' };

/** A question with its evidence, what an answer would change, and what was said on it. */
export function Detail({
  r,
  kinds,
  asked,
  onAsk,
  busy,
  onDecide,
  onUndo,
  onBack,
}: {
  r: Review;
  kinds: ReviewKind[];
  asked: string | undefined;
  onAsk: (verdict: string | undefined) => void;
  busy: boolean;
  onDecide: (answer: Answer) => void;
  onUndo: () => void;
  onBack: () => void;
}) {
  const kind = kinds.find((k) => k.name === r.kind);
  return (
    <div className={css.detail}>
      <p className={css.back}>
        <Button kind="quiet" onPress={onBack}>
          {t('Back to the queue')}
        </Button>
      </p>
      <Card
        title={r.title}
        subtitle={t(r.snapshot ? '{{kind}} · asked {{at}} · evidence of snapshot {{snapshot}}' : '{{kind}} · asked {{at}}', {
          kind: kind?.label ?? r.kind,
          at: instant(r.created_at),
          snapshot: r.snapshot,
        })}
      >
        <div className="stack">
          <div className="row">
            {Number(r.money_at_stake) > 0 ? (
              <span>
                <strong className="num">{format(r.money_at_stake, inCurrency('money', r.currency))}</strong>{' '}
                <span className="muted small">
                  {r.kind.endsWith('_match') ? t('revenue of the name, 12 months') : t('at stake a year')}
                </span>
              </span>
            ) : null}
            <State r={r} kinds={kinds} />
          </div>
          {r.decision?.reason ? <Notice>{r.decision.reason}</Notice> : null}
          {r.status === 'open' ? (
            <Answers r={r} verdicts={kind?.verdicts ?? []} asked={asked} onAsk={onAsk} busy={busy} onDecide={onDecide} />
          ) : null}
          <Evidence r={r} />
          {r.status === 'decided' ? (
            <p>
              <Button isDisabled={busy} onPress={onUndo}>
                {t('Undo this decision')} <Kbd>u</Kbd>
              </Button>
            </p>
          ) : null}
        </div>
      </Card>
      {r.status === 'open' ? <Assignment r={r} /> : null}
      <Card title={t('Comments')} level={3}>
        <Comments on={{ kind: 'proposal', id: r.id }} />
      </Card>
    </div>
  );
}

function Answers({
  r,
  verdicts,
  asked,
  onAsk,
  busy,
  onDecide,
}: {
  r: Review;
  verdicts: Verdict[];
  asked: string | undefined;
  onAsk: (verdict: string | undefined) => void;
  busy: boolean;
  onDecide: (answer: Answer) => void;
}) {
  const [reason, setReason] = useState('');
  const candidates = r.evidence?.candidates ?? [];
  const [choice, setChoice] = useState(candidates[0]?.entity ?? '');
  const verdict = verdicts.find((v) => v.name === asked);
  const chosen = asked === 'same' ? choice : '';
  if (!verdict) {
    return (
      <div className={css.answers}>
        {verdicts.map((v) => (
          <Button key={v.name} kind={v.sense === 'approve' ? 'primary' : 'plain'} isDisabled={busy} onPress={() => onAsk(v.name)}>
            {v.label} <Kbd>{KEY[v.sense] ?? ''}</Kbd>
          </Button>
        ))}
      </div>
    );
  }
  const send = () =>
    onDecide({ verdict: verdict.name, ...(chosen ? { choice: chosen } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) });
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (!busy && !(verdict.reason && reason.trim() === '')) send();
      }}
      onKeyDown={(e) => {
        if (e.key === 'Escape') onAsk(undefined);
      }}
    >
      {asked === 'same' && candidates.length > 1 ? (
        <Select label={t('It means')} value={choice} onChange={setChoice} options={candidates.map((c) => [c.entity, c.name] as const)} />
      ) : null}
      <TextField
        label={verdict.reason ? t('Why? It is shown with the finding.') : t('Why (optional)')}
        value={reason}
        onChange={setReason}
        autoFocus
      />
      <Preview id={r.id} verdict={verdict.name} choice={chosen} />
      <div className="row">
        <Button type="submit" kind="primary" isDisabled={busy || (verdict.reason && reason.trim() === '')}>
          {verdict.label}
        </Button>
        <Button kind="quiet" onPress={() => onAsk(undefined)}>
          {t('Cancel')}
        </Button>
      </div>
    </form>
  );
}

/** What an answer would change, before it is given. */
function Preview({ id, verdict, choice }: { id: string; verdict: string; choice: string }) {
  const found = useQuery(preview(id, verdict, choice));
  if (found.isError) return <Notice tone="warn">{messageOf(found.error)}</Notice>;
  const e = found.data;
  if (!e) return <p className="muted small">{t('Looking at what this would change …')}</p>;
  return (
    <section className={css.effect} aria-label={t('What this changes')}>
      <h3>{t('What this changes')}</h3>
      <ul>
        {(e.says ?? []).map((s) => (
          <li key={s}>{s}</li>
        ))}
        {(e.moves ?? []).map((m) => {
          const unit = inCurrency(m.unit, m.currency);
          return (
            <li key={m.measure} className="num">
              {t('{{label}} of {{of}}, all months: {{from}} → {{to}}', {
                label: m.label,
                of: m.of,
                from: format(m.from, unit),
                to: m.to === null ? m.reason : format(m.to, unit),
              })}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Whose question it is, and until when. */
function Assignment({ r }: { r: Review }) {
  const client = useQueryClient();
  const all = useQuery(people()).data ?? [];
  const assign = useMutation({
    mutationFn: (to: { assignee: string; due: string }) =>
      unwrap(api.POST('/api/v1/reviews/{id}/assign', { params: { path: { id: r.id } }, body: to })),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data', 'reviews'] }),
  });
  const who = all.some((p) => p.actor === r.assignee) || !r.assignee ? all : [...all, { actor: r.assignee, name: r.assignee, handle: '' }];
  return (
    <Card title={t('Who decides, until when?')} level={3}>
      <div className={css.assignment}>
        <Select
          label={t('Assigned to')}
          value={r.assignee}
          onChange={(assignee) => assign.mutate({ assignee, due: r.due })}
          options={[['', t('Nobody in particular')] as const, ...who.map((p) => [p.actor, p.name] as const)]}
        />
        <label className={css.due}>
          {t('Due')}
          <input type="date" value={r.due} onChange={(e) => assign.mutate({ assignee: r.assignee, due: e.target.value })} />
        </label>
      </div>
    </Card>
  );
}
