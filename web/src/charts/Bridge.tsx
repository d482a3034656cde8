import { ChevronRight } from 'lucide-react';
import { type CSSProperties, type ReactNode, useState } from 'react';
import css from './charts.module.css';

export interface Step {
  id: string;
  name: ReactNode;
  detail?: string;
  /** What the step adds; of a total, its level. */
  value: number;
  text: string;
  total?: boolean;
  /** What makes up the step; they add up to its value. */
  steps?: Step[];
}

/** A step where it begins and ends, and those that it is opened into. */
interface Placed {
  step: Step;
  /** Its ids from the outermost step on. */
  path: string;
  from: number;
  to: number;
  open: Placed[];
}

/** Steps one after the other from a level on; those that are open hold their own. */
function placed(steps: Step[], isOpen: (path: string) => boolean, above = '', start = 0): Placed[] {
  let level = start;
  return steps.map((step) => {
    const from = step.total ? 0 : level;
    level = step.total ? step.value : level + step.value;
    const path = `${above}/${step.id}`;
    return { step, path, from, to: level, open: isOpen(path) ? placed(step.steps ?? [], isOpen, path, from) : [] };
  });
}

/** The places of a scale: small steps on large totals would vanish, so it is cut around the steps. */
function scaleOf(all: Placed[]): (v: number) => number {
  const ends = (list: Placed[]): number[] => list.flatMap((p) => [...(p.step.total ? [p.to] : [p.from, p.to]), ...ends(p.open)]);
  const values = ends(all);
  let low = Math.min(...values);
  let high = Math.max(...values);
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  low -= pad;
  high += pad;
  return (v) => (v - low) / (high - low);
}

/** Where a bar begins and ends, as shares of the width; totals are ticks, not bars from zero. */
function span(p: Placed, at: (v: number) => number): { left: number; width: number } {
  if (p.step.total) return { left: Math.max(0, at(p.to) - 0.004), width: 0.008 };
  return { left: at(Math.min(p.from, p.to)), width: Math.abs(at(p.to) - at(p.from)) };
}

/** Where each bar of a bridge begins and ends, those of open steps after the step's own. */
export function spans(steps: Step[], isOpen: (path: string) => boolean = () => false): { left: number; width: number }[] {
  const all = placed(steps, isOpen);
  const at = scaleOf(all);
  const flat = (list: Placed[]): Placed[] => list.flatMap((p) => [p, ...flat(p.open)]);
  return flat(all).map((p) => span(p, at));
}

/** From one total to another, step by step; the steps add up to the difference, and those of a step to it. */
export function Bridge({ label, steps }: { label: string; steps: Step[] }) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const all = placed(steps, (path) => opened.has(path));
  const toggle = (path: string) =>
    setOpened((before) => {
      const next = new Set(before);
      if (!next.delete(path)) next.add(path);
      return next;
    });
  return <Rows label={label} rows={all} at={scaleOf(all)} toggle={toggle} depth={0} />;
}

function Rows({
  label,
  rows,
  at,
  toggle,
  depth,
}: {
  label?: string;
  rows: Placed[];
  at: (v: number) => number;
  toggle: (path: string) => void;
  depth: number;
}) {
  return (
    <ol className={css.bridge} {...(label ? { 'aria-label': label } : {})}>
      {rows.map((p) => {
        const { step: s, open } = p;
        const place = span(p, at);
        return (
          <li key={s.id} className={css.bridgeRow} {...(s.total ? { 'data-total': true } : {})}>
            <span className={css.bridgeName} style={{ '--depth': depth } as CSSProperties}>
              {s.steps?.length ? (
                <button type="button" className={css.opener} aria-expanded={open.length > 0} onClick={() => toggle(p.path)}>
                  {s.name}
                  <ChevronRight size={14} aria-hidden="true" />
                </button>
              ) : (
                s.name
              )}
              {s.detail ? <small>{s.detail}</small> : null}
            </span>
            <span className={css.track} aria-hidden="true">
              <span
                className={css.bar}
                data-sign={s.value < 0 ? '-' : '+'}
                {...(s.total ? { 'data-total': true } : {})}
                {...(depth > 0 ? { 'data-inner': true } : {})}
                style={{ left: `${place.left * 100}%`, width: `${place.width * 100}%` }}
              />
            </span>
            <span className={css.bridgeValue}>{s.text}</span>
            {open.length > 0 ? <Rows rows={open} at={at} toggle={toggle} depth={depth + 1} /> : null}
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
