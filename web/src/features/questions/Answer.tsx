import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Printer } from 'lucide-react';
import { type Answer as Answered, type Asking, answerOf, questions, table } from '../../api/queries';
import { Page } from '../../app/Page';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { Sure } from '../../metrics/Grade';
import { daysOf, periodText } from '../../metrics/words';
import { IconButton } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import css from './questions.module.css';
import { said } from './said';
import { Details, Part } from './Table';

/** Pages that are called otherwise than their address. */
const PLACES: Record<string, string> = { '/scenarios': t('What if'), '/quality': t('Data quality'), '/kpis': t('KPIs & rules') };

/** One standing question: the sentence, how sure it is and why, the rows, what to do. */
export function Answer() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { search, set, days } = useView();
  const question = useQuery(questions()).data?.find((q) => q.name === name || String(q.number) === name);
  const ask: Asking = { name, period: search.period ? days : undefined, client: search.client };
  const waits = question?.of_client && !search.client;
  const query = useQuery({ ...answerOf(ask), enabled: question !== undefined && !waits && (!search.period || days !== undefined) });
  // What stands there while another answer loads is no answer to this one.
  const answer = query.data?.name === question?.name ? query.data : undefined;
  return (
    <Page
      title={question?.text ?? t('Question')}
      lead={
        <>
          <Link to="/questions" search={carried(search) as never}>
            {t('All questions')}
          </Link>
          {question ? ` · ${t('asked by: {{who}}', { who: question.asks })}` : ''}
          {answer ? ` · ${periodText(answer.period)}` : ''}
        </>
      }
      actions={
        <IconButton label={t('Print this page')} onPress={() => window.print()}>
          <Printer size={16} />
        </IconButton>
      }
    >
      <div className="stack">
        {question?.of_client ? (
          <Whom client={search.client ?? ''} onChange={(client) => set({ client: client || undefined, row: undefined })} />
        ) : null}
        {waits ? (
          <Card>
            <Empty title={t('Which client?')}>{t('This question is about one client: choose whom.')}</Empty>
          </Card>
        ) : (
          <Loaded query={query} height={480}>
            {(data) => (answer ? <Whole answer={answer} ask={ask} /> : <p className="muted">{data.name === name ? '' : t('Loading')}</p>)}
          </Loaded>
        )}
      </div>
    </Page>
  );
}

function Whom({ client, onChange }: { client: string; onChange: (next: string) => void }) {
  const all = useQuery(table({ measures: ['revenue'], by: ['client'], order: ['client'] })).data;
  const names = (all?.rows ?? []).flatMap((r) => (r[0] && r[0] !== 'unassigned' ? [r[0]] : []));
  const known = client && !names.includes(client) ? [client, ...names] : names;
  return (
    <div style={{ maxWidth: 360 }} data-no-print>
      <Select
        label={t('Client')}
        value={client}
        onChange={onChange}
        options={[['', t('Choose …')] as const, ...known.map((n) => [n, n] as const)]}
      />
    </div>
  );
}

function Whole({ answer: a, ask }: { answer: Answered; ask: Asking }) {
  const { search, set } = useView();
  const tables = a.tables ?? [];
  const [at, row] = (search.row ?? '').split('-').map(Number);
  const part = tables[at ?? -1];
  const open = part?.rows?.[row ?? -1];
  return (
    <>
      <Card>
        <p className={css.headline} data-headline>
          {said(a.headline)}
        </p>
        <Around a={a} />
      </Card>
      {tables.map((one, n) => (
        <Part key={one.title} part={one} number={n + 1} ask={ask} period={daysOf(a.period)} onOpen={(i) => set({ row: `${n}-${i}` })} />
      ))}
      <Details part={part} row={open} period={daysOf(a.period)} onClose={() => set({ row: undefined })} />
    </>
  );
}

/** How sure the answer is, what to do, what is missing, and where to go on. */
function Around({ a }: { a: Answered }) {
  const { search } = useView();
  const [to = '', query = ''] = a.place.split('?');
  const tab = new URLSearchParams(query).get('tab');
  return (
    <div className={css.parts}>
      {a.grade ? (
        <section>
          <h3>{t('How sure')}</h3>
          <Sure grade={a.grade} reasons={a.reasons ?? []} long />
          <ul className="muted small">
            {(a.reasons ?? []).map((r) => (
              <li key={r}>{said(r)}</li>
            ))}
          </ul>
        </section>
      ) : null}
      <section>
        <h3>{t('What to do')}</h3>
        {(a.next ?? []).length > 0 ? (
          <ul>
            {(a.next ?? []).map((n) => (
              <li key={n}>{said(n)}</li>
            ))}
          </ul>
        ) : null}
        <p style={{ marginTop: 8 }}>
          <Link to={to} search={{ ...carried(search), ...(tab ? { tab } : {}) } as never}>
            {t('Work on it: {{place}}', { place: PLACES[to] ?? sentence(words(to.slice(1))) })}
          </Link>
        </p>
      </section>
      {(a.missing ?? []).length > 0 ? (
        <section>
          <h3>{t('Not imported')}</h3>
          <ul>
            {(a.missing ?? []).map((m) => (
              <li key={m.dataset}>
                {sentence(words(m.dataset))}: {m.for}
              </li>
            ))}
          </ul>
          <p style={{ marginTop: 8 }}>
            <Link to="/import">{t('Import files')}</Link>
          </p>
        </section>
      ) : null}
    </div>
  );
}
