import { expect, test } from 'vitest';
import { leversOf } from './levers';

test('levers of the server are read as the address holds them', () => {
  expect(leversOf('price +6% agreement="A (B; C)","D ""x"""')).toEqual([
    { kind: 'price', percent: '0.06', select: { agreement: ['A (B; C)', 'D "x"'] } },
  ]);
  expect(leversOf('churn client="A"; staffing +1 rate=48.5 role="Technician"')).toEqual([
    { kind: 'churn', select: { client: ['A'] } },
    { kind: 'staffing', amount: '1', rate: '48.5', select: { role: ['Technician'] } },
  ]);
  expect(leversOf('cost -100% vendor="Signal Ridge"')).toEqual([{ kind: 'cost', percent: '-1', select: { vendor: ['Signal Ridge'] } }]);
  expect(leversOf('fee 2682.75 agreement="A"')).toEqual([{ kind: 'fee', amount: '2682.75', select: { agreement: ['A'] } }]);
  expect(leversOf('nothing +1')).toEqual([]);
});
