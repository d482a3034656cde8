import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import * as v from 'valibot';
import { type Status, status } from '../api/queries';
import { type Condition, include, read, write } from './filters';
import { addMonths, DEFAULT_PERIOD, isPeriod, type Period, resolve } from './period';
import { used } from './usage';

const day = v.pipe(v.string(), v.isoDate());
const days = v.object({ from: day, to: day });
/** Names of measures or dimensions, each once. */
const names = v.pipe(
  v.array(v.string()),
  v.transform((all) => [...new Set(all)]),
);

const panel = v.object({
  kind: v.picklist(['explain', 'finding']),
  /** Explain: the measure. Finding: its id. */
  of: v.string(),
  where: v.optional(v.string()),
  days: v.optional(days),
  versus: v.optional(v.picklist(['previous', 'year_ago', 'portfolio', 'where'])),
  /** The condition of the other cell that it is compared with, with versus "where". */
  other: v.optional(v.pipe(v.string(), v.maxLength(4000))),
  /** Why: the dimension that drivers are told apart by first; its inputs without one. */
  by: v.optional(v.string()),
  /** History: the earlier snapshot. */
  snapshot: v.optional(v.number()),
  tab: v.optional(v.string()),
  /** Rows: which base measure. */
  base: v.optional(v.string()),
});

export type Panel = v.InferOutput<typeof panel>;

/** A change of a what-if, as the API takes it. */
const lever = v.object({
  kind: v.picklist(['price', 'fee', 'hours', 'pay', 'staffing', 'churn', 'cost', 'seats']),
  percent: v.optional(v.string()),
  amount: v.optional(v.string()),
  rate: v.optional(v.string()),
  select: v.optional(v.record(v.string(), v.array(v.string()))),
});

export type LeverState = v.InferOutput<typeof lever>;

/** What every page's address may hold. What is not valid is dropped, never an error. */
const shared = v.object({
  period: v.fallback(v.optional(v.pipe(v.string(), v.check(isPeriod))), undefined),
  where: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(4000))), undefined),
  panel: v.fallback(v.optional(panel), undefined),
  tab: v.fallback(v.optional(v.string()), undefined),
  sort: v.fallback(v.optional(v.string()), undefined),
  kiosk: v.fallback(v.optional(v.number()), undefined),
  cycle: v.fallback(v.optional(v.number()), undefined),
  // Explore
  measures: v.fallback(v.optional(names), undefined),
  by: v.fallback(v.optional(names), undefined),
  pivot: v.fallback(v.optional(v.string()), undefined),
  show: v.fallback(v.optional(v.picklist(['table', 'bars', 'pivot', 'trend'])), undefined),
  compare: v.fallback(v.optional(v.picklist(['previous'])), undefined),
  /** The measure that a pivot shows. */
  marked: v.fallback(v.optional(v.string()), undefined),
  edit: v.fallback(v.optional(v.number()), undefined),
  // What if
  levers: v.fallback(v.optional(v.array(lever)), undefined),
  /** Of scenarios side by side. */
  ids: v.fallback(v.optional(names), undefined),
  // Action sheets
  /** What prices are set for, as the API takes it. */
  reprice: v.fallback(
    v.optional(
      v.object({
        margin: v.optional(v.string()),
        efficiency: v.optional(v.string()),
        rate: v.optional(v.string()),
        notice_days: v.optional(v.string()),
        cap: v.optional(v.string()),
      }),
    ),
    undefined,
  ),
  // Roles & policies
  /** What is asked about a role: whether it may do something, and why. */
  why: v.fallback(
    v.optional(
      v.object({
        role: v.string(),
        action: v.string(),
        resource: v.optional(v.string()),
        clients: v.optional(v.array(v.string())),
        teams: v.optional(v.array(v.string())),
      }),
    ),
    undefined,
  ),
  // Review
  /** Only questions of this kind. */
  kind: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(40))), undefined),
  mine: v.fallback(v.optional(v.number()), undefined),
  overdue: v.fallback(v.optional(v.number()), undefined),
  // Questions
  /** Whom a question is about. */
  client: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(400))), undefined),
  /** Of a sheet: the row whose details are open; of deliveries, the one that is shown alone. */
  row: v.fallback(v.optional(v.string()), undefined),
  // Reports
  /** The file whose panel is open. */
  report: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(40))), undefined),
  /** The template that is looked at. */
  preview: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(40))), undefined),
  /** The template that a file is made of. */
  make: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(40))), undefined),
  /** The template that a new one begins as. */
  copy: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(40))), undefined),
  /** The open form of a schedule: of one that there is, or a new one with what is chosen already. */
  schedule: v.fallback(
    v.optional(
      v.object({
        id: v.optional(v.string()),
        template: v.optional(v.string()),
        client: v.optional(v.string()),
        currency: v.optional(v.string()),
        formats: v.optional(names),
      }),
    ),
    undefined,
  ),
  // Audit record
  audit: v.fallback(
    v.optional(
      v.object({
        actor: v.optional(v.pipe(v.string(), v.maxLength(200))),
        action: v.optional(v.pipe(v.string(), v.maxLength(100))),
        search: v.optional(v.pipe(v.string(), v.maxLength(200))),
        from: v.optional(day),
        /** The last day shown. */
        until: v.optional(day),
      }),
    ),
    undefined,
  ),
});

export type Search = { [K in keyof v.InferOutput<typeof shared>]?: v.InferOutput<typeof shared>[K] };

/** What is not valid stays as a key without a value: the router would put back a missing one. */
export function validateSearch(input: Record<string, unknown>): Search {
  const nothing = Object.fromEntries(Object.keys(input).map((key) => [key, undefined]));
  return { ...nothing, ...v.parse(shared, input) } as Search;
}

type Change = { [K in keyof Search]?: Search[K] | undefined };

/**
 * Changes parts of the address's search; undefined removes a part. Sure asks nothing about a form
 * that holds what is not saved: it is saved, or given up by a button that says so.
 */
function useChange(): (change: Change | ((before: Search) => Change), opt?: { replace?: boolean; sure?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, opt) => {
      navigate({
        to: '.',
        replace: opt?.replace ?? false,
        ignoreBlocker: opt?.sure ?? false,
        resetScroll: false,
        search: ((before: Search) => {
          const next: Record<string, unknown> = { ...before, ...(typeof change === 'function' ? change(before) : change) };
          for (const key of Object.keys(next)) if (next[key] === undefined || next[key] === '') delete next[key];
          return next;
        }) as never,
      });
    },
    [navigate],
  );
}

/** The address's search without its panel, which opens above a page and is nothing new to it. */
const pageOf = ({ panel: _, ...rest }: Search) => rest;

type PageSearch = ReturnType<typeof pageOf>;

/** The address's search but for the panel, and a way to change parts of it. */
export function useAddress(): [PageSearch, ReturnType<typeof useChange>] {
  const search = useSearch({ strict: false, select: pageOf as never, structuralSharing: true as never }) as PageSearch;
  return [search, useChange()];
}

/** What of the address goes along from page to page. */
export function carried(search: PageSearch): Search {
  return { ...(search.period ? { period: search.period } : {}), ...(search.where ? { where: search.where } : {}) };
}

/** The global period and filter of the page. */
export function useView() {
  const [search, set] = useAddress();
  const { data } = useQuery(status());
  const text = search.period ?? DEFAULT_PERIOD;
  const complete = useMemo(() => (data ? monthsOf(data) : undefined), [data]);
  const days = useMemo(() => resolve(text, complete), [text, complete]);
  const where = search.where ?? '';
  const conditions = useMemo(() => read(where), [where]);
  return {
    search,
    set,
    status: data,
    period: text,
    days,
    complete,
    where,
    conditions,
    filter: (dimension: string, value: string, is = true) => {
      const base: Condition[] = conditions ?? [];
      if (conditions === undefined) return;
      set({ where: write(include(base, dimension, value, is)) });
    },
  };
}

/**
 * The months that default periods end with: the complete ones, before there is any the year
 * up to the newest month of the data, or up to this month when nothing has a date.
 */
function monthsOf(s: Status): Period {
  if (s.complete.to) return { from: String(s.complete.from), to: String(s.complete.to) };
  const end = addMonths(String(s.data_through ?? s.today), 1);
  return { from: addMonths(end, -12), to: end };
}

/** Opens the panel that explains a number or finding. */
export function useExplain() {
  const set = useChange();
  return useMemo(
    () => ({
      open: (next: Panel) => {
        used(`panel.${next.kind}`);
        set({ panel: next });
      },
      explain: (of: string, where: string, period: Period | undefined, more: Partial<Panel> = {}) => {
        used('panel.explain');
        set({ panel: { kind: 'explain', of, ...(where ? { where } : {}), ...(period ? { days: period } : {}), ...more } });
      },
      /** Within the open panel: the way back leads out of it, not through its tabs. */
      move: (next: Partial<Panel>) =>
        set((before) => ({ panel: before.panel ? { ...before.panel, ...next } : undefined }), { replace: true }),
      close: () => set({ panel: undefined }),
    }),
    [set],
  );
}

/** The open panel. */
export function usePanel(): Panel | undefined {
  return useSearch({ strict: false, select: ((s: Search) => s.panel) as never, structuralSharing: true as never }) as Panel | undefined;
}
