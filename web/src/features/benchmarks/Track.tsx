import type { ReactNode } from 'react';
import css from './benchmarks.module.css';
import { at, type Scale, type Stretch } from './scale';

export interface Mark {
  value: string;
  low?: string | undefined;
  high?: string | undefined;
}

/** A line of values: bands behind, a range and a mark on it. What it says stands beside it in words. */
export function Track({
  scale,
  bands = [],
  own,
  other,
  children,
}: {
  scale: Scale;
  bands?: Stretch[];
  own?: Mark | undefined;
  other?: Mark | undefined;
  children?: ReactNode;
}) {
  return (
    <div className={css.track} aria-hidden="true">
      {bands.map((b) => (
        <i key={b.from} className={css.band} data-verdict={b.verdict} style={{ left: `${b.from}%`, width: `${b.width}%` }} />
      ))}
      {other ? <Range mark={other} scale={scale} kind="other" /> : null}
      {own ? <Range mark={own} scale={scale} kind="own" /> : null}
      {children}
    </div>
  );
}

function Range({ mark, scale, kind }: { mark: Mark; scale: Scale; kind: 'own' | 'other' }) {
  const low = mark.low === undefined ? undefined : at(scale, mark.low);
  const high = mark.high === undefined ? undefined : at(scale, mark.high);
  return (
    <>
      {low !== undefined && high !== undefined ? (
        <i className={css.range} data-kind={kind} style={{ left: `${low}%`, width: `${Math.max(0.5, high - low)}%` }} />
      ) : null}
      <i className={css.mark} data-kind={kind} style={{ left: `${at(scale, mark.value)}%` }} />
    </>
  );
}
