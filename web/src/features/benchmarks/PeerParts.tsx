import type { Benchmark } from '../../api/queries';
import { day, format, sentence, type Unit } from '../../lib/format';
import { t } from '../../lib/i18n';
import { periodText } from '../../metrics/words';
import css from './benchmarks.module.css';
import { scaleOf } from './scale';
import { Track } from './Track';

/** The middle of other tenants as far as it may be told; nothing where the page says why not. */
export function TenantPeers({ peers, unit }: { peers: NonNullable<Benchmark['peers']>; unit: Unit }) {
  const { release, own } = peers;
  if (!release) return null;
  const quartiles = release.quartiles ?? [];
  const middle = quartiles.find((q) => q.quartile === 2);
  const scale = scaleOf([], [own, ...quartiles.flatMap((q) => [q.low, q.high])]);
  return (
    <div className={css.part}>
      <h3>{t('Other tenants')}</h3>
      <Track
        scale={scale}
        own={own === null ? undefined : { value: own }}
        other={middle ? { value: middle.value, low: middle.low, high: middle.high } : undefined}
      />
      <p className="small">{sentence(peers.words)}.</p>
      {quartiles.length > 1 ? (
        <p className="small">
          {quartiles
            .filter((q) => q.quartile !== 2)
            .map((q) =>
              t('{{which}} quartile about {{value}} ({{low}} to {{high}}, ε = {{epsilon}})', {
                which: q.quartile === 1 ? t('Lower') : t('Upper'),
                value: format(q.value, unit),
                low: format(q.low, unit),
                high: format(q.high, unit),
                epsilon: q.epsilon,
              }),
            )
            .join('; ')}
        </p>
      ) : null}
      <p className="muted small">
        {t(
          'n = {{n}}, ε = {{epsilon}}; drawn {{day}}; {{spent}} of ε {{budget}} spent in {{quarter}}. Each one’s last twelve complete months{{own}}.',
          {
            n: release.n,
            epsilon: release.epsilon,
            day: day(String(release.at)),
            spent: release.spent,
            budget: release.budget,
            quarter: release.quarter,
            own: own === null ? '' : t(' (yours: {{period}})', { period: periodText(peers.own_period) }),
          },
        )}
        {release.note ? ` ${sentence(release.note)}.` : ''}
      </p>
    </div>
  );
}

/** Where a client stands among the other clients; not for the client's eyes. */
export function ClientPeers({ clients: c, own, unit }: { clients: NonNullable<Benchmark['clients']>; own: string; unit: Unit }) {
  const scale = scaleOf([], [own, c.low, c.high, c.shrunken]);
  return (
    <div className={css.part}>
      <h3>{t('Other clients')}</h3>
      {c.median !== null && c.low !== null && c.high !== null ? (
        <Track scale={scale} own={{ value: own }} other={{ value: c.median, low: c.low, high: c.high }} />
      ) : null}
      <p className="small">{sentence(c.words)}.</p>
      {c.shrunken !== null ? (
        <p className="muted small">
          {t('Drawn towards them: {{value}}{{range}}', {
            value: format(c.shrunken, unit),
            range: c.interval
              ? t(' ({{low}} to {{high}})', { low: format(c.interval.low, unit), high: format(c.interval.high, unit) })
              : '',
          })}
          . {sentence(c.method)}.
        </p>
      ) : null}
    </div>
  );
}
