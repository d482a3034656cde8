import type { Reference } from '../../api/queries';

/** The stretch of values that a track shows. */
export interface Scale {
  low: number;
  high: number;
}

/** One scale for all bands of a measure, so that its sources can be compared by eye. */
export function scaleOf(references: Reference[], values: (string | null | undefined)[]): Scale {
  const edges = references.flatMap((r) => (r.threshold.bands ?? []).flatMap((b) => (b.up_to === undefined ? [] : Number(b.up_to))));
  const all = [...edges, ...values.flatMap((v) => (v === null || v === undefined ? [] : Number(v)))];
  if (all.length === 0) return { low: 0, high: 1 };
  const least = Math.min(...all);
  const most = Math.max(...all);
  const room = (most - least || Math.abs(most) || 1) * 0.15;
  return { low: least >= 0 ? Math.max(0, least - room) : least - room, high: most + room };
}

/** Where a value stands on the scale, in percent of its length. */
export function at({ low, high }: Scale, value: string | number): number {
  return Math.max(0, Math.min(100, (100 * (Number(value) - low)) / (high - low)));
}

export interface Stretch {
  from: number;
  width: number;
  verdict: 'good' | 'fair' | 'bad';
}

/** The bands as stretches of the track, from low to high. */
export function stretches(reference: Reference, scale: Scale): Stretch[] {
  let from = 0;
  return (reference.threshold.bands ?? []).map((b) => {
    const to = b.up_to === undefined ? 100 : at(scale, b.up_to);
    const one = { from, width: Math.max(0, to - from), verdict: b.verdict };
    from = to;
    return one;
  });
}
