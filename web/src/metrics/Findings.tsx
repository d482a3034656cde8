import type { Finding } from '../api/queries';
import { format, inCurrency, sentence, tile, words } from '../lib/format';
import { t } from '../lib/i18n';
import { useExplain } from '../lib/state';
import { Badge } from '../ui/Card';
import { Grade } from './Grade';
import css from './metrics.module.css';
import { driversInWords, moved, prose } from './words';

/** Findings in words, with the money at stake; the headline opens its cause. */
export function Findings({ list }: { list: Finding[] }) {
  const { open } = useExplain();
  return (
    <ol className={css.findings}>
      {list.map((f) => (
        <li key={f.id} className={css.finding}>
          <div>
            <h3>
              <button type="button" onClick={() => open({ kind: 'finding', of: f.id })}>
                {prose(f.headline)}
              </button>
            </h3>
            <p>{prose(f.recommendation)}</p>
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
              {f.requires_review ? (
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
      ))}
    </ol>
  );
}
