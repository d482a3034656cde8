import { useLayoutEffect, useRef } from 'react';
import css from './charts.module.css';

export interface HeatCell {
  text: string;
  label: string;
  /** −1 (far too low) to 1 (far too high), 0 in the middle; null for no value. */
  level: number | null;
}

/** A table whose cells are colored around a stated middle and print their number. */
export function HeatMap({
  caption,
  columns,
  rows,
  onCell,
  keys,
}: {
  caption: string;
  columns: string[];
  rows: { id: string; name: string; cells: HeatCell[] }[];
  onCell: (row: string, column: number) => void;
  keys: { low: string; middle: string; high: string };
}) {
  const wrap = useRef<HTMLDivElement>(null);
  // Where not all columns fit, the newest are the ones to see first.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other columns are another map
  useLayoutEffect(() => {
    if (wrap.current) wrap.current.scrollLeft = wrap.current.scrollWidth;
  }, [columns.join()]);
  return (
    <div className="stack">
      <div ref={wrap} className={css.heatWrap} tabIndex={0} role="region" aria-label={caption}>
        <table className={css.heat}>
          <caption className="sr">{caption}</caption>
          <thead>
            <tr>
              <td />
              {columns.map((c) => (
                <th key={c} scope="col">
                  {c}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.id}>
                <th scope="row" title={r.name}>
                  {r.name}
                </th>
                {r.cells.map((cell, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns are fixed
                  <td key={i}>
                    <button
                      type="button"
                      aria-label={cell.label}
                      onClick={() => onCell(r.id, i)}
                      style={colorOf(cell.level) as React.CSSProperties}
                    >
                      {cell.text}
                    </button>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={css.key}>
        <span>
          <i style={{ background: mix('good', -1) }} />
          {keys.low}
        </span>
        <span>
          <i style={{ background: 'var(--sunken)' }} />
          {keys.middle}
        </span>
        <span>
          <i style={{ background: mix('bad', 1) }} />
          {keys.high}
        </span>
      </p>
    </div>
  );
}

/** The strongest tint that leaves text on it readable (4.5:1 in both themes). */
const STRONGEST = 38;

function mix(token: 'good' | 'bad', level: number): string {
  return `color-mix(in srgb, var(--${token}) ${Math.round(Math.min(1, Math.abs(level)) * STRONGEST)}%, var(--surface))`;
}

function colorOf(level: number | null): Record<string, string> {
  if (level === null) return {};
  return { '--cell': Math.abs(level) < 0.05 ? 'var(--sunken)' : mix(level < 0 ? 'good' : 'bad', level) };
}
