import { Button } from 'react-aria-components';
import type { Confidence, Interval } from '../api/queries';
import { format, percent, sentence, type Unit, words } from '../lib/format';
import { t } from '../lib/i18n';
import { Hint } from '../ui/Button';
import css from './metrics.module.css';

const DOTS: Record<string, number> = { high: 3, medium: 2, low: 1, no_answer: 0 };

/** How sure a value is: grade and score; the reasons on hover or focus. */
export function Grade({ confidence, long }: { confidence: Confidence; long?: boolean }) {
  return <Sure grade={confidence.grade} reasons={confidence.reasons ?? []} score={confidence.score} {...(long ? { long } : {})} />;
}

/** The same of an answer, which has a grade and no score. */
export function Sure({ grade, reasons, score, long }: { grade: string; reasons: string[]; score?: number; long?: boolean }) {
  const on = DOTS[grade] ?? 0;
  const name = grade === 'no_answer' ? t('no answer') : t('{{grade}} confidence', { grade: words(grade) });
  const text = score === undefined ? name : `${name} (${percent(score)})`;
  return (
    <Hint text={reasons.length > 0 ? `${sentence(text)}: ${reasons.join('; ')}` : sentence(text)}>
      <Button className={css.grade ?? ''} aria-label={text}>
        <span className={css.dots} aria-hidden="true">
          {[1, 2, 3].map((n) => (
            <i key={n} {...(n <= on ? { 'data-on': true } : {})} />
          ))}
        </span>
        {long ? text : <span className={css.gradeText}>{sentence(words(grade))}</span>}
      </Button>
    </Hint>
  );
}

/** "35.4–38.1% (90%)"; "exact" where nothing is estimated. */
export function intervalText(interval: Interval | null | undefined, unit: Unit): string {
  if (!interval) return '';
  const low = format(interval.low, unit, { bare: unit !== 'ratio' });
  const high = format(interval.high, unit, { bare: unit !== 'ratio' });
  return interval.level > 0
    ? t('{{low}} to {{high}} expected ({{level}})', { low, high, level: percent(interval.level) })
    : t('{{low}} to {{high}} if data is missing', { low, high });
}
