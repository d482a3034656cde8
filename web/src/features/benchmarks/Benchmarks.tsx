import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Benchmark, benchmarks } from '../../api/queries';
import { Page } from '../../app/Page';
import { write } from '../../lib/filters';
import { sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { daysOf } from '../../metrics/words';
import { Empty, Loaded, Notice } from '../../ui/States';
import { BenchmarkCard } from './BenchmarkCard';
import css from './benchmarks.module.css';
import { Participation } from './Participation';

/** Figures beside what others hold them to be, what they were, and what peers have. */
export function Benchmarks() {
  const { days, status, where, conditions } = useView();
  const nothing = status !== undefined && !status.complete.to;
  const only = conditions?.length === 1 ? conditions[0] : undefined;
  const client = only?.dimension === 'client' && only.is && only.values.length === 1 ? (only.values[0] ?? '') : '';
  const query = useQuery({ ...benchmarks({ client, period: days }), enabled: days !== undefined && status !== undefined && !nothing });
  return (
    <Page
      title={t('Benchmarks')}
      lead={
        client
          ? t('{{client}} beside published bands, its own history, and your other clients.', { client })
          : t('The firm beside published bands, its own history, and other tenants. Filter by one client to compare that one.')
      }
    >
      {nothing ? (
        <Empty title={t('Nothing to compare yet')} action={<Link to="/import">{t('Import files')}</Link>}>
          {t('Invoices and time entries of a whole month are the least.')}
        </Empty>
      ) : (
        <div className="stack">
          {where && !client ? <Notice>{t('The filter does not apply here: only one on a single client does.')}</Notice> : null}
          {client ? (
            <Notice>{t('Not for the client’s eyes: what stands under “Other clients” is made of other clients’ figures.')}</Notice>
          ) : null}
          <Loaded query={query} height={640}>
            {(r) => (
              <div className="stack">
                <p className="muted small">{r.note}</p>
                <Legend />
                <div className="stack" style={columns(360)}>
                  {(r.benchmarks ?? []).map((b) => (
                    <BenchmarkCard
                      key={b.measure}
                      b={b}
                      where={client ? write([{ dimension: 'client', is: true, values: [client] }]) : ''}
                      period={daysOf(r.period)}
                    />
                  ))}
                </div>
                {client ? null : <Participation reason={reasonOf(r.benchmarks ?? [])} />}
              </div>
            )}
          </Loaded>
        </div>
      )}
    </Page>
  );
}

/** Why no figure of others is shown, when it is the same for all. */
function reasonOf(all: Benchmark[]): string {
  const reasons = [...new Set(all.flatMap((b) => (b.peers ? [b.peers.release ? '' : (b.peers.reason ?? '')] : [])))];
  return reasons.length === 1 && reasons[0] ? `${sentence(reasons[0])}.` : '';
}

function Legend() {
  return (
    <ul className={css.legend} aria-label={t('How to read the lines')}>
      <li>
        <i className={css.key} data-kind="mark" /> {t('the figure')}
      </li>
      <li>
        <i className={css.key} data-kind="range" /> {t('where it is expected (90%)')}
      </li>
      {(['good', 'fair', 'bad'] as const).map((v) => (
        <li key={v}>
          <i className={css.key} data-verdict={v} /> {v === 'good' ? t('held good') : v === 'fair' ? t('held fair') : t('held bad')}
        </li>
      ))}
      <li>
        <i className={css.key} data-kind="other" /> {t('others: middle and range')}
      </li>
    </ul>
  );
}
