import { expect, test } from 'vitest';
import type { Reference } from '../../api/queries';
import { at, scaleOf, stretches } from './scale';

const reference = (...edges: string[]): Reference =>
  ({
    threshold: { bands: [...edges.map((up_to) => ({ up_to, label: up_to, verdict: 'bad' })), { label: 'rest', verdict: 'good' }] },
  }) as unknown as Reference;

test('sources of one measure share a scale that holds all edges and the value', () => {
  const scale = scaleOf([reference('0.2', '0.4'), reference('0.65')], ['0.9', null]);
  expect(scale.high).toBeGreaterThan(0.9);
  expect(scale.low).toBeLessThan(0.2);
  expect(scale.low).toBeGreaterThanOrEqual(0);
  expect(scaleOf([reference('0')], ['-5']).low).toBeLessThan(-5);
});

test('bands fill the track without a gap, and a value is in its band', () => {
  const scale = { low: 0, high: 1 };
  const own = stretches(reference('0.2', '0.4'), scale);
  expect(own.map((s) => [Math.round(s.from), Math.round(s.width)])).toEqual([
    [0, 20],
    [20, 20],
    [40, 60],
  ]);
  expect(at(scale, '0.3')).toBeCloseTo(30);
  expect(at(scale, '7')).toBe(100);
});

test('without any number there is a scale all the same', () => {
  expect(scaleOf([], [null])).toEqual({ low: 0, high: 1 });
  const flat = scaleOf([], ['0']);
  expect(flat.high).toBeGreaterThan(flat.low);
});
