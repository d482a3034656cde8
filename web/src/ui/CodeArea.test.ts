import { expect, test } from 'vitest';
import { indented } from './CodeArea';

const step = (marked: string, less = false) => {
  const from = marked.indexOf('[');
  const to = marked.lastIndexOf(']') - 1;
  const out = indented(marked.replace('[', '').replace(/\]([^\]]*)$/, '$1'), from, to, less);
  return `${out.text.slice(0, out.from)}[${out.text.slice(out.from, out.to)}]${out.text.slice(out.to)}`;
};

test.each([
  ['a\n[]b', false, 'a\n  []b'],
  ['a[b]c\nd', false, '  a[b]c\nd'],
  ['x\na[b\nc]d', false, 'x\n  a[b\n  c]d'],
  ['  a[b\n    c]d', true, 'a[b\n  c]d'],
  [' [a]', true, '[a]'],
  ['a[]', true, 'a[]'],
])('%j, less: %j', (before, less, after) => {
  expect(step(before, less)).toBe(after);
});
