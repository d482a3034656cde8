import { Link } from '@tanstack/react-router';
import type { Confidence, Explanation } from '../api/queries';
import { format, inCurrency, percent, sentence, type Unit } from '../lib/format';
import { t } from '../lib/i18n';
import { Notice, Progress } from '../ui/States';
import { intervalText } from './Grade';
import css from './metrics.module.css';
import { spoken } from './words';

/** How sure a value is: its score and what that is made of; of a number also what is expected and probable. */
export function HowSure({ confidence, explanation }: { confidence: Confidence; explanation?: Explanation }) {
  return (
    <div className="stack">
      <p>
        {t('Score {{score}} = data quality {{quality}} × (1 − uncertainty {{half}}), then limits.', {
          score: percent(confidence.score),
          quality: percent(confidence.quality),
          half: percent(Math.min(1, confidence.half_width)),
        })}
      </p>
      {explanation?.raise ? <Raise raise={explanation.raise} /> : null}
      {explanation ? <Expected e={explanation} unit={inCurrency(explanation.unit, explanation.currency)} /> : null}
      {explanation ? <h3>{t('What the score is made of')}</h3> : null}
      <ul className={css.components}>
        {(confidence.components ?? []).map((c) => (
          <li key={c.name} className={css.component}>
            <span>
              {sentence(c.reason)}
              {c.weight === 1 ? null : <span className="muted"> {t('(weight {{weight}})', { weight: percent(c.weight) })}</span>}
            </span>
            <span className="num">{percent(c.value)}</span>
            <Progress value={c.value} label={c.reason} />
          </li>
        ))}
      </ul>
      {(confidence.reasons ?? []).length > 0 ? (
        <div>
          <h3>{t('Weakest first')}</h3>
          <ul className="muted small">
            {(confidence.reasons ?? []).map((r) => (
              <li key={r}>{sentence(r)}</li>
            ))}
          </ul>
        </div>
      ) : null}
    </div>
  );
}

/** What lifts the score most for its effort. */
function Raise({ raise }: { raise: NonNullable<Explanation['raise']> }) {
  const names = raise.component === 'client_match' && raise.words.startsWith('match ');
  return (
    <Notice>
      <span>
        <strong>{t('The cheapest way to raise it')}</strong>
        {': '}
        {t('{{action}}, from {{from}} to {{to}}.', {
          action: raise.words.replace(/: [\d.]+ → [\d.]+$/, ''),
          from: percent(raise.from),
          to: percent(raise.to),
        })}
      </span>
      <Link to={names ? '/matching' : '/import'}>{names ? t('Match the names') : t('Go to the import')}</Link>
    </Notice>
  );
}

/** What to expect of a coming period, how far the past one may be off, and what is probable. */
function Expected({ e, unit }: { e: Explanation; unit: Unit }) {
  const exact = e.band && e.band.low === e.band.high;
  return (
    <>
      {e.interval ? null : e.doubt.words ? <Notice>{sentence(e.doubt.words)}</Notice> : null}
      {e.interval || e.band ? (
        <dl className={css.facts}>
          {e.interval ? (
            <>
              <dt>{t('A coming period (expected)')}</dt>
              <dd>
                {intervalText(e.interval, unit)}
                <Method text={t('{{method}}, of {{count}} months or cases', { method: e.interval.method, count: e.doubt.n })} />
              </dd>
            </>
          ) : null}
          {e.band ? (
            <>
              <dt>{t('This period (descriptive)')}</dt>
              <dd>
                {exact ? format(e.band.low, unit) : intervalText(e.band, unit)}
                <Method text={e.band.method} />
              </dd>
            </>
          ) : null}
        </dl>
      ) : null}
      {(e.chances ?? []).length > 0 ? (
        <ul className={css.components} aria-label={t('What is probable')}>
          {(e.chances ?? []).map((c) => (
            <li key={c.name} className={css.component}>
              <span>{t('P({{measure}} < {{below}}), expected', { measure: spoken(e.measure), below: format(c.below, unit) })}</span>
              <span className="num">{percent(c.probability)}</span>
              <Progress value={c.probability} label={c.words} />
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

function Method({ text }: { text: string }) {
  return (
    <>
      <br />
      <span className="muted small">{sentence(text)}</span>
    </>
  );
}
