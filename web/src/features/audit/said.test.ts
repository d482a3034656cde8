import { describe, expect, test } from 'vitest';
import { changes, groups, saidAction } from './said';

describe('what an entry says', () => {
  test('known actions have words, things too, others their own', () => {
    expect(saidAction('import.commit')).toBe('Imported a file');
    expect(saidAction('kpi.create')).toBe('Made a KPI');
    expect(saidAction('dashboard.restore')).toBe('Brought a dashboard back');
    expect(saidAction('tide_table.turn')).toBe('Tide table turn');
  });

  test('only the fields that differ are changes', () => {
    const found = changes({ before: { a: 1, b: 'x' }, after: { a: 1, b: 'y', c: [1] }, rows: 3 });
    expect(found.changed).toEqual([
      { field: 'b', before: 'x', after: 'y' },
      { field: 'c', before: '—', after: '[1]' },
    ]);
    expect(found.rest).toEqual([['rows', '3']]);
  });

  test('values that are no objects are compared as they are', () => {
    expect(changes({ before: 'a', after: 'b' }).changed).toEqual([{ field: '', before: 'a', after: 'b' }]);
    expect(changes({ before: null, after: { a: 1 } }).changed).toEqual([{ field: 'a', before: '—', after: '1' }]);
    expect(changes({}).changed).toEqual([]);
    expect(changes(null).rest).toEqual([]);
  });

  test('actions fall into groups', () => {
    expect(groups(['import.undo', 'import.commit', 'audit.key'])).toEqual(['audit.', 'import.']);
  });
});
