import { describe, expect, it } from 'vitest';
import { type Entry, entryOf, grouped, type Hit, iconOf, local } from './found';

const entry = (id: string, label: string, kind: string, words = ''): Entry => ({ id, label, kind, words, run: () => {} });
const hit = (h: Partial<Hit> & Pick<Hit, 'kind' | 'label'>): Hit => ({ path: '/', score: 0.8, ...h });

const own = [
  entry('page /clients', 'Clients', 'Page', 'profit margin'),
  entry('client Harbor Dental', 'Harbor Dental', 'Client'),
  entry('theme dark', 'Dark theme', 'Action', 'look night'),
];

describe('the palette', () => {
  it('shows pages before anything is typed', () => {
    expect(local(own, ' ').map((e) => e.label)).toEqual(['Clients']);
  });

  it('finds by label, words and kind, all of them', () => {
    expect(local(own, 'night').map((e) => e.id)).toEqual(['theme dark']);
    expect(local(own, 'dark client')).toEqual([]);
  });

  it('lists what both know once, the better kind first', () => {
    const found = [
      entryOf(hit({ kind: 'client', label: 'Harbor Dental', score: 0.91 }), () => {}),
      entryOf(hit({ kind: 'staff', label: 'Dana Harbison', score: 0.95 }), () => {}),
    ];
    expect(grouped(local(own, 'harb'), found)).toMatchObject([
      { kind: 'Person', entries: [{ label: 'Dana Harbison' }] },
      { kind: 'Client', entries: [{ label: 'Harbor Dental' }] },
    ]);
  });

  it('opens a page with its filter, and a finding beside the overview', () => {
    const went: unknown[] = [];
    const go = (to: string, more?: object) => went.push([to, more]);
    entryOf(hit({ kind: 'staff', label: 'Dana', path: '/team', where: 'staff = "Dana"' }), go).run();
    entryOf(hit({ kind: 'finding', label: 'Seats', finding: 'f1' }), go).run();
    entryOf(hit({ kind: 'template', label: 'Cash', path: '/reports', template: 'cash' }), go).run();
    entryOf(hit({ kind: 'report', label: 'Cash', path: '/reports', report: 'r1' }), go).run();
    expect(went).toEqual([
      ['/team', { where: 'staff = "Dana"' }],
      ['/', { panel: { kind: 'finding', of: 'f1' } }],
      ['/reports', { preview: 'cash' }],
      ['/reports', { report: 'r1' }],
    ]);
  });

  it('keeps files apart that are called the same, and gives every kind a picture of its own', () => {
    const of = (n: number) => entryOf(hit({ kind: 'report', label: 'Cash', note: `${n} 2026, PDF`, report: `r${n}` }), () => {});
    expect(grouped([], [of(1), of(2)])).toMatchObject([{ kind: 'Report', entries: [{ note: '1 2026, PDF' }, { note: '2 2026, PDF' }] }]);
    const kinds: Hit['kind'][] = ['client', 'staff', 'agreement', 'product', 'finding', 'kpi', 'board', 'template', 'report', 'question'];
    expect(new Set(kinds.map((kind) => iconOf(entryOf(hit({ kind, label: 'x' }), () => {})))).size).toBe(kinds.length);
  });

  it('shows few of each kind while there are others', () => {
    const many = Array.from({ length: 20 }, (_, i) => entryOf(hit({ kind: 'agreement', label: `Agreement ${i}` }), () => {}));
    expect(grouped([], many)[0]?.entries).toHaveLength(20);
    expect(grouped(local(own, 'clients'), many).map((g) => g.entries.length)).toEqual([1, 6]);
  });
});
