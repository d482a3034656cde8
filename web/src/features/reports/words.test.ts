import { expect, test } from 'vitest';
import { RequestError } from '../../api/client';
import type { Template } from '../../api/reports';
import { faultsOf, freeName, holds, lineRange, renamed } from './words';

const refused = (...errors: { path: string; message: string; allowed?: string[] }[]) =>
  new RequestError({ title: '', status: 422, detail: 'no', errors });

test('faults have their line', () => {
  const error = refused(
    { path: 'line 4, column 5', message: 'unknown field "titl"' },
    { path: 'line 12, sections[0].blocks[1].tiles.measures[0]', message: 'there is no measure', allowed: ['revenue'] },
    { path: 'client', message: 'no' },
  );
  expect(faultsOf(error)).toEqual([
    { line: 4, column: 5, message: 'unknown field "titl"', allowed: [] },
    { line: 12, column: 1, message: 'there is no measure', allowed: ['revenue'] },
  ]);
  expect(faultsOf(new Error('x'))).toEqual([]);
});

test('a line of a text', () => {
  const text = 'a\nbcd\n\ne';
  expect([1, 2, 3, 4, 9, 0].map((n) => text.slice(...lineRange(text, n)))).toEqual(['a', 'bcd', '', 'e', 'e', 'a']);
});

test('a copy has a name of its own', () => {
  expect(freeName('audit', [])).toBe('my-audit');
  expect(freeName('audit', ['my-audit', 'my-audit-2'])).toBe('my-audit-3');
  expect(freeName('a'.repeat(40), []).length).toBeLessThanOrEqual(40);
  expect(renamed('# x\nname: audit\ntitle: name: no\n', 'mine')).toBe('# x\nname: mine\ntitle: name: no\n');
  expect(renamed('title: x\n', 'mine')).toBe('name: mine\ntitle: x\n');
});

test('what a report holds, in words', () => {
  const of = (...blocks: object[]) => holds({ sections: [{ title: 's', blocks }] } as unknown as Template);
  expect(of({ tiles: { measures: ['a', 'b'] } }, { chart: {} }, { series: {} }, { table: {} }, { findings: {} })).toBe(
    '2 key figures, 2 charts, 1 table, findings',
  );
  expect(of({ text: {} })).toBe('');
});
