import { useQuery } from '@tanstack/react-query';
import { catalog, currencyAt, table } from '../../api/queries';
import { InlineBar } from '../../charts/Bridge';
import { write } from '../../lib/filters';
import { dimensionValue, format, inCurrency } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress, useView } from '../../lib/state';
import metrics from '../../metrics/metrics.module.css';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/States';
import css from './explore.module.css';

const SHOWN = 8;
const BOARDS = 6;

/** The first values of other dimensions; a click filters, Alt and a click leaves out. */
export function Leaderboards({ measure, dimensions }: { measure: string; dimensions: string[] }) {
  if (dimensions.length === 0) return null;
  return (
    <div className={css.boards}>
      {dimensions.slice(0, BOARDS).map((d) => (
        <Board key={d} measure={measure} dimension={d} />
      ))}
    </div>
  );
}

function Board({ measure, dimension }: { measure: string; dimension: string }) {
  const { days, where, conditions, filter } = useView();
  const [search, set] = useAddress();
  const names = useQuery(catalog()).data;
  const m = names?.measure.get(measure);
  const d = names?.dimension.get(dimension);
  // A board shows what could be chosen: its own condition does not narrow it.
  const others = conditions ? write(conditions.filter((c) => c.dimension !== dimension)) : where;
  const q = useQuery({
    ...table({ measures: [measure], by: [dimension], where: others, period: days, order: [`-${measure}`] }),
    enabled: days !== undefined && Boolean(m),
  });
  const own = conditions?.find((c) => c.dimension === dimension);
  const toggle = (value: string, out: boolean) => {
    if (!conditions) return;
    if (own?.values.includes(value)) {
      set({ where: write(conditions.map((c) => (c === own ? { ...c, values: c.values.filter((v) => v !== value) } : c))) });
    } else filter(dimension, value, !out);
  };
  return (
    <Card
      title={d?.label ?? dimension}
      level={3}
      subtitle={m?.label}
      actions={
        <Button kind="quiet" onPress={() => set({ by: [...(search.by ?? []), dimension].slice(-3) })}>
          {t('Cut by')}
        </Button>
      }
    >
      <Loaded query={q} height={200} isEmpty={(x) => x.rows.length === 0} empty={<p className="muted small">{t('No values.')}</p>}>
        {(data) => {
          const largest = Math.max(...data.rows.map((r) => Math.abs(Number(r[1] ?? 0))), 0);
          return (
            <ul className={metrics.board}>
              {data.rows.slice(0, SHOWN).map((r, i) => {
                const value = r[0] ?? '';
                const on = own?.values.includes(value) ?? false;
                return (
                  <li key={value}>
                    <button
                      type="button"
                      className={metrics.boardRow}
                      aria-pressed={on}
                      title={t('Click: only this. Alt+click: all but this.')}
                      onClick={(e) => toggle(value, e.altKey)}
                      {...(own && own.is !== on ? { 'data-out': true } : {})}
                    >
                      <span className={metrics.boardName}>{dimensionValue(dimension, value)}</span>
                      <InlineBar share={largest ? Number(r[1] ?? 0) / largest : 0} />
                      <span className="num">
                        {format(r[1], inCurrency(m?.unit ?? 'number', currencyAt(data, i, 0)), { bare: data.currencies === undefined })}
                      </span>
                    </button>
                  </li>
                );
              })}
              {data.rows.length > SHOWN ? (
                <li className="muted small">{t('{{count}} more: cut by it to see all', { count: data.rows.length - SHOWN })}</li>
              ) : null}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}
