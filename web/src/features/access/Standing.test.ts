import { expect, test } from 'vitest';
import { standingOf } from './Standing';

test('who sees no client keeps seeing none when only something else is edited', () => {
  const draft = { role: 'viewer', clients: '', teams: 'Desk' };
  expect(standingOf(draft, { role: 'viewer', clients: [] })).toEqual({ role: 'viewer', clients: [], teams: ['Desk'] });
  expect(standingOf(draft)).toEqual({ role: 'viewer', teams: ['Desk'] });
  expect(standingOf(draft, { role: 'viewer', clients: ['A'] })).toEqual({ role: 'viewer', teams: ['Desk'] });
});
