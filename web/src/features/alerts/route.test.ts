import { expect, test } from 'vitest';
import { hasWay, inWords, trimmed } from './route';

test('what is empty is left out: an empty list would mean nothing, a missing one all', () => {
  expect(trimmed({ name: ' a ', rules: [], users: ['user:1'], in_app: false, push: true, email: '', remind_hours: 0 })).toEqual({
    name: 'a',
    users: ['user:1'],
    push: true,
  });
  expect(hasWay({ name: 'a' })).toBe(false);
  expect(hasWay({ name: 'a', webhooks: ['x'] })).toBe(true);
});

test('a route in words', () => {
  const said = inWords(
    {
      name: 'a',
      rules: ['Loss'],
      severities: ['critical'],
      users: ['user:1'],
      roles: ['finance'],
      in_app: true,
      email: 'd1',
      quiet: [{ days: ['sat'], from: '20:00', to: '07:00' }],
      remind_hours: 24,
    },
    () => 'Kim',
    () => 'office',
  );
  expect(said).toEqual({
    of: 'Loss, if critical',
    whom: 'Kim, everybody with the role finance in the program, by office',
    when: 'quiet sat 20:00–07:00, reminds after 24 hours',
  });
  expect(inWords({ name: 'a', in_app: true }, String, String)).toEqual({
    of: 'all rules',
    whom: 'everybody who sees all figures in the program',
    when: 'at once',
  });
});
