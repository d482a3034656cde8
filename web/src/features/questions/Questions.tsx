import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { messageOf } from '../../api/client';
import { type Answer, answerOf, type Question, questions } from '../../api/queries';
import { Page } from '../../app/Page';
import { sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { Sure } from '../../metrics/Grade';
import { Card } from '../../ui/Card';
import { Loaded, Skeleton } from '../../ui/States';
import css from './questions.module.css';
import { said } from './said';

/** How many questions are asked at once: the page stands before the last is answered. */
const AT_ONCE = 2;

/** Every standing question with its answer in a sentence, grouped by who asks it. */
export function Questions() {
  const list = useQuery(questions());
  return (
    <Page
      title={t('Questions')}
      lead={t('What people ask of their numbers, answered from your data: the sentence, how sure it is, and the rows behind it.')}
    >
      <Loaded query={list} height={600}>
        {(all) => <Groups all={all ?? []} />}
      </Loaded>
    </Page>
  );
}

function Groups({ all }: { all: Question[] }) {
  const { search, days } = useView();
  const period = search.period ? days : undefined;
  const [upTo, setUpTo] = useState(AT_ONCE);
  const groups = [...new Set(all.map((q) => q.asks))];
  const order = groups.flatMap((g) => all.filter((q) => q.asks === g));
  const answers = useQueries({
    queries: order.map((q, n) => ({ ...answerOf({ name: q.name, period, top: 1 }), enabled: !q.of_client && n < upTo })),
  });
  const settled = answers.filter((a, n) => n < upTo && (order[n]?.of_client || a.isSuccess || a.isError)).length;
  useEffect(() => setUpTo((before) => Math.max(before, settled + AT_ONCE)), [settled]);
  return (
    <div className="stack">
      {groups.map((g) => (
        <Card key={g} title={sentence(g)}>
          <ul className={css.list}>
            {order.map((q, n) =>
              q.asks === g ? (
                <li key={q.name}>
                  <Link to="/questions/$name" params={{ name: q.name }} search={carried(search) as never} className={css.question}>
                    {q.text}
                  </Link>
                  <Short question={q} data={answers[n]?.data} error={answers[n]?.error} />
                </li>
              ) : null,
            )}
          </ul>
        </Card>
      ))}
    </div>
  );
}

/** The answer in a sentence. */
function Short({ question: q, data, error }: { question: Question; data: Answer | undefined; error: unknown }) {
  if (q.of_client) return <p className="muted">{t('About one client: open it and choose whom.')}</p>;
  if (error) return <p className="muted">{messageOf(error)}</p>;
  if (!data)
    return (
      <div role="status" aria-label={t('Loading')}>
        <Skeleton height={20} width="80%" />
      </div>
    );
  return (
    <div className={css.short}>
      <p>{said(data.headline)}</p>
      {data.grade ? <Sure grade={data.grade} reasons={data.reasons ?? []} /> : null}
    </div>
  );
}
