import type { Review, ReviewKind } from '../../api/reviews';
import { day, format, inCurrency } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useNames } from '../../metrics/names';
import { Badge } from '../../ui/Card';
import { decisionText } from './decide';
import css from './review.module.css';

/** A question in the queue. */
export function Row({
  r,
  kinds,
  on,
  chosen,
  onOpen,
  onToggle,
}: {
  r: Review;
  kinds: ReviewKind[];
  on: boolean;
  chosen: boolean;
  onOpen: () => void;
  onToggle: () => void;
}) {
  const title = r.title;
  const name = useNames();
  return (
    <div className={css.row} data-on={on ? true : undefined} data-quiet={r.quiet ? true : undefined}>
      {r.status === 'open' ? (
        <input type="checkbox" checked={chosen} onChange={onToggle} aria-label={t('Select: {{title}}', { title })} />
      ) : null}
      <button type="button" onClick={onOpen} {...(on ? { 'aria-current': 'true' as const } : {})}>
        <span className={css.title}>{title}</span>
        <span className={css.meta}>
          {Number(r.money_at_stake) > 0 ? (
            <strong className="num">{format(r.money_at_stake, inCurrency('money', r.currency))}</strong>
          ) : null}
          <span className="muted small">{kinds.find((k) => k.name === r.kind)?.label ?? r.kind}</span>
          {r.weight > 1 ? <span className="muted small">{t('{{count}} rows', { count: r.weight })}</span> : null}
          {r.assignee ? <span className="muted small">{name(r.assignee)}</span> : null}
          <State r={r} kinds={kinds} />
        </span>
      </button>
    </div>
  );
}

/** Where a question stands. */
export function State({ r, kinds }: { r: Review; kinds: ReviewKind[] }) {
  const name = useNames();
  if (r.decision) {
    return (
      <span className="muted small">
        {t('{{what}} by {{who}}', { what: decisionText(kinds, r, r.decision), who: name(r.decision.by) })}
      </span>
    );
  }
  if (r.first) return <Badge tone="accent">{t('first of two: {{what}}', { what: decisionText(kinds, r, r.first) })}</Badge>;
  return (
    <>
      {r.overdue ? <Badge tone="bad">{t('overdue since {{day}}', { day: day(r.due) })}</Badge> : null}
      {!r.overdue && r.due ? <span className="muted small">{t('due {{day}}', { day: day(r.due) })}</span> : null}
      {r.four_eyes ? <Badge>{t('two people decide')}</Badge> : null}
      {r.quiet ? <Badge>{t('less insistent')}</Badge> : null}
    </>
  );
}
