import type { Benchmark, Reference } from '../../api/queries';
import { Sparkline } from '../../charts/Sparkline';
import { change, day, format, inCurrency, percent, sentence, type Unit, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Period } from '../../lib/period';
import { useExplain } from '../../lib/state';
import { intervalText } from '../../metrics/Grade';
import { periodText } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { CellButton } from '../../ui/DataTable';
import css from './benchmarks.module.css';
import { ClientPeers, TenantPeers } from './PeerParts';
import { scaleOf, stretches } from './scale';
import { type Mark, Track } from './Track';

const QUALITY: Record<Reference['threshold']['quality'], string> = {
  panel: t('panel of firms'),
  vendor: t('vendor'),
  consultant: t('consultant'),
  provider: t('one provider'),
  assumed: t('assumed'),
  own: t('your own'),
};

/** A figure beside the bands of every source, its own history, and peers. */
export function BenchmarkCard({ b, where, period }: { b: Benchmark; where: string; period: Period | undefined }) {
  const { explain } = useExplain();
  const unit: Unit = inCurrency(b.unit, b.currency);
  const own: Mark | undefined = b.value === null ? undefined : { value: b.value, low: b.interval?.low, high: b.interval?.high };
  const references = b.references ?? [];
  const scale = scaleOf(references, [b.value, b.interval?.low, b.interval?.high]);
  return (
    <Card
      title={b.label}
      subtitle={periodText(period)}
      actions={references.length === 0 ? <Badge>{t('no band is published')}</Badge> : undefined}
    >
      <div className={css.figure}>
        {b.value === null ? (
          <p className="muted">{sentence(b.reason ?? t('no figure'))}.</p>
        ) : (
          <>
            <CellButton
              label={t('{{label}} {{value}}. Explain', { label: b.label, value: format(b.value, unit) })}
              onPress={() => explain(b.measure, where, period)}
            >
              <strong className={css.value}>{format(b.value, unit)}</strong>
            </CellButton>
            <span className="muted small">
              {own?.low ? intervalText(b.interval, unit) : b.doubt.too_few ? t('too few to say') : t('exact')}
            </span>
          </>
        )}
      </div>
      {references.length > 0 ? (
        <ul className={css.list}>
          {references.map((r) => (
            <Source key={r.threshold.id} r={r} unit={unit}>
              <Track scale={scale} bands={stretches(r, scale)} own={r.band === null ? undefined : own} />
            </Source>
          ))}
        </ul>
      ) : (
        <p className="muted small">{t('Nobody publishes bands for it that could be shown here.')}</p>
      )}
      {b.words ? <p className="small">{sentence(b.words)}.</p> : null}
      <History b={b} unit={unit} />
      {b.peers ? <TenantPeers peers={b.peers} unit={unit} /> : null}
      {b.clients && b.value !== null ? <ClientPeers clients={b.clients} own={b.value} unit={unit} /> : null}
    </Card>
  );
}

function Source({ r, unit, children }: { r: Reference; unit: Unit; children: React.ReactNode }) {
  const bands = r.threshold.bands ?? [];
  const band = r.band === null ? undefined : bands[r.band];
  const chance = r.band === null ? undefined : (r.chances ?? [])[r.band];
  const from = r.band ? bands[r.band - 1]?.up_to : undefined;
  const range = !band
    ? ''
    : band.up_to === undefined
      ? t('from {{edge}}', { edge: format(from ?? null, unit) })
      : from === undefined
        ? t('below {{edge}}', { edge: format(band.up_to, unit) })
        : t('{{from}} to {{to}}', { from: format(from, unit), to: format(band.up_to, unit) });
  return (
    <li>
      <div className={css.says}>
        {band ? (
          <span>
            <Badge tone={band.verdict === 'fair' ? 'warn' : band.verdict}>{words(band.verdict)}</Badge> {sentence(band.label)}{' '}
            <span className="muted small">{range}</span>
          </span>
        ) : (
          <span className="muted small">{sentence(r.reason ?? '')}</span>
        )}
        {chance === undefined ? null : <span className={css.chance}>{t('{{chance}} likely', { chance: likely(chance) })}</span>}
      </div>
      {children}
      <p className="muted small">
        {t('{{who}}, {{date}}', {
          who:
            r.threshold.quality === 'assumed'
              ? sentence(r.threshold.source)
              : t('{{quality}}: {{source}}', { quality: sentence(QUALITY[r.threshold.quality]), source: r.threshold.source }),
          date: /^\d{4}-\d\d-\d\d/.test(r.threshold.date) ? day(r.threshold.date) : r.threshold.date,
        })}
        {'. '}
        {sentence(r.threshold.population)}.
      </p>
    </li>
  );
}

/** No finite number of months makes anything certain. */
function likely(chance: number): string {
  if (chance >= 0.995) return t('over 99%');
  return chance < 0.005 ? t('under 1%') : percent(chance);
}

function History({ b, unit }: { b: Benchmark; unit: Unit }) {
  const h = b.history;
  const windows = h.windows ?? [];
  if (b.value === null) return null;
  const number = (v: string | null) => (v === null ? null : Number(v));
  return (
    <div className={css.part}>
      <h3>{t('Its own history')}</h3>
      <Sparkline
        values={[...windows.map((w) => number(w.value)), number(b.value)]}
        width={160}
        label={t('{{label}} in {{count}} earlier windows and now', { label: b.label, count: windows.length })}
      />
      <p className="small">{sentence(h.words)}.</p>
      {h.change !== null && h.previous !== null ? (
        <p className="muted small">
          {t('{{change}} since {{period}}', { change: change(h.change, unit), period: periodText(h.before) })}
          {h.interval
            ? ` ${t('(perhaps {{low}} to {{high}})', { low: change(h.interval.low, unit), high: change(h.interval.high, unit) })}`
            : ''}
        </p>
      ) : null}
    </div>
  );
}
