import { useQuery } from '@tanstack/react-query';
import { catalog, explanation, table } from '../api/queries';
import { Sparkline } from '../charts/Sparkline';
import { format, inCurrency, sentence, tail, tile, UNKNOWN } from '../lib/format';
import { t } from '../lib/i18n';
import { addMonths, monthsIn, type Period } from '../lib/period';
import { useExplain } from '../lib/state';
import { Failure, Skeleton } from '../ui/States';
import { Delta } from './Delta';
import { useFit } from './fit';
import { Grade, intervalText } from './Grade';
import css from './metrics.module.css';

/** Months that a sparkline shows, those of the period or at least a year. */
function courseOf(days: Period): Period {
  return { from: addMonths(days.to, -Math.max(12, Math.min(24, monthsIn(days)))), to: days.to };
}

/**
 * One number that answers four questions: how much, compared with what, how sure, and (a
 * click away) why and from which rows.
 */
export function Kpi({
  measure,
  where: asked = '',
  days,
  label,
  course = true,
}: {
  measure: string;
  where?: string;
  days: Period | undefined;
  label?: string;
  course?: boolean;
}) {
  const { explain } = useExplain();
  const list = useQuery(catalog());
  const names = list.data;
  const { where, note, ready, unseen } = useFit([measure], asked);
  const x = useQuery({ ...explanation({ measure, where, period: days, brief: true }), enabled: ready && days !== undefined });
  const m = names?.measure.get(measure);
  const byMonth = m?.dimensions?.includes('month') ?? false;
  const line = useQuery({
    ...table({ measures: [measure], by: ['month'], where, period: days ? courseOf(days) : undefined, order: ['month'] }),
    enabled: ready && days !== undefined && byMonth && course,
  });
  if (unseen) return null;
  const title = label ?? m?.label ?? measure;
  const failed = [x, list].find((q) => q.isError && q.data === undefined);
  if (failed) {
    return (
      <div className={css.kpi}>
        <h3>{title}</h3>
        <Failure error={failed.error} onRetry={() => failed.refetch()} />
      </div>
    );
  }
  if (!x.data || !m) {
    return (
      <div className={css.kpi} role="status" aria-label={t('Loading')}>
        <h3>{title}</h3>
        <Skeleton height={32} width="60%" />
        <Skeleton height={32} />
      </div>
    );
  }
  const { to, change, interval, confidence } = x.data;
  const unit = inCurrency(x.data.unit, x.data.currency);
  const value = to.value ?? null;
  const shown = x.data.measure === measure;
  return (
    <article className={css.kpi} data-kpi={measure}>
      <h3>
        {title}
        <Grade confidence={confidence} />
      </h3>
      <button
        type="button"
        className={css.kpiValue}
        title={shown ? format(value, unit) : undefined}
        aria-label={
          shown && value !== null
            ? t('{{title}}: {{value}}, {{short}}. Explain', { title, value: format(value, unit), short: tile(value, unit) })
            : t('{{title}}: — unknown. Explain', { title })
        }
        onClick={() => explain(measure, where, days)}
      >
        {shown && value !== null ? tile(value, unit, { bare: true }) : UNKNOWN}
        {shown && value !== null ? <small>{tail(unit)}</small> : null}
      </button>
      <div className={css.kpiLine}>
        <span>
          <Delta change={shown ? change : null} unit={unit} direction={m.direction} versus={t('vs before')} short />
          <span className={css.kpiNote} style={{ display: 'block' }}>
            {value === null || !shown ? sentence(to.reason ?? x.data.note ?? '') : intervalText(interval, unit)}
          </span>
          {value !== null && shown && x.data.from.reason ? <span className={css.kpiNote}>{sentence(x.data.from.reason)}</span> : null}
          {note ? <span className={css.kpiNote}>{note}</span> : null}
        </span>
        {line.data ? (
          <Sparkline
            values={line.data.rows.map((r) => (r[1] === null || r[1] === undefined ? null : Number(r[1])))}
            width={92}
            label={t('Course of {{title}} by month', { title })}
          />
        ) : null}
      </div>
    </article>
  );
}

export function Kpis({ measures, where, days }: { measures: string[]; where?: string; days: Period | undefined }) {
  const fit = useFit(measures, where);
  if (fit.unseen) return null;
  return (
    <div className={css.kpis} data-count={fit.measures.length}>
      {fit.measures.map((m) => (
        <Kpi key={m} measure={m} {...(where === undefined ? {} : { where })} days={days} />
      ))}
    </div>
  );
}
