import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type Review as Question, reviewKinds, reviews } from '../../api/reviews';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Button, Segmented } from '../../ui/Button';
import { Kbd } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { Checkbox, Select } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import { Bulk } from './Bulk';
import { Detail } from './Detail';
import { useDecide, verdictOf } from './decide';
import { beside, useKeys } from './keys';
import { Row } from './Row';
import css from './review.module.css';

const KEYS: [string, string][] = [
  ['j', t('The next question')],
  ['k', t('The one before')],
  ['Enter', t('Open it')],
  ['a', t('Approve: yes, the same, known')],
  ['r', t('Reject')],
  ['c', t('Correct, or a client of its own')],
  ['u', t('Undo a decision, among those decided')],
  ['x', t('Select it, to decide several at once')],
  ['?', t('These keys')],
];

const TABS = [
  ['open', t('To decide')],
  ['decided', t('Decided')],
  ['expired', t('Expired')],
] as const;

/** Says what an empty list means, and what to do next. */
function Nothing({ status, narrowed, onAll }: { status: (typeof TABS)[number][0]; narrowed: boolean; onAll: () => void }) {
  if (narrowed)
    return (
      <Empty title={t('Nothing of this kind')} action={<Button onPress={onAll}>{t('Show all kinds')}</Button>}>
        {t('Other questions may be here.')}
      </Empty>
    );
  if (status === 'decided')
    return (
      <Empty title={t('Nobody has decided anything yet')}>
        {t('Decisions stand here with who made them and why. They can be undone for 30 days.')}
      </Empty>
    );
  if (status === 'expired')
    return (
      <Empty title={t('Nothing has expired')}>
        {t('What nobody decides within the days that the settings give is not asked any more, and stands here.')}
      </Empty>
    );
  return (
    <Empty title={t('Nothing waits for a decision')} action={<Link to="/import">{t('Import files')}</Link>}>
      {t('After each import, findings of low confidence, hits of rules and names that may mean another come here.')}
    </Empty>
  );
}

/** What the program is not sure of, the most money first, decided with a few keys. */
export function Review() {
  const [search, change] = useAddress();
  const status = TABS.find(([id]) => id === search.tab)?.[0] ?? 'open';
  const filter = { status, kinds: search.kind ? [search.kind] : [], mine: search.mine === 1, overdue: search.overdue === 1 };
  const list = useQuery(reviews(filter));
  const kinds = useQuery(reviewKinds()).data ?? [];
  const [help, setHelp] = useState(false);
  return (
    <Page
      title={t('Review')}
      lead={t(
        'What the program is not sure of waits for a person: findings, hits of rules, names. Every decision is on record and can be undone for 30 days.',
      )}
      actions={
        <Button kind="quiet" onPress={() => setHelp(true)}>
          {t('Keys')} <Kbd>?</Kbd>
        </Button>
      }
    >
      <div className={css.filters}>
        <Segmented
          label={t('State')}
          value={status}
          options={TABS}
          onChange={(tab) => change({ tab: tab === 'open' ? undefined : tab, row: undefined })}
        />
        <Select
          label={t('Kind')}
          hideLabel
          value={search.kind ?? ''}
          onChange={(kind) => change({ kind: kind || undefined, row: undefined })}
          options={[['', t('All kinds')] as const, ...kinds.map((k) => [k.name, k.label] as const)]}
        />
        <Checkbox label={t('Mine')} checked={filter.mine} onChange={(on) => change({ mine: on ? 1 : undefined })} />
        <Checkbox label={t('Overdue')} checked={filter.overdue} onChange={(on) => change({ overdue: on ? 1 : undefined })} />
      </div>
      <Loaded
        query={list}
        height={420}
        isEmpty={(all) => all.length === 0}
        empty={
          <Nothing
            status={status}
            narrowed={filter.kinds.length > 0 || filter.mine || filter.overdue}
            onAll={() => change({ kind: undefined, mine: undefined, overdue: undefined })}
          />
        }
      >
        {(all) => <Queue all={all} onHelp={() => setHelp(true)} paused={help} />}
      </Loaded>
      <Dialog open={help} onClose={() => setHelp(false)} title={t('Keys of the queue')}>
        <dl className={css.keys}>
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                <Kbd>{key}</Kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </Page>
  );
}

function Queue({ all, onHelp, paused }: { all: Question[]; onHelp: () => void; paused: boolean }) {
  const [search, change] = useAddress();
  const kinds = useQuery(reviewKinds()).data ?? [];
  const { decide, undo, many } = useDecide();
  const ids = all.map((r) => r.id);
  const [at, setAt] = useState(search.row && ids.includes(search.row) ? search.row : ids[0]);
  const [chosen, setChosen] = useState<string[]>([]);
  const [asked, setAsked] = useState<string | undefined>(); // the verdict whose reason or choice is asked for
  const current = all.find((r) => r.id === at) ?? all[0];
  const opened = search.row !== undefined && ids.includes(search.row);

  useEffect(() => {
    if (search.row) setAt(search.row);
  }, [search.row]);
  useEffect(() => {
    document.getElementById(`review-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [at]);

  const go = (by: number) => {
    const next = beside(ids, current?.id, by);
    setAsked(undefined);
    setAt(next);
    if (opened) change({ row: next }, { replace: true });
  };
  const show = (id: string) => {
    setAt(id);
    setAsked(undefined);
    change({ row: id }, { replace: opened });
  };
  const toggle = (id: string) => setChosen((was) => (was.includes(id) ? was.filter((x) => x !== id) : [...was, id]));
  const answer = (sense: string) => {
    if (current?.status !== 'open') return;
    const v = verdictOf(kinds, current.kind, sense);
    if (!v) return;
    const several = v.name === 'same' && (current.evidence?.candidates?.length ?? 0) > 1;
    if (v.reason || several) {
      setAsked(v.name);
      return;
    }
    decide.mutate({ id: current.id, answer: { verdict: v.name } }, { onSuccess: () => go(1) });
  };
  useKeys(
    {
      j: () => go(1),
      k: () => go(-1),
      enter: () => current && show(current.id),
      a: () => answer('approve'),
      r: () => answer('reject'),
      c: () => answer('correct'),
      u: () => current?.status === 'decided' && undo.mutate(current.id),
      x: () => current?.status === 'open' && toggle(current.id),
      '?': onHelp,
    },
    !paused,
  );

  const picked = all.filter((r) => chosen.includes(r.id));
  return (
    <>
      {picked.length > 0 ? (
        <Bulk
          picked={picked}
          kinds={kinds}
          busy={many.isPending}
          onClear={() => setChosen([])}
          onDecide={(a) => many.mutate({ ids: picked.map((r) => r.id), answer: a }, { onSuccess: () => setChosen([]) })}
        />
      ) : null}
      <div className={css.split} data-opened={opened ? true : undefined}>
        <ul className={css.list} aria-label={t('Questions')}>
          {all.map((r) => (
            <li key={r.id} id={`review-${r.id}`}>
              <Row
                r={r}
                kinds={kinds}
                on={r.id === current?.id}
                chosen={chosen.includes(r.id)}
                onOpen={() => show(r.id)}
                onToggle={() => toggle(r.id)}
              />
            </li>
          ))}
        </ul>
        {current ? (
          <Detail
            key={current.id}
            r={current}
            kinds={kinds}
            asked={asked}
            onAsk={setAsked}
            busy={decide.isPending || undo.isPending}
            onDecide={(a) => decide.mutate({ id: current.id, answer: a }, { onSuccess: () => go(1) })}
            onUndo={() => undo.mutate(current.id)}
            onBack={() => change({ row: undefined })}
          />
        ) : null}
      </div>
    </>
  );
}
