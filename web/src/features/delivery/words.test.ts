import { expect, test } from 'vitest';
import { complete, placeOf } from './words';

test('where a destination is, without what may be secret', () => {
  expect(placeOf({ kind: 'webhook', settings: { url: 'https://hooks.example.com/T0/secret?key=1' } })).toBe('https://hooks.example.com');
  expect(placeOf({ kind: 'webhook', settings: { url: 'nonsense' } })).toBe('');
  expect(placeOf({ kind: 'email', settings: { from: 'a@b.c', host: 'smtp.b.c' } })).toBe('a@b.c via smtp.b.c');
  expect(placeOf({ kind: 's3', settings: { endpoint: 'https://s3', bucket: 'b' } })).toBe('https://s3/b');
});

test('what is missing keeps a destination from being saved', () => {
  expect(complete({ name: 'x', kind: 'webhook', settings: { url: 'https://a' } }, false)).toBe(false);
  expect(complete({ name: 'x', kind: 'webhook', settings: { url: 'https://a' } }, true)).toBe(true);
  expect(complete({ name: ' ', kind: 'folder', settings: { path: '/a' } }, false)).toBe(false);
  expect(complete({ name: 'x', kind: 'email', settings: { host: 'h', from: 'a@b.c' } }, false)).toBe(true);
});
