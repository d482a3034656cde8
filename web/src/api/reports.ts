import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, type Schemas, send, unwrap } from './client';
import { download } from './files';

export type Template = Schemas['ReportTemplate'];
export type TemplateWithText = Schemas['ReportTemplateAnswer'];
export type FormatOf = Schemas['ReportFormat'];
export type Report = Schemas['ReportReport'];
export type Schedule = Schemas['ReportSchedule'];
export type ScheduleSpec = Schemas['ReportScheduleSpec'];
export type Recipient = Schemas['ReportRecipient'];
export type Brand = Schemas['ReportBrand'];
export type Reproduction = Schemas['ReportReproduction'];

/** A figure of a document. */
export interface Value {
  number: string | null;
  unit: string;
  currency?: string;
  missing?: string;
}

export interface Range {
  low: string;
  high: string;
  level: number;
  of?: string;
}

interface Origin {
  period?: string;
  grade?: string;
  reasons?: string[];
  explain?: string[];
}

export interface TextBlock extends Origin {
  title?: string;
  tone?: string;
  paragraphs?: string[];
  items?: string[];
}

export interface Tile {
  label: string;
  value: Value;
  period: string;
  grade?: string;
  interval?: Range | null;
  change?: { value: Value; versus: string; good: number } | null;
  note?: string;
}

export interface TilesBlock extends Origin {
  title?: string;
  items: Tile[];
}

export interface TableBlock extends Origin {
  title: string;
  note?: string;
  columns: { name: string; label: string; unit: string; currency?: string; months?: boolean }[];
  rows: { kind?: string; cells: (string | null)[]; currency?: string; why?: string }[];
  of?: number;
}

export interface ChartBlock extends Origin {
  kind: string;
  title: string;
  subtitle?: string;
}

export interface FindingBlock extends Origin {
  headline: string;
  subject: string;
  value: Value;
  interval?: Range | null;
  stake: Value;
  drivers?: { name: string; value: Value }[];
  versus?: string;
  recommendation?: string;
  assumptions?: string[];
  review?: string;
  reference: string;
}

/** A part of a section; document.Section writes each with its kind. */
export type Block =
  | { kind: 'text'; is: TextBlock }
  | { kind: 'tiles'; is: TilesBlock }
  | { kind: 'table'; is: TableBlock }
  | { kind: 'chart'; is: ChartBlock }
  | { kind: 'finding'; is: FindingBlock };

export interface Preview {
  document: Omit<Schemas['DocumentDocument'], 'sections'> & { sections: { title: string; blocks: Block[] }[] };
  /** SVG, in the order in which the document has charts. */
  charts: string[];
}

/** What a report is asked for. */
export interface ReportAsk {
  template?: string;
  /** A template that is not kept. */
  text?: string;
  client?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  currency?: string | undefined;
}

/** What is asked for, without what is left open. */
type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

const without = <T extends object>(ask: T): Given<T> =>
  Object.fromEntries(Object.entries(ask).filter(([, v]) => v !== undefined && v !== '')) as Given<T>;

export const reportTemplates = () =>
  queryOptions({
    queryKey: ['reports', 'templates'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/report-templates', { signal })),
  });

export const reportTemplate = (name: string) =>
  queryOptions({
    queryKey: ['reports', 'template', name],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/report-templates/{name}', { params: { path: { name } }, signal })),
    enabled: name !== '',
  });

/** A report that is not kept, to be looked at. */
export const reportPreview = (ask: ReportAsk) =>
  queryOptions({
    queryKey: ['data', 'report-preview', without(ask)],
    queryFn: async ({ signal }) =>
      (await unwrap(api.POST('/api/v1/report-previews', { body: without(ask), signal }))) as unknown as Preview,
    placeholderData: keepPreviousData,
    retry: false,
  });

export interface ReportFilter {
  template?: string | undefined;
  client?: string | undefined;
  schedule?: string | undefined;
}

export const MOVING = ['waiting', 'running'];

/** Files that were made or are being made; the list follows those. */
export const reports = (f: ReportFilter = {}) =>
  queryOptions({
    queryKey: ['reports', 'files', without(f)],
    queryFn: async ({ signal }) => {
      const items: Report[] = [];
      let cursor: string | undefined;
      do {
        const page = await unwrap(
          api.GET('/api/v1/reports', { params: { query: { ...without(f), limit: 200, ...(cursor ? { cursor } : {}) } as never }, signal }),
        );
        items.push(...page.items);
        cursor = page.next;
      } while (cursor && items.length < 1000);
      return items;
    },
    refetchInterval: (query) => ((query.state.data ?? []).some((r) => MOVING.includes(r.state)) ? 500 : 10_000),
  });

export const report = (id: string) =>
  queryOptions({
    queryKey: ['reports', 'file', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/reports/{id}', { params: { path: { id } }, signal })),
    enabled: id !== '',
    refetchInterval: (query) => (query.state.data && MOVING.includes(query.state.data.state) ? 500 : false),
  });

export const makeReport = (ask: ReportAsk, format: string): Promise<Report> =>
  unwrap(api.POST('/api/v1/reports', { body: { ...without(ask), format } })) as Promise<Report>;

export const cancelReport = (id: string): Promise<Report> =>
  unwrap(api.POST('/api/v1/reports/{id}/cancel', { params: { path: { id } } })) as Promise<Report>;

export const reproduceReport = (id: string): Promise<Reproduction> =>
  unwrap(api.POST('/api/v1/reports/{id}/reproduce', { params: { path: { id } } })) as Promise<Reproduction>;

export const removeReport = (id: string, reason: string) =>
  unwrap(api.DELETE('/api/v1/reports/{id}', { params: { path: { id }, query: { reason } } }));

/** Saves the file of a report; its name. */
export const downloadReport = (id: string): Promise<string> => download(`/api/v1/reports/${encodeURIComponent(id)}/download`);

export const schedules = () =>
  queryOptions({
    queryKey: ['reports', 'schedules'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/schedules', { signal }))).items ?? [],
    refetchInterval: 10_000,
  });

export const saveSchedule = (id: string | undefined, body: ScheduleSpec): Promise<Schedule> =>
  (id
    ? unwrap(api.PUT('/api/v1/schedules/{id}', { params: { path: { id } }, body }))
    : unwrap(api.POST('/api/v1/schedules', { body }))) as Promise<Schedule>;

export const removeSchedule = (id: string) => unwrap(api.DELETE('/api/v1/schedules/{id}', { params: { path: { id } } }));

export const runSchedule = (id: string) => unwrap(api.POST('/api/v1/schedules/{id}/run', { params: { path: { id } } }));

export const brand = () =>
  queryOptions({ queryKey: ['reports', 'brand'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/report-brand', { signal })) });

export const saveBrand = (body: Brand): Promise<Brand> => unwrap(api.PUT('/api/v1/report-brand', { body })) as Promise<Brand>;

/** Keeps a logo or font; what it is called by. */
export async function keepAsset(file: File): Promise<string> {
  const response = await send('/api/v1/report-assets', {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file,
  });
  return ((await response.json()) as { sha256: string }).sha256;
}

/** A kept logo as an address that the page may show. */
export const asset = (hash: string) =>
  queryOptions({
    queryKey: ['reports', 'asset', hash],
    queryFn: async ({ signal }) => URL.createObjectURL(await (await send(`/api/v1/report-assets/${hash}`, { signal })).blob()),
    enabled: hash !== '',
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
