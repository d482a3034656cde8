import { useQuery } from '@tanstack/react-query';
import { memo, type ReactNode } from 'react';
import { type Ask, catalog, currencyAt, type Table, table } from '../api/queries';
import { InlineBar } from '../charts/Bridge';
import { both, only } from '../lib/filters';
import { dimensionValue, format, inCurrency, unitLabel } from '../lib/format';
import { t } from '../lib/i18n';
import { spanOf } from '../lib/period';
import { useExplain } from '../lib/state';
import { Hint } from '../ui/Button';
import { CellButton, type Column, DataTable } from '../ui/DataTable';
import { Loaded, Notice, Unseen } from '../ui/States';
import ui from '../ui/ui.module.css';
import { Delta } from './Delta';
import { seenOf, useFit } from './fit';

type Row = (string | null)[] & { at?: number };

/**
 * A question as a table: the dimensions at the left, each number opens its explanation, an
 * empty one says why. With `changes` a column of changes against the period before stands
 * beside the measures named.
 */
export const MeasureTable = memo(function MeasureTable({
  ask: asked,
  caption,
  changes: compared = [],
  bar,
  name,
  sort,
  empty,
  maxHeight,
}: {
  ask: Ask;
  caption: string;
  changes?: string[];
  /** The measure that is also drawn as a bar. */
  bar?: string;
  /** How the first dimension's value is drawn: a link to its page. */
  name?: (value: string) => ReactNode;
  sort?: { id: string; descending: boolean };
  empty?: ReactNode;
  maxHeight?: number;
}) {
  const fit = useFit(asked.measures, asked.where, asked.by);
  const ask = seenOf(asked, fit);
  const changes = compared.filter((m) => ask.measures.includes(m));
  const drawn = bar && ask.measures.includes(bar) ? bar : undefined;
  const question = { ...ask, ...(changes.length > 0 ? { compare: 'previous' as const } : {}) };
  const on = { enabled: fit.ready && ask.period !== undefined };
  const q = useQuery({ ...table(question), ...on });
  const all = useQuery({ ...table({ ...question, by: [], order: [] }), ...on });
  if (fit.unseen) return <Unseen />;
  return (
    <Loaded
      query={q}
      height={240}
      isEmpty={(d) => d.rows.length === 0}
      empty={empty ?? <p className="muted">{t('Nothing to show for this period and filter.')}</p>}
    >
      {(data) => (
        <>
          {data.notes
            .filter((n) => !/rows in all/.test(n))
            .map((n) => (
              <Notice key={n}>{n}</Notice>
            ))}
          {fit.note ? <p className="muted small">{fit.note}</p> : null}
          <TableOf
            data={data}
            all={data.rows.length > 1 ? all.data : undefined}
            ask={ask}
            caption={caption}
            changes={changes}
            {...(drawn ? { bar: drawn } : {})}
            {...(name ? { name } : {})}
            {...(sort ? { sort } : {})}
            {...(maxHeight ? { maxHeight } : {})}
          />
        </>
      )}
    </Loaded>
  );
});

function TableOf({
  data,
  all,
  ask,
  caption,
  changes,
  bar,
  name,
  sort,
  maxHeight,
}: {
  data: Table;
  /** The same without any cut: the row of totals. */
  all: Table | undefined;
  ask: Ask;
  caption: string;
  changes: string[];
  bar?: string;
  name?: (value: string) => ReactNode;
  sort?: { id: string; descending: boolean };
  maxHeight?: number;
}) {
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const by = ask.by ?? [];
  const place = new Map(data.columns.map((c, i) => [c.name, i]));
  const rows = data.rows as Row[];
  const number = new Map(rows.map((r, i) => [r, i]));
  const spanIn = (r: Row) => by.reduce((days, d, i) => spanOf(d, r[i] ?? '', days), ask.period);
  const largest = bar ? Math.max(...rows.map((r) => Math.abs(Number(r[place.get(bar) ?? 0] ?? 0))), 0) : 0;
  const whereOf = (r: Row) => both(ask.where, ...by.map((d, i) => (names?.dimension.get(d)?.time ? '' : only(d, r[i] ?? ''))));
  const total = all?.rows[0];
  const totalOf = (name: string) => (all && total ? total[all.columns.findIndex((c) => c.name === name)] : undefined);
  const columns: Column<Row>[] = by.map((d, i) => ({
    id: d,
    ...(total && i === 0 ? { foot: t('All') } : {}),
    head: names?.dimension.get(d)?.label ?? d,
    sort: (r) => r[i] ?? '',
    cell: (r) => {
      const value = r[i] ?? '';
      return i === 0 && name && value !== 'unassigned' ? name(value) : dimensionValue(d, value);
    },
  }));
  ask.measures.forEach((measure, k) => {
    const m = names?.measure.get(measure);
    const at = place.get(measure) ?? 0;
    const unit = m?.unit ?? data.columns[at]?.unit ?? 'number';
    const unitIn = (r: Row) => inCurrency(unit, currencyAt(data, number.get(r) ?? 0, k));
    const mixed = data.currencies !== undefined && unit.startsWith('money');
    columns.push({
      id: measure,
      head: m?.label ?? measure,
      unit: mixed ? '' : unitLabel(inCurrency(unit, data.currency)),
      right: true,
      ...(all && total
        ? {
            foot: (
              <span title={all.reasons[0]?.[measure]}>
                {format(totalOf(measure), inCurrency(unit, currencyAt(all, 0, k)), { bare: !all.currencies })}
              </span>
            ),
          }
        : {}),
      sort: (r) => (r[at] === null || r[at] === undefined ? null : Number(r[at])),
      cell: (r) => {
        const value = r[at];
        if (value === null || value === undefined) {
          const why = data.reasons[number.get(r) ?? 0]?.[measure] ?? t('no value');
          return (
            <Hint text={why}>
              <CellButtonPlain label={t('No value: {{why}}', { why })} />
            </Hint>
          );
        }
        const text = format(value, unitIn(r), { bare: !mixed });
        return (
          <CellButton
            label={t('{{label}} {{value}}. Explain', { label: m?.label ?? measure, value: text })}
            negative={Number(value) < 0}
            onPress={() => explain(measure, whereOf(r), spanIn(r))}
          >
            {text}
          </CellButton>
        );
      },
    });
    if (bar === measure)
      columns.push({
        id: `${measure}-bar`,
        head: '',
        spare: true,
        cell: (r) => <InlineBar share={largest ? Number(r[at] ?? 0) / largest : 0} />,
      });
    if (changes.includes(measure)) {
      const delta = place.get(`${measure}_change`);
      columns.push({
        id: `${measure}_change`,
        head: t('Change'),
        right: true,
        ...(total
          ? {
              foot: (
                <Delta
                  change={totalOf(`${measure}_change`) ?? null}
                  unit={inCurrency(unit, all?.currency)}
                  direction={m?.direction ?? 'two_sided'}
                />
              ),
            }
          : {}),
        sort: (r) => (delta === undefined || r[delta] === null || r[delta] === undefined ? null : Number(r[delta])),
        cell: (r) => (
          <Delta change={delta === undefined ? null : (r[delta] ?? null)} unit={unitIn(r)} direction={m?.direction ?? 'two_sided'} />
        ),
      });
    }
  });
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={rows}
      rowKey={(r) => by.map((_, i) => r[i]).join('\u0000')}
      {...(sort ? { initial: sort } : {})}
      {...(maxHeight ? { maxHeight } : {})}
    />
  );
}

function CellButtonPlain({ label }: { label: string }) {
  return (
    <button type="button" className={ui.cellButton} aria-label={label}>
      —
    </button>
  );
}
