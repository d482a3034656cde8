import { Link } from '@tanstack/react-router';
import type { Finding } from '../../api/queries';
import type { Review } from '../../api/reviews';
import { sum } from '../../lib/decimal';
import { format, inCurrency, percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useExplain } from '../../lib/state';
import { DriverBridge } from '../../metrics/DriverBridge';
import { Grade, intervalText } from '../../metrics/Grade';
import { useDriverUnits } from '../../metrics/units';
import { periodText, titled } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import css from './review.module.css';

/** What a question rests on, as it was on its snapshot. */
export function Evidence({ r }: { r: Review }) {
  if (r.finding) return <OfFinding f={r.finding} identity={r.subject} />;
  if (r.rule) {
    return (
      <div className={css.evidence}>
        <p>{(r.rule.why ?? []).join(' ')}</p>
        <p className="muted small">
          {t('Rule {{rule}}, version {{version}}: {{condition}} · {{period}}', {
            rule: r.rule.rule,
            version: r.rule.version,
            condition: r.rule.condition,
            period: periodText(r.rule.period),
          })}
        </p>
      </div>
    );
  }
  if (r.change) return <OfChange c={r.change} />;
  if (r.fixes) return <OfFixes f={r.fixes} />;
  if (r.policy) return <OfPolicies p={r.policy} />;
  const e = r.evidence;
  if (!e) return null;
  return (
    <div className={css.evidence}>
      <p className="muted">
        {t('{{count}} rows of {{dataset}} from {{source}}', { count: e.rows, dataset: words(e.dataset), source: e.source })}
      </p>
      <ul>
        {(e.candidates ?? []).map((c) => (
          <li key={c.entity}>
            <strong>{c.name}</strong> <Badge>{t('{{score}} alike', { score: percent(c.score) })}</Badge>
            <p className="muted small">{(c.why ?? []).map(sentence).join('; ')}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}

function OfChange({ c }: { c: NonNullable<Review['change']> }) {
  return (
    <div className={css.evidence}>
      <p className="muted small">
        {t('Asked for from {{from}}. It is made exactly like this:', { from: c.from || t('an unknown place') })}
      </p>
      <pre className={css.change}>
        {`${c.method} ${c.path}`}
        {c.body ? `\n\n${JSON.stringify(c.body, null, 2)}` : ''}
      </pre>
    </div>
  );
}

function OfFixes({ f }: { f: NonNullable<Review['fixes']> }) {
  return (
    <div className={css.evidence}>
      <p className="muted">{t('{{dataset}} of {{file}}', { dataset: sentence(words(f.dataset)), file: f.file })}</p>
      <ul>
        {(f.fixes ?? []).map((x) => (
          <li key={x}>{sentence(x)}</li>
        ))}
      </ul>
    </div>
  );
}

function OfPolicies({ p }: { p: NonNullable<Review['policy']> }) {
  return (
    <div className={css.evidence}>
      {p.reason ? <p>{p.reason}</p> : <p className="muted">{t('Nobody said why.')}</p>}
      <ul>
        {(p.says ?? []).map((s) => (
          <li key={s}>{sentence(s)}</li>
        ))}
      </ul>
      <p>
        <Link to="/policies">{t('The texts and the history, on Roles & policies')}</Link>
      </p>
    </div>
  );
}

function OfFinding({ f, identity }: { f: Finding; identity: string }) {
  const { open } = useExplain();
  const unit = inCurrency(f.comparison?.unit ?? f.unit, f.currency);
  const own = inCurrency(f.unit, f.currency);
  const units = useDriverUnits(unit, f.currency);
  const drivers = f.drivers ?? [];
  return (
    <div className={css.evidence}>
      <div className="spread">
        <p>
          <span className={css.value}>{format(f.value, own)}</span>{' '}
          <span className="muted small">
            {titled(f.measure)} · {periodText(f.period)} · {f.interval ? intervalText(f.interval, own) : t('exact, no interval')}
          </span>
        </p>
        <Grade confidence={f.confidence} long />
      </div>
      <p>{f.recommendation}</p>
      <p className="row">
        {(f.review_rules ?? []).map((rule) => (
          <Badge key={rule} tone="warn">
            {rule}
          </Badge>
        ))}
      </p>
      {f.comparison?.value && f.comparison.change && drivers.length > 0 ? (
        <DriverBridge
          from={f.comparison.value}
          to={sum(f.comparison.value, f.comparison.change)}
          fromLabel={sentence(f.comparison.label)}
          toLabel={periodText(f.period)}
          drivers={drivers}
          unit={unit}
          units={(d) => units(d.name)}
        />
      ) : null}
      {(f.confidence.reasons ?? []).length > 0 ? (
        <ul className="muted small">
          {(f.confidence.reasons ?? []).map((why) => (
            <li key={why}>{sentence(why)}</li>
          ))}
        </ul>
      ) : null}
      <p>
        <Button kind="quiet" onPress={() => open({ kind: 'finding', of: identity })}>
          {t('The finding as it is now, with its rows')}
        </Button>
      </p>
    </div>
  );
}
