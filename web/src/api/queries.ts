import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Period } from '../lib/period';
import { api, type Schemas, unwrap } from './client';

export type Status = Schemas['StatusAnswer'];
export type Finding = Schemas['InsightFinding'];
export type Explanation = Schemas['InsightExplanation'];
export type Confidence = Schemas['InsightConfidence'];
export type Driver = Schemas['InsightDriver'];
export type Interval = Schemas['InsightInterval'];
export type Benchmark = Schemas['InsightBenchmark'];
export type Reference = Schemas['InsightReference'];
export type PeerStatus = Schemas['InsightPeerStatus'];
export type Measure = Schemas['MeasureAnswer'];
export type Dimension = Schemas['DimensionAnswer'];
export type ImportRecord = Schemas['DatasetImport'];
export type ImportResult = Schemas['DatasetImportResult'];
export type Noticed = Schemas['DatasetFinding'];
export type Reject = Schemas['DatasetReject'];
export type ColumnUse = Schemas['DatasetColumnUse'];
export type FieldOf = Schemas['FieldAnswer'];
export type Fix = Schemas['DatasetFix'];
export type QualityReport = Schemas['DatasetQualityReport'];
export type SnapshotInfo = Schemas['SnapshotAnswer'];
export type Question = Schemas['QuestionQuestion'];
export type Answer = Schemas['QuestionAnswer'];
export type AnswerTable = Schemas['QuestionTable'];
export type AnswerRow = Schemas['QuestionRow'];
export type AnswerColumn = Schemas['QuestionColumn'];
export type AuditEntry = Schemas['AuditEntry'];
export type AuditState = Schemas['AuditState'];
export type AuditVerdict = Schemas['AuditVerdict'];
export type SourceRows = Schemas['MetricSourceRows'];

/** What a page asks the semantic layer. */
export interface Ask {
  measures: string[];
  by?: string[];
  where?: string;
  period?: Period | undefined;
  compare?: 'previous' | undefined;
  order?: string[];
  limit?: number;
}

/** An answer with its rows as text, numbers as decimal strings. */
export interface Table {
  columns: { name: string; unit: string; type: string }[];
  rows: (string | null)[][];
  reasons: Record<string, string>[];
  notes: string[];
  currency: string;
  /** When the amounts are in several: by row that of each measure asked for. */
  currencies: string[][] | undefined;
  snapshot: number;
  rowCount: number;
  sourceRows: number;
  dataThrough: string;
  partialMonth: string;
  asOf: string;
  period: Period;
}

/** The one decoding of a query's answer. */
export function tableOf(r: Schemas['MetricResult']): Table {
  return {
    columns: r.columns ?? [],
    rows: (r.rows ?? []) as (string | null)[][],
    reasons: (r.reasons ?? []).map((x) => x ?? {}),
    notes: r.notes ?? [],
    currency: r.currency ?? '',
    currencies: r.currencies?.map((x) => x ?? []),
    snapshot: r.snapshot,
    rowCount: r.row_count,
    sourceRows: r.source_rows,
    dataThrough: r.data_through,
    partialMonth: r.partial_month ?? '',
    asOf: r.as_of ?? '',
    period: { from: String(r.period.from ?? ''), to: String(r.period.to ?? '') },
  };
}

/** The currency of a measure's amounts in a row, the measure by its place in the question. */
export function currencyAt(data: Table, row: number, measure: number): string {
  return data.currencies?.[row]?.[measure] ?? data.currency;
}

/** The parameters of a question as the API takes them. */
export function parameters(ask: Ask): Record<string, string> {
  const out: Record<string, string> = { measures: ask.measures.join(',') };
  if (ask.by?.length) out.by = ask.by.join(',');
  if (ask.where) out.where = ask.where;
  if (ask.period) {
    out.from = ask.period.from;
    out.to = ask.period.to;
  }
  if (ask.compare) out.compare = ask.compare;
  if (ask.order?.length) out.order = ask.order.join(',');
  if (ask.limit) out.limit = String(ask.limit);
  return out;
}

/** Every key begins with "data" when a new snapshot may change the answer. */
export const status = () =>
  queryOptions({ queryKey: ['data', 'status'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/status', { signal })) });

export const catalog = () =>
  queryOptions({
    queryKey: ['catalog'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const c = await unwrap(api.GET('/api/v1/metrics', { signal }));
      const measures = c.measures ?? [];
      const dimensions = c.dimensions ?? [];
      return {
        measures,
        dimensions,
        measure: new Map(measures.map((m) => [m.name, m])),
        dimension: new Map(dimensions.map((d) => [d.name, d])),
      };
    },
  });

export const table = (ask: Ask) =>
  queryOptions({
    queryKey: ['data', 'query', parameters(ask)],
    queryFn: async ({ signal }) => tableOf(await unwrap(api.GET('/api/v1/query', { params: { query: parameters(ask) as never }, signal }))),
    placeholderData: keepPreviousData,
  });

export interface Cell {
  measure: string;
  where?: string | undefined;
  period?: Period | undefined;
  versus?: 'previous' | 'year_ago' | 'portfolio' | 'where' | 'snapshot' | undefined;
  /** The condition of the other cell, with versus "where". */
  other?: string | undefined;
  /** The earlier snapshot, with versus "snapshot". */
  snapshot?: number | undefined;
  /** Levels of drivers, 1 without. */
  depth?: number | undefined;
  /** What the drivers of the first levels are told apart by. */
  by?: string[] | undefined;
  /** Only the values, without the drivers of a measure that adds up. */
  brief?: boolean;
}

export const explanation = (cell: Cell) =>
  queryOptions({
    queryKey: ['data', 'explain', cell],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/explain', {
          params: {
            query: {
              measure: cell.measure,
              where: cell.where ?? '',
              from: cell.period?.from ?? '',
              to: cell.period?.to ?? '',
              versus: cell.versus ?? '',
              ...(cell.other ? { other_where: cell.other } : {}),
              ...(cell.snapshot ? { versus_snapshot: cell.snapshot } : {}),
              ...(cell.depth ? { depth: cell.depth } : {}),
              ...(cell.by?.length ? { by: [cell.by.join(',')] } : {}),
              brief: cell.brief ?? false,
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const findings = (period?: Period) =>
  queryOptions({
    queryKey: ['data', 'findings', period ?? null],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/insights', { params: { query: { from: period?.from ?? '', to: period?.to ?? '' } }, signal }))) ?? [],
    placeholderData: keepPreviousData,
  });

export const rows = (cell: Cell, cursor: number, limit: number) =>
  queryOptions({
    queryKey: ['data', 'rows', cell, cursor, limit],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/query/rows', {
          params: {
            query: {
              measure: cell.measure,
              where: cell.where ?? '',
              from: cell.period?.from ?? '',
              to: cell.period?.to ?? '',
              cursor,
              limit,
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const imports = () =>
  queryOptions({
    queryKey: ['data', 'imports'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/imports', { params: { query: { limit: 200 } }, signal }))).items ?? [],
  });

export const importRecord = (id: number) =>
  queryOptions({
    queryKey: ['data', 'import', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/imports/{id}', { params: { path: { id } }, signal })),
  });

export const rejects = (id: number) =>
  queryOptions({
    queryKey: ['data', 'rejects', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/imports/{id}/rejects', { params: { path: { id }, query: { limit: 1000 } }, signal })),
  });

export const datasets = () =>
  queryOptions({
    queryKey: ['data', 'datasets'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/datasets', { signal }))) ?? [],
  });

/** An import of several files; its progress comes as events, see features/import. */
export const batch = (id: string) =>
  queryOptions({
    queryKey: ['batch', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/batches/{id}', { params: { path: { id } }, signal })),
  });

/** What is kept of how files of a form are read. */
export const mappings = () =>
  queryOptions({
    queryKey: ['data', 'mappings'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/mappings', { signal }))).items ?? [],
  });

export type Source = Schemas['InboxSource'];
export type SourceSpec = Schemas['InboxSpec'];
export type SourceFile = Schemas['InboxFile'];

/** Where files come from by themselves. */
export type Retained = Schemas['GovernDue'];
export type Held = Schemas['GovernHold'];
export type PersonRequest = Schemas['GovernRequest'];

export const inventory = () =>
  queryOptions({
    queryKey: ['governance', 'inventory'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/governance/inventory', { signal }))).items ?? [],
  });

export const retention = () =>
  queryOptions({
    queryKey: ['governance', 'retention'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/governance/retention', { signal }))).items ?? [],
  });

export const holds = () =>
  queryOptions({
    queryKey: ['governance', 'holds'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/governance/holds', { signal }))).items ?? [],
  });

export const people = (q: string) =>
  queryOptions({
    queryKey: ['governance', 'people', q],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/governance/people', { params: { query: { q } }, signal }))).items ?? [],
    enabled: q.trim().length > 1,
  });

export const requests = () =>
  queryOptions({
    queryKey: ['governance', 'requests'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/governance/requests', { signal }))).items ?? [],
  });

export const erasurePreview = (id: string) =>
  queryOptions({
    queryKey: ['governance', 'preview', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/governance/requests/{id}/preview', { params: { path: { id } }, signal })),
  });

export const sources = () =>
  queryOptions({
    queryKey: ['data', 'sources'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/sources', { signal }))).items ?? [],
  });

export const sourceFiles = (id: string) =>
  queryOptions({
    queryKey: ['data', 'sources', id, 'files'],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/sources/{id}/files', { params: { path: { id }, query: { limit: 200 } }, signal }))).items ?? [],
  });

/** A file that was sent. */
export const upload = (id: string) =>
  queryOptions({
    queryKey: ['upload', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/uploads/{id}', { params: { path: { id } }, signal })),
  });

/** The fields that a table has. */
export const fields = (dataset: string) =>
  queryOptions({
    queryKey: ['fields', dataset],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/datasets/{name}/fields', { params: { path: { name: dataset } }, signal }))).items ?? [],
  });

export const aliases = (kind: 'client' | 'staff' | 'product') =>
  queryOptions({
    queryKey: ['data', 'aliases', kind],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/aliases', { params: { query: { kind } }, signal }))).items ?? [],
  });

/** How fit the stored data is. */
export const quality = () =>
  queryOptions({ queryKey: ['data', 'quality'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/quality', { signal })) });

export const snapshots = () =>
  queryOptions({
    queryKey: ['data', 'snapshots'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/snapshots', { params: { query: { limit: 200 } }, signal }))).items ?? [],
  });

export const closedMonths = () =>
  queryOptions({
    queryKey: ['data', 'closed'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/closed-months', { signal }))).items ?? [],
  });

export type DashboardItem = Schemas['ItemAnswer'];
export type DashboardAnswer = Schemas['DashboardAnswer'];
export type DashboardContent = Schemas['WorkspaceDashboard'];
export type Tile = Schemas['WorkspaceTile'];
export type View = Schemas['ViewAnswer'];
export type SettingsOf = Schemas['WorkspaceSettings'];

export const dashboards = (deleted = false) =>
  queryOptions({
    queryKey: ['dashboards', deleted],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/dashboards', { params: { query: { limit: 500, deleted } }, signal }))).items ?? [],
  });

export const dashboard = (id: string) =>
  queryOptions({
    queryKey: ['dashboard', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/dashboards/{id}', { params: { path: { id } }, signal })),
  });

export const dashboardTemplates = () =>
  queryOptions({
    queryKey: ['dashboard-templates'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/dashboards/templates', { signal }))).items ?? [],
  });

export const views = () =>
  queryOptions({
    queryKey: ['views'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/views', { params: { query: { limit: 500 } }, signal }))).items ?? [],
  });

export const settings = () =>
  queryOptions({ queryKey: ['settings'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/settings', { signal })) });

export const feedback = () =>
  queryOptions({
    queryKey: ['feedback'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/feedback', { params: { query: { limit: 200 } }, signal })),
  });

export const adoption = (days: number) =>
  queryOptions({
    queryKey: ['usage', days],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/usage', { params: { query: { days } }, signal }))).items ?? [],
  });

export type Series = Schemas['InsightSeries'];
export type SystemState = Schemas['SystemAnswer'];

export const series = (cell: Cell) =>
  queryOptions({
    queryKey: ['data', 'series', cell],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/series', {
          params: { query: { measure: cell.measure, where: cell.where ?? '', from: cell.period?.from ?? '', to: cell.period?.to ?? '' } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const system = () =>
  queryOptions({ queryKey: ['data', 'system'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/system', { signal })), staleTime: 0 });

/** What changed between two snapshots; without `other` the one before. */
export const comparison = (id: number, other?: number) =>
  queryOptions({
    queryKey: ['data', 'comparison', id, other ?? 0],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/snapshots/{id}/compare', { params: { path: { id }, query: other ? { with: other } : {} }, signal })),
  });

/** A question now and as it was in an earlier snapshot. */
export const restated = (cell: Cell, by: string[], before: number) =>
  queryOptions({
    queryKey: ['data', 'restated', cell, by, before],
    queryFn: async ({ signal }) =>
      tableOf(
        await unwrap(
          api.GET('/api/v1/query', {
            params: {
              query: {
                ...parameters({ measures: [cell.measure], by, where: cell.where ?? '', period: cell.period, order: by }),
                versus_snapshot: before,
              } as never,
            },
            signal,
          }),
        ),
      ),
  });

export type Lever = Schemas['ScenarioLever'];
export type LeverKind = Schemas['ScenarioKindInfo'];
export type ScenarioDefinition = Schemas['ScenarioDefinition'];
export type ScenarioResult = Schemas['ScenarioResult'];
export type ScenarioItem = Schemas['ScenarioAnswer'];

/** The kinds of changes that a what-if has. */
export const leverKinds = () =>
  queryOptions({
    queryKey: ['levers'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/scenarios/levers', { signal }))).items ?? [],
  });

/** A period under other terms. */
export const outcome = (definition: ScenarioDefinition) =>
  queryOptions({
    queryKey: ['data', 'scenario', definition],
    queryFn: ({ signal }) => unwrap(api.POST('/api/v1/scenarios/run', { body: definition, signal })),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const scenarios = (deleted = false) =>
  queryOptions({
    queryKey: ['scenarios', deleted],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/scenarios', { params: { query: { limit: 500, deleted } }, signal }))).items ?? [],
  });

export const scenario = (id: string) =>
  queryOptions({
    queryKey: ['scenario', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/scenarios/{id}', { params: { path: { id } }, signal })),
  });

/** Saved scenarios side by side. */
export const compared = (ids: string[]) =>
  queryOptions({
    queryKey: ['data', 'compared', ids],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/scenarios/compare', { params: { query: { id: ids.join(',') } }, signal }))).items ?? [],
  });

export type TrendReport = Schemas['InsightTrendReport'];
export type Correlation = Schemas['InsightCoefficient'];

/** A measure over all complete months. */
export const trendOf = (ask: { measure: string; where: string }) =>
  queryOptions({
    queryKey: ['data', 'trend', ask],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/trend', { params: { query: ask }, signal })),
    placeholderData: keepPreviousData,
  });

/** What stands out of many series. */
export const anomaliesOf = (ask: { measures: string[]; by: string; where: string }) =>
  queryOptions({
    queryKey: ['data', 'anomalies', ask],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/anomalies', { params: { query: { measures: ask.measures.join(','), by: ask.by, where: ask.where } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

/** How measures go together. */
export const correlationsOf = (ask: { measures: string[]; by: string; where: string; period: Period | undefined }) =>
  queryOptions({
    queryKey: ['data', 'correlations', ask],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/correlations', {
          params: {
            query: {
              measures: ask.measures.join(','),
              by: ask.by,
              where: ask.where,
              from: ask.period?.from ?? '',
              to: ask.period?.to ?? '',
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export type Kpi = Schemas['MetricKPIState'];
export type KpiDraft = Schemas['KpiBody'];
export type KpiVersion = Schemas['MetricKPIVersion'];
export type DefinitionUser = Schemas['MetricUser'];
export type Segment = Schemas['MetricSegmentState'];
export type SegmentDraft = Schemas['SegmentBody'];
export type Rule = Schemas['MetricRule'];
export type RuleDraft = Schemas['RuleBody'];
export type RuleHit = Schemas['InsightHit'];
export type FiscalCalendar = Schemas['MetricCalendar'];

/** The tenant's own measures. */
export const kpis = () =>
  queryOptions({
    queryKey: ['data', 'kpis'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/kpis', { signal }))).items ?? [],
  });

export const kpi = (name: string) =>
  queryOptions({
    queryKey: ['data', 'kpi', name],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/kpis/{name}', { params: { path: { name } }, signal })),
  });

export const kpiVersions = (name: string) =>
  queryOptions({
    queryKey: ['data', 'kpi', name, 'versions'],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/kpis/{name}/versions', { params: { path: { name } }, signal }))).items ?? [],
  });

/** How each function of formulas is written. */
export const kpiFunctions = () =>
  queryOptions({
    queryKey: ['kpi-functions'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/kpis/functions', { signal }))).functions ?? [],
  });

/** What a draft of a KPI would say. */
export const kpiPreview = (draft: KpiDraft) =>
  queryOptions({
    queryKey: ['data', 'kpi-preview', draft],
    queryFn: async ({ signal }) => {
      const p = await unwrap(api.POST('/api/v1/kpis/preview', { body: draft, signal }));
      return { unit: p.unit, uses: p.uses ?? [], dimensions: p.dimensions ?? [], total: tableOf(p.total), months: tableOf(p.months) };
    },
    retry: false,
  });

/** Saved conditions. */
export const segments = () =>
  queryOptions({
    queryKey: ['data', 'segments'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/segments', { signal }))).items ?? [],
  });

/** The tenant's own rules. */
export const rules = () =>
  queryOptions({
    queryKey: ['data', 'rules'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/rules', { signal }))).items ?? [],
  });

/** When rules held and for whom. */
export const ruleHits = () =>
  queryOptions({
    queryKey: ['data', 'rule-hits'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/rules/hits', { params: { query: { limit: 500 } }, signal }))).items ?? [],
  });

/** What rules put before people and nobody has decided. */
export const ruleReviews = () =>
  queryOptions({
    queryKey: ['data', 'rule-reviews'],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/rules/reviews', { params: { query: { limit: 200, status: 'open' } }, signal }))).items ?? [],
  });

export const fiscalCalendar = () =>
  queryOptions({ queryKey: ['data', 'calendar'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/calendar', { signal })) });
export type RepriceSheet = Schemas['InsightRepriceSheet'];
export type Reprice = Schemas['InsightReprice'];
export type Reclaim = Schemas['InsightReclaim'];
export type Reconciliation = Schemas['InsightReconciliation'];
export type RevenueTie = Schemas['InsightRevenueTie'];
export type LaborTie = Schemas['InsightLaborTie'];
export type Ranking = Schemas['InsightRanking'];
export type Ranked = Schemas['InsightRanked'];
export type Threshold = Schemas['MetricThreshold'];

/** What the prices of a sheet are set for; what is left out takes its default. */
export type RepriceAsk = { [K in 'margin' | 'efficiency' | 'rate' | 'notice_days' | 'cap']?: string | undefined };

/** What each running agreement should cost a month. */
export const reprices = (period: Period | undefined, set: RepriceAsk) =>
  queryOptions({
    queryKey: ['data', 'reprices', period ?? null, set],
    queryFn: ({ signal }) => {
      const { notice_days, ...rest } = set;
      const query = {
        from: period?.from ?? '',
        to: period?.to ?? '',
        ...rest,
        ...(notice_days ? { notice_days: Number(notice_days) } : {}),
      };
      return unwrap(api.GET('/api/v1/reprices', { params: { query: query as never }, signal }));
    },
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Wasted seats by the day until which they can be returned, as they are before a day. */
export const reclaims = (to: string) =>
  queryOptions({
    queryKey: ['data', 'reclaims', to],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/reclaims', { params: { query: { to } }, signal })),
    placeholderData: keepPreviousData,
  });

/** Revenue beside the ledger and labor beside payroll. */
export const reconciliation = (period: Period | undefined) =>
  queryOptions({
    queryKey: ['data', 'reconciliation', period ?? null],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/reconciliations', { params: { query: { from: period?.from ?? '', to: period?.to ?? '' } }, signal })),
    placeholderData: keepPreviousData,
  });

/** Figures beside published bands, their own history and peers; of one client when it is named. */
export const benchmarks = (ask: { client: string; period: Period | undefined }) =>
  queryOptions({
    queryKey: ['data', 'benchmarks', ask],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/benchmarks', {
          params: { query: { client: ask.client, from: ask.period?.from ?? '', to: ask.period?.to ?? '' } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Whether this tenant takes part in the comparison with others. */
export const peers = () =>
  queryOptions({ queryKey: ['data', 'peers'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/peers', { signal })) });

/** The standing questions of a provider's people, by number. */
/** What fits a part of a name; findings may still be computed, then it is asked again. */
export const searched = (text: string) =>
  queryOptions({
    queryKey: ['search', text],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/search', { params: { query: { q: text, limit: 60 } }, signal })),
    enabled: text !== '',
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pending ? 1000 : false),
  });

export const questions = () =>
  queryOptions({
    queryKey: ['questions'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/questions', { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What an answer is asked for; without a period the question takes its own. */
export interface Asking {
  name: string;
  period?: Period | undefined;
  client?: string | undefined;
  /** The most rows of a table; all of them without it. */
  top?: number;
}

const askingOf = ({ period, client, top }: Asking) => ({
  ...(period ? { from: period.from, to: period.to } : {}),
  ...(client ? { client } : {}),
  ...(top ? { top } : {}),
});

/** The answer of a standing question. */
export const answerOf = (ask: Asking) =>
  queryOptions({
    queryKey: ['data', 'answer', ask],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/questions/{name}', { params: { path: { name: ask.name }, query: askingOf(ask) as never }, signal })),
    placeholderData: keepPreviousData,
  });

/** Where a table of an answer is fetched as a file. */
export const answerFile = (ask: Asking, table: number, format: string) =>
  `/api/v1/questions/${encodeURIComponent(ask.name)}/export?${new URLSearchParams({
    ...(askingOf(ask) as Record<string, string>),
    table: String(table),
    format,
  })}`;

/** The members of a dimension, those first that are worst most probably. */
export const ranking = (ask: { measure: string; by: string; where: string; period: Period | undefined }) =>
  queryOptions({
    queryKey: ['data', 'ranking', ask],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/rankings', {
          params: {
            query: { measure: ask.measure, by: ask.by, where: ask.where, from: ask.period?.from ?? '', to: ask.period?.to ?? '' } as never,
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** A measure's tables, known gaps and the bands that its values are held to lie in. */
export const definitionOf = (measure: string) =>
  queryOptions({
    queryKey: ['data', 'definition', measure],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/metrics/{name}', { params: { path: { name: measure } }, signal })),
  });

export type ClientRisk = Schemas['InsightClientRisk'];
export type ProjectRisk = Schemas['InsightProjectRisk'];
export type RiskComponent = Schemas['InsightRiskComponent'];
export type RiskFigure = Schemas['InsightRiskFigure'];
export type RiskMissing = Schemas['InsightRiskMissing'];

/** What is at risk with each client, by component. */
export const clientRisks = (period: Period | undefined) =>
  queryOptions({
    queryKey: ['data', 'client-risks', period ?? null],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/v1/client-risks', { params: { query: { from: period?.from ?? '', to: period?.to ?? '' } }, signal })),
    placeholderData: keepPreviousData,
  });

/** Open projects and how they are expected to come out, as they are before a day. */
export const projectRisks = (to: string) =>
  queryOptions({
    queryKey: ['data', 'project-risks', to],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/project-risks', { params: { query: { to } }, signal })),
    placeholderData: keepPreviousData,
  });

/** What a search of the audit record asks for. */
export interface AuditAsk {
  actor?: string | undefined;
  action?: string | undefined;
  search?: string | undefined;
  from?: string | undefined;
  /** The first day not included. */
  to?: string | undefined;
}

/** The parameters of a search as the API takes them. */
export function auditParameters(ask: AuditAsk): Record<string, string> {
  return Object.fromEntries(Object.entries(ask).filter((e): e is [string, string] => Boolean(e[1])));
}

export const auditEntries = (ask: AuditAsk) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'entries', auditParameters(ask)],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/audit', {
          params: { query: { ...auditParameters(ask), order: 'newest', limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });

export const auditState = () =>
  queryOptions({ queryKey: ['audit', 'state'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/audit/state', { signal })) });

export type Rights = Schemas['RightsAnswer'];
export type RoleOf = Schemas['RoleAnswer'];
export type RoleDraft = Schemas['RoleBody'];
export type PolicyVersion = Schemas['AccessPolicyVersion'];
export type Effect = Schemas['AccessEffect'];
export type PolicyOf = Schemas['AccessPolicy'];

/** What one may see and do; all of the app asks it. */
export const rights = () => queryOptions({ queryKey: ['rights'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/rights', { signal })) });

export const roles = () =>
  queryOptions({
    queryKey: ['policies', 'roles'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/roles', { signal }))).items ?? [],
  });

export const policies = () =>
  queryOptions({ queryKey: ['policies', 'current'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/policies', { signal })) });

export const policyVersions = () =>
  queryOptions({
    queryKey: ['policies', 'versions'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/policies/versions', { signal }))).items ?? [],
  });

/** Whether a role may do something, limits as they are asked about. */
export interface WhyAsk {
  role: string;
  action: string;
  resource?: string | undefined;
  clients?: string[] | undefined;
  teams?: string[] | undefined;
}

export const decision = (ask: WhyAsk) =>
  queryOptions({
    queryKey: ['policies', 'why', ask],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/policies/why', {
          params: {
            query: {
              role: ask.role,
              action: ask.action,
              ...(ask.resource ? { resource: ask.resource } : {}),
              ...(ask.clients ? { clients: ask.clients } : {}),
              ...(ask.teams ? { teams: ask.teams } : {}),
            },
          },
          signal,
        }),
      ),
  });
