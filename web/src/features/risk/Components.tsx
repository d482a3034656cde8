import { Link } from '@tanstack/react-router';
import type { RiskComponent, RiskFigure, RiskMissing } from '../../api/queries';
import { format, inCurrency, integer, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useAddress } from '../../lib/state';
import { intervalText } from '../../metrics/Grade';
import { STATES } from '../../metrics/riskStates';
import { StateBadge } from '../../metrics/StateBadge';
import { daysOf } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { CellButton } from '../../ui/DataTable';
import { Notice } from '../../ui/States';
import css from './risk.module.css';

/** The names of the components in a state, or a dash. */
export function Names({ of, state }: { of: RiskComponent[]; state: RiskComponent['state'] }) {
  const own = of.filter((c) => c.state === state);
  const { tone } = STATES[state];
  if (own.length === 0) return <span className="muted">—</span>;
  return (
    <span className={css.names}>
      {own.map((c) => (
        <Badge key={c.name} {...(tone ? { tone } : {})} title={c.words}>
          {NAMES[c.name] ?? c.label}
        </Badge>
      ))}
    </span>
  );
}

/** Short names; the whole label stands where a component is opened. */
const NAMES: Record<string, string> = { dependence: t('One technician') };

/** A risk opened: each component with its figures, their limits and what to do next. */
export function Components({ list }: { list: RiskComponent[] }) {
  return (
    <>
      {list.map((c) => (
        <section key={c.name} className={css.part} aria-label={c.label}>
          <h3>
            {c.label} <StateBadge state={c.state} />
          </h3>
          <p>{c.words}</p>
          <dl className={css.figures}>
            {(c.figures ?? []).map((f) => (
              <Figure key={`${f.name} ${f.label}`} f={f} />
            ))}
          </dl>
          {c.step && c.state !== 'unknown' ? <Notice>{c.step}</Notice> : null}
        </section>
      ))}
    </>
  );
}

/** A figure with how sure it is and the limit that it is held against; its value leads to the rows. */
function Figure({ f }: { f: RiskFigure }) {
  const [search, set] = useAddress();
  const unit = inCurrency(f.unit, f.currency);
  const measure = f.query.measures?.[0] ?? '';
  const sure = [
    f.interval ? intervalText(f.interval, unit) : '',
    ...(f.chances ?? []).map((c) => sentence(c.words)),
    f.n_of && f.n > 0 ? t('{{what}}: {{count}}', { what: sentence(f.n_of), count: f.n }) : '',
    f.value === null ? '' : sentence(f.how_sure),
  ].filter(Boolean);
  const value = f.unit === 'count' ? integer(Number(f.value)) : format(f.value, unit);
  return (
    <div>
      <dt>{f.label}</dt>
      <dd>
        {f.value === null ? (
          <strong>—</strong>
        ) : (
          <CellButton
            label={t('{{label}} {{value}}: where it comes from', { label: f.label, value })}
            negative={Number(f.value) < 0}
            onPress={() =>
              set({
                row: undefined,
                panel: {
                  kind: 'explain',
                  of: measure,
                  ...(f.query.where ? { where: f.query.where } : {}),
                  ...(f.query.period.from && f.query.period.to ? { days: daysOf(f.query.period) } : {}),
                  tab: 'rows',
                },
              })
            }
          >
            {value}
          </CellButton>
        )}{' '}
        {f.state ? <StateBadge state={f.state} /> : null}
        {f.reason ? <span className={css.small}>{sentence(f.reason)}.</span> : null}
        {sure.length > 0 ? <span className={css.small}>{sure.join('. ')}.</span> : null}
        {f.limit ? (
          <span className={css.small}>
            {t('Limits: {{words}}. {{source}}', { words: f.limit.words, source: sourceOf(f) })}{' '}
            {f.limit.measure ? (
              <Link to="/definitions/$measure" params={{ measure: f.limit.measure }} search={carried(search) as never}>
                {t('Change')}
              </Link>
            ) : null}
          </span>
        ) : null}
      </dd>
    </div>
  );
}

function sourceOf(f: RiskFigure): string {
  const { kind, source } = f.limit as { kind: string; source: string };
  if (kind === 'S') return t('Source: {{source}}.', { source });
  return kind === 'own' ? t('Your own: {{source}}.', { source }) : t('{{source}}.', { source: sentence(source) });
}

/** How a list comes about, what is not in it and what would tell more. */
export function HowItComes({
  rule,
  notInIt,
  missing,
  notes,
}: {
  rule: string;
  notInIt: string[];
  missing: RiskMissing[];
  notes: string[];
}) {
  const [search] = useAddress();
  return (
    <Card title={t('How does this list come about?')}>
      <p>{rule}</p>
      {missing.map((m) => (
        <p key={m.dataset}>
          <Link to="/import" search={carried(search) as never}>
            {t('Import {{dataset}}', { dataset: m.dataset.replaceAll('_', ' ') })}
          </Link>{' '}
          {t('to know {{what}}.', { what: m.tells })}
        </p>
      ))}
      <h3 className={css.head}>{t('Not in it')}</h3>
      <ul className={css.list}>
        {notInIt.map((n) => (
          <li key={n}>{sentence(n)}</li>
        ))}
      </ul>
      {notes.map((n) => (
        <p key={n} className="muted small">
          {sentence(n)}.
        </p>
      ))}
    </Card>
  );
}
