import { shifted } from '../../lib/decimal';
import type { LeverState } from '../../lib/state';

const KINDS: readonly string[] = ['price', 'fee', 'hours', 'pay', 'staffing', 'churn', 'cost', 'seats'];

const isKind = (word: string): word is LeverState['kind'] => KINDS.includes(word);

/**
 * A lever as the server writes it, such as `price +6% client="A","B"`, as the address of a
 * what-if holds it; undefined when it is none. A quote within a value is written twice.
 */
export function leverOf(text: string): LeverState | undefined {
  const parts = text.match(/(?:[^\s"]|"(?:[^"]|"")*")+/g) ?? [];
  const [kind = '', ...rest] = parts;
  if (!isKind(kind)) return undefined;
  const lever: LeverState = { kind };
  for (const part of rest) {
    const [, dimension, values] = /^(\w+)=(.*)$/s.exec(part) ?? [];
    if (dimension === 'rate' && values) lever.rate = values;
    else if (dimension && values) lever.select = { ...lever.select, [dimension]: valuesOf(values) };
    else if (part.endsWith('%')) {
      const share = shifted(part.slice(0, -1).replace(/^\+/, ''), -2);
      if (share !== undefined) lever.percent = share;
    } else lever.amount = part.replace(/^\+/, '');
  }
  return lever;
}

/** `"A","B ""x"""` is A and B "x". */
function valuesOf(text: string): string[] {
  return (text.match(/"(?:[^"]|"")*"/g) ?? []).map((v) => v.slice(1, -1).replaceAll('""', '"'));
}

/** All levers of a scenario, which stand with a semicolon between them. */
export function leversOf(text: string): LeverState[] {
  const parts = text.match(/(?:[^;"]|"(?:[^"]|"")*")+/g) ?? [];
  return parts.flatMap((p) => leverOf(p.trim()) ?? []);
}
