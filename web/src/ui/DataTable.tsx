import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { t } from '../lib/i18n';
import { type Sort, type SortKey, sorted } from './sort';
import css from './ui.module.css';

export interface Column<R> {
  id: string;
  head: string;
  /** Unit under the head; cells then leave it out. */
  unit?: string;
  right?: boolean;
  /** What sorting compares; without it the column is not sortable. */
  sort?: (row: R) => SortKey;
  cell: (row: R) => ReactNode;
  foot?: ReactNode;
  /** Only a picture of its neighbor: left out where there is little room. */
  spare?: boolean;
}

/** Below this many rows all are drawn; above, only those in view. */
const DRAWN = 40;

/**
 * A table that sorts by its heads, scrolls with a fixed head and draws at most some 60 rows
 * of any number. The caption says what it shows.
 */
export function DataTable<R>({
  caption,
  columns,
  rows,
  rowKey,
  initial,
  sort: given,
  onSort,
  maxHeight = 560,
}: {
  caption: string;
  columns: Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
  initial?: Sort;
  sort?: Sort | undefined;
  onSort?: (next: Sort) => void;
  maxHeight?: number;
}) {
  const [own, setOwn] = useState<Sort | undefined>(initial);
  const sort = given ?? own;
  const wrap = useRef<HTMLDivElement>(null);

  const key = columns.find((c) => c.id === sort?.id)?.sort;
  // biome-ignore lint/correctness/useExhaustiveDependencies: key is found anew on each draw; its id stands for it
  const order = useMemo(
    () => (key && sort ? sorted(rows, key, sort.descending) : rows.map((_, i) => i)),
    [rows, sort?.id, sort?.descending],
  );

  const virtual = rows.length > DRAWN;
  const rowHeight = 36;
  const window_ = useVirtualizer({
    count: virtual ? order.length : 0,
    getScrollElement: () => wrap.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  });
  const items = window_.getVirtualItems();
  const shown = virtual ? items.map((v) => v.index) : order.map((_, i) => i);
  const before = virtual ? (items[0]?.start ?? 0) : 0;
  const after = virtual ? window_.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;

  const turn = (c: Column<R>) => {
    const next = { id: c.id, descending: sort?.id === c.id ? !sort.descending : Boolean(c.right) };
    setOwn(next);
    onSort?.(next);
  };
  const feet = columns.some((c) => c.foot !== undefined);

  return (
    <div
      ref={wrap}
      className={css.tableWrap}
      {...(virtual ? { 'data-virtual': true } : {})}
      style={{ maxHeight: virtual ? maxHeight : undefined }}
      tabIndex={0}
      role="region"
      aria-label={caption}
    >
      <table className={css.table} aria-rowcount={rows.length + 1}>
        <caption className="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => {
              const on = sort?.id === c.id;
              const text = (
                <>
                  {c.head}
                  {c.unit ? <span className="muted small">({c.unit})</span> : null}
                </>
              );
              return (
                <th
                  key={c.id}
                  scope="col"
                  {...(c.right ? { 'data-right': true } : {})}
                  {...(c.spare ? { 'data-spare': true } : {})}
                  {...(c.sort ? { 'aria-sort': on ? (sort?.descending ? 'descending' : 'ascending') : 'none' } : {})}
                >
                  {c.sort ? (
                    <button type="button" onClick={() => turn(c)}>
                      {text}
                      {on ? sort?.descending ? <ArrowDown size={12} aria-hidden="true" /> : <ArrowUp size={12} aria-hidden="true" /> : null}
                    </button>
                  ) : (
                    <span>{text}</span>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {before > 0 ? (
            <tr>
              <td colSpan={columns.length} style={{ height: before, padding: 0, border: 0 }} />
            </tr>
          ) : null}
          {shown.map((at) => {
            const row = rows[order[at] ?? 0];
            if (row === undefined) return null;
            return (
              <tr key={rowKey(row)} aria-rowindex={at + 2}>
                {columns.map((c) => (
                  <td
                    key={c.id}
                    {...(c.right ? { 'data-right': true } : { 'data-text': true })}
                    {...(c.spare ? { 'data-spare': true } : {})}
                  >
                    {c.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 ? (
            <tr>
              <td colSpan={columns.length} style={{ height: after, padding: 0, border: 0 }} />
            </tr>
          ) : null}
          {rows.length === 0 ? (
            <tr>
              <td colSpan={columns.length} className="muted">
                {t('Nothing to show for this period and filter.')}
              </td>
            </tr>
          ) : null}
        </tbody>
        {feet ? (
          <tfoot>
            <tr>
              {columns.map((c) => (
                <td key={c.id} {...(c.right ? { 'data-right': true } : {})} {...(c.spare ? { 'data-spare': true } : {})}>
                  {c.foot}
                </td>
              ))}
            </tr>
          </tfoot>
        ) : null}
      </table>
    </div>
  );
}

/** A number in a cell that opens its explanation. */
export function CellButton({
  children,
  label,
  negative,
  onPress,
}: {
  children: ReactNode;
  label: string;
  negative?: boolean;
  onPress: () => void;
}) {
  return (
    <button type="button" className={`${css.cellButton} ${negative ? css.neg : ''}`} aria-label={label} onClick={onPress}>
      {children}
    </button>
  );
}
