import { RequestError } from '../../api/client';
import type { Report, Template } from '../../api/reports';
import { t } from '../../lib/i18n';

export const STATES: Record<Report['state'], string> = {
  waiting: t('waiting'),
  running: t('being made'),
  done: t('done'),
  failed: t('failed'),
  canceled: t('canceled'),
};

export const CHANNELS: Record<string, string> = {
  download: t('fetched it'),
  notice: t('was told in the program'),
  delivery: t('was sent it'),
};

/** What a report holds, in a few words: "9 figures, 3 charts, 2 tables, findings". */
export function holds(x: Template): string {
  const n = { tiles: 0, charts: 0, tables: 0, answers: 0 };
  const more = new Set<string>();
  for (const b of (x.sections ?? []).flatMap((s) => s.blocks ?? [])) {
    if (b.tiles) n.tiles += b.tiles.measures?.length ?? 0;
    if (b.chart || b.series || b.drivers) n.charts++;
    if (b.table) n.tables++;
    if (b.answer) n.answers++;
    if (b.findings) more.add(t('findings'));
    if (b.quality) more.add(t('data quality'));
    if (b.audit) more.add(t('the record'));
    if (b.definitions) more.add(t('definitions'));
  }
  const parts = [
    n.tiles ? t('{{count}} key figures', { count: n.tiles }) : '',
    n.charts ? t('{{count}} charts', { count: n.charts }) : '',
    n.tables ? t('{{count}} tables', { count: n.tables }) : '',
    n.answers ? t('{{count}} answers', { count: n.answers }) : '',
    ...more,
  ].filter(Boolean);
  return parts.join(', ');
}

/** Something that is wrong with a template, and its line. */
export interface Fault {
  line: number;
  column: number;
  message: string;
  allowed: string[];
}

/** What the server says is wrong with a text, by line; empty when it is something else that failed. */
export function faultsOf(error: unknown): Fault[] {
  if (!(error instanceof RequestError)) return [];
  return (error.problem.errors ?? []).flatMap((e) => {
    const at = /^line (\d+)(?:, column (\d+))?/.exec(e.path ?? '');
    return at ? [{ line: Number(at[1]), column: Number(at[2] ?? 1), message: e.message, allowed: e.allowed ?? [] }] : [];
  });
}

/** Where a line of a text begins and ends. */
export function lineRange(text: string, line: number): [number, number] {
  const lines = text.split('\n');
  const at = Math.min(Math.max(line, 1), lines.length) - 1;
  const from = lines.slice(0, at).reduce((n, l) => n + l.length + 1, 0);
  return [from, from + (lines[at]?.length ?? 0)];
}

/** A text that calls itself by another name. */
export function renamed(text: string, name: string): string {
  return /^name:.*$/m.test(text) ? text.replace(/^name:.*$/m, `name: ${name}`) : `name: ${name}\n${text}`;
}

/** The name of a copy that is not taken yet. */
export function freeName(of: string, taken: readonly string[]): string {
  const base = `my-${of}`.slice(0, 36).replace(/-+$/, '');
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(name)) return name;
  }
}

/** What a new template begins as. */
export const BLANK = `name: my-report
title: My report
description: What it says, in a sentence.
for: owner
period: last_12_months
sections:
  - title: Where we stand
    blocks:
      - tiles:
          measures: [revenue, gross_margin]
      - chart:
          kind: columns
          title: How did revenue move?
          measures: [revenue]
          by: month
          order: [month]
`;
