import { act, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';
import type { Block, Preview } from '../../api/reports';
import { setConventions } from '../../lib/format';
import { DocumentView, labelOf } from './DocumentView';

let page: HTMLElement;

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  page = document.createElement('main');
  document.body.replaceChildren(page);
});

const render = (what: ReactNode) => act(() => createRoot(page).render(what));

const preview = (blocks: Block[], charts: string[] = []): Preview => ({
  charts,
  document: {
    template: 'x',
    title: 'Summary',
    period: 'June 2026',
    at: '',
    snapshot: 1,
    facts: [{ label: 'Snapshot', text: '1' }],
    layout: {},
    sections: [{ title: 'Where we stand', blocks }],
  },
});

test('figures are written as on every page', () => {
  setConventions({ locale: 'en-US', currency: 'USD' });
  render(
    <DocumentView
      preview={preview([
        {
          kind: 'tiles',
          is: {
            items: [
              {
                label: 'Gross margin',
                value: { number: '0.399015', unit: 'ratio' },
                period: '',
                change: { value: { number: '-0.011', unit: 'ratio' }, versus: 'previous 12 months', good: -1 },
              },
              { label: 'Endpoints', value: { number: null, unit: 'count', missing: 'no endpoints are imported' }, period: '' },
            ],
          },
        },
        {
          kind: 'table',
          is: {
            title: 'Clients',
            columns: [
              { name: 'client', label: 'Client', unit: 'text' },
              { name: 'month', label: 'Month', unit: 'date', months: true },
              { name: 'revenue', label: 'Revenue', unit: 'money', currency: 'EUR' },
            ],
            rows: [{ cells: ['A', '2026-06-01', '-12.5'] }, { kind: 'total', cells: ['All', null, null] }],
          },
        },
      ])}
    />,
  );
  const tiles = [...page.querySelectorAll('dl:first-of-type > div')].map((d) => d.textContent);
  expect(tiles).toEqual(['Gross margin39.9%\u22121.1\u00a0pp against the previous 12 months', 'Endpoints—no endpoints are imported']);
  expect(page.querySelector('[data-tone="bad"]')?.textContent).toContain('pp');
  expect([...page.querySelectorAll('td')].map((d) => d.textContent)).toEqual(['A', 'Jun 2026', '\u221212.50', 'All', '—', '—']);
});

test('each chart has its own picture, in words, too', () => {
  const svg = (label: string) => `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}"></svg>`;
  render(
    <DocumentView
      preview={preview(
        [
          { kind: 'chart', is: { kind: 'line', title: 'One' } },
          { kind: 'text', is: { paragraphs: ['between'] } },
          { kind: 'chart', is: { kind: 'bars', title: 'Two' } },
        ],
        [svg('One: a &lt; b'), svg('Two: c')],
      )}
    />,
  );
  expect([...page.querySelectorAll('img')].map((i) => i.getAttribute('alt'))).toEqual(['One: a < b', 'Two: c']);
  expect(labelOf('<svg></svg>')).toBeUndefined();
});

test('a long table is cut, and says so', () => {
  const rows = [...Array.from({ length: 30 }, (_, i) => ({ cells: [`row ${i}`] })), { kind: 'total', cells: ['all of them'] }];
  render(
    <DocumentView
      preview={preview([{ kind: 'table', is: { title: 'T', columns: [{ name: 'a', label: 'A', unit: 'text' }], rows, of: 40 } }])}
    />,
  );
  expect(page.textContent).toContain('5 more rows are in the file.');
  expect(page.textContent).toContain('The file shows 30 of 40.');
  expect([...page.querySelectorAll('tbody tr')].map((r) => r.textContent).slice(23)).toEqual(['row 23', 'row 24', 'all of them']);
});
