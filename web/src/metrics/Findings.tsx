import type { Finding } from '../api/queries';
import type { Standing } from '../api/reviews';
import { format, inCurrency, sentence, tile, words } from '../lib/format';
import { t } from '../lib/i18n';
import { useExplain } from '../lib/state';
import { Badge } from '../ui/Card';
import { Grade } from './Grade';
import css from './metrics.module.css';
import { useJudged, useStandings } from './Standing';
import { driversInWords, moved } from './words';

/** Findings in words, with the money at stake; the headline opens its cause. Those of kinds
 * that were rejected again and again come last, rejected ones are folded. */
export function Findings({ list }: { list: Finding[] }) {
  const judged = useStandings();
  const rejected = list.filter(judged.rejected);
  const rest = list.filter((f) => !judged.rejected(f));
  const shown = [...rest.filter((f) => !judged.quiet(f)), ...rest.filter(judged.quiet)];
  return (
    <>
      <ol className={css.findings}>
        {shown.map((f) => (
          <One key={f.id} f={f} standing={judged.of(f)} quiet={judged.quiet(f)} />
        ))}
      </ol>
      {rejected.length > 0 ? (
        <details>
          <summary className="muted">{t('{{count}} rejected', { count: rejected.length })}</summary>
          <ol className={css.findings}>
            {rejected.map((f) => (
              <One key={f.id} f={f} standing={judged.of(f)} quiet={false} />
            ))}
          </ol>
        </details>
      ) : null}
    </>
  );
}

function One({ f, standing, quiet }: { f: Finding; standing: Standing | undefined; quiet: boolean }) {
  const { open } = useExplain();
  const judged = useJudged();
  return (
    <li className={css.finding}>
      <div>
        <h3>
          <button type="button" onClick={() => open({ kind: 'finding', of: f.id })}>
            {f.headline}
          </button>
        </h3>
        <p>{f.recommendation}</p>
        {standing?.decision ? (
          <p>
            <strong>{judged(standing)}</strong>
            {standing.decision.reason ? `: ${standing.decision.reason}` : ''}
          </p>
        ) : null}
        {f.comparison && moved(f.drivers ?? [], f.comparison.unit).length > 0 ? (
          <p>
            {t('Since the {{label}}: {{drivers}}', {
              label: f.comparison.label,
              drivers: driversInWords(f.drivers ?? [], inCurrency(f.comparison.unit, f.currency)),
            })}
          </p>
        ) : null}
        <div className={css.findingMeta}>
          <Badge>{sentence(words(f.kind))}</Badge>
          <Grade confidence={f.confidence} long />
          {quiet ? <Badge>{t('less insistent')}</Badge> : null}
          {f.requires_review && !standing?.decision ? (
            <Badge tone="warn" title={(f.review_rules ?? []).join('; ')}>
              {t('Review: {{rules}}', { rules: (f.review_rules ?? []).join('; ') })}
            </Badge>
          ) : null}
        </div>
      </div>
      <p className={css.stake}>
        <strong title={format(f.money_at_stake, inCurrency('money', f.currency))}>
          {tile(f.money_at_stake, inCurrency('money', f.currency))}
        </strong>
        <span>{t('at stake a year')}</span>
      </p>
    </li>
  );
}
