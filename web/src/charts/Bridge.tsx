import type { ReactNode } from 'react';
import css from './charts.module.css';

export interface Step {
  id: string;
  name: ReactNode;
  detail?: string;
  /** What the step adds; of a total, its level. */
  value: number;
  text: string;
  total?: boolean;
}

/** Where each bar of a bridge begins and ends, as shares of the width. */
export function spans(steps: Step[]): { left: number; width: number }[] {
  let level = 0;
  const ends = steps.map((s) => {
    const from = s.total ? 0 : level;
    level = s.total ? s.value : level + s.value;
    return [from, level] as const;
  });
  const steps_ = ends.filter((_, i) => !steps[i]?.total).flat();
  const totals = ends.filter((_, i) => steps[i]?.total).map(([, to]) => to);
  const all = [...steps_, ...totals];
  let low = Math.min(...all);
  let high = Math.max(...all);
  // Small steps on large totals would vanish: the axis is cut around the steps, and the
  // totals are drawn as ticks, not as bars from zero.
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  low -= pad;
  high += pad;
  const at = (v: number) => (v - low) / (high - low);
  return ends.map(([from, to], i) => {
    if (steps[i]?.total) return { left: Math.max(0, at(to) - 0.004), width: 0.008 };
    return { left: at(Math.min(from, to)), width: Math.abs(at(to) - at(from)) };
  });
}

/** From one total to another, step by step; the steps add up to the difference. */
export function Bridge({ label, steps }: { label: string; steps: Step[] }) {
  const places = spans(steps);
  return (
    <ol className={css.bridge} aria-label={label}>
      {steps.map((s, i) => {
        const place = places[i] ?? { left: 0, width: 0 };
        return (
          <li key={s.id} className={css.bridgeRow} {...(s.total ? { 'data-total': true } : {})}>
            <span className={css.bridgeName}>
              {s.name}
              {s.detail ? <small>{s.detail}</small> : null}
            </span>
            <span className={css.track} aria-hidden="true">
              <span
                className={css.bar}
                data-sign={s.value < 0 ? '-' : '+'}
                {...(s.total ? { 'data-total': true } : {})}
                style={{ left: `${place.left * 100}%`, width: `${place.width * 100}%` }}
              />
            </span>
            <span className={css.bridgeValue}>{s.text}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** A bar in a table cell, as a share of the largest. */
export function InlineBar({ share }: { share: number }) {
  return (
    <span className={css.inlineBar} data-sign={share < 0 ? '-' : '+'} aria-hidden="true">
      <span style={{ width: `${Math.min(1, Math.abs(share)) * 100}%` }} />
    </span>
  );
}
