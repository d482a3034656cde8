import { expect, test } from 'vitest';
import { type Step, spans } from './Bridge';

const step = (value: number, total = false): Step => ({ id: String(Math.random()), name: '', value, text: '', total });

test('each step begins where the one before ends, and the last ends at the total', () => {
  const steps = [step(30, true), step(-42), step(2), step(-10, true)];
  const places = spans(steps);
  const [first, second] = [places[1], places[2]];
  if (!first || !second) throw new Error('missing');
  expect(second.left).toBeCloseTo(first.left, 10); // falls to −12, then rises from there
  for (const p of places) {
    expect(p.left).toBeGreaterThanOrEqual(0);
    expect(p.left + p.width).toBeLessThanOrEqual(1.0001);
  }
});

test('nothing to show is no division by zero', () => {
  for (const p of spans([step(0, true), step(0, true)])) expect(Number.isFinite(p.left + p.width)).toBe(true);
});

test('an open step is laid out by its own steps, which begin and end where it does', () => {
  const inner = [step(-50), step(8)];
  const steps = [step(30, true), { ...step(-42), id: 'labor', steps: inner }, step(2), step(-10, true)];
  const closed = spans(steps);
  const places = spans(steps, (path) => path === '/labor');
  expect([closed.length, places.length]).toEqual([4, 6]);
  const [, labor, first, second, next] = places;
  if (!labor || !first || !second || !next) throw new Error('missing');
  expect(first.left + first.width).toBeCloseTo(labor.left + labor.width, 10); // both fall from 30
  expect(second.left + second.width).toBeCloseTo(labor.left, 10); // −50 and +8 end where −42 does
  expect(next.left).toBeCloseTo(labor.left, 10);
  for (const p of places) expect(p.left).toBeGreaterThanOrEqual(0); // the scale holds the deeper fall
});
