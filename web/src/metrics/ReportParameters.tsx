import { useQuery } from '@tanstack/react-query';
import { table } from '../api/queries';
import type { ReportAsk, Template } from '../api/reports';
import { t } from '../lib/i18n';
import { addMonths, type Period } from '../lib/period';
import { Select, TextField } from '../ui/Field';
import css from './metrics.module.css';
import { ownPeriod } from './reporting';
import { periodText } from './words';

/** What a report is made for, as people choose it. */
export interface Parameters {
  client: string;
  /** The template's own, that of the page, or the months below. */
  period: 'own' | 'page' | 'months';
  /** Months, both included: 2026-01. */
  first: string;
  last: string;
  currency: string;
}

export const noParameters: Parameters = { client: '', period: 'own', first: '', last: '', currency: '' };

/** The parameters as the API takes them. */
export function askOf(p: Parameters, of: { of_client: boolean } | undefined, page: Period | undefined): ReportAsk {
  const months =
    p.period === 'page'
      ? page
      : p.period === 'months' && p.first && p.last
        ? { from: `${p.first}-01`, to: addMonths(`${p.last}-01`, 1) }
        : undefined;
  return {
    client: of?.of_client ? p.client : undefined,
    from: months?.from,
    to: months?.to,
    currency: p.currency.trim().toUpperCase() || undefined,
  };
}

/** Whether the months are a period. */
export const wrongMonths = (p: Parameters): string | undefined =>
  p.period === 'months' && (!p.first || !p.last || p.first > p.last) ? t('Choose a first month and one that is not before it.') : undefined;

/** Client, period and currency of a report. */
export function ReportParameters({
  template,
  value,
  onChange,
  page,
}: {
  template: Template | undefined;
  value: Parameters;
  onChange: (next: Parameters) => void;
  /** The period that the page shows. */
  page?: Period | undefined;
}) {
  const set = (part: Partial<Parameters>) => onChange({ ...value, ...part });
  return (
    <div className={css.reportFields}>
      {template?.of_client ? <ClientField label={t('Client')} value={value.client} onChange={(client) => set({ client })} /> : null}
      <Select
        label={t('Period')}
        value={value.period === 'page' && !page ? 'own' : value.period}
        onChange={(period) => set({ period })}
        options={[
          ['own', t('the report’s own: {{period}}', { period: ownPeriod(template) })] as const,
          ...(page ? [['page', t('as on this page: {{period}}', { period: periodText(page) })] as const] : []),
          ['months', t('other months')] as const,
        ]}
      />
      {value.period === 'months' ? (
        <>
          <TextField label={t('First month')} type="month" value={value.first} onChange={(first) => set({ first })} />
          <TextField
            label={t('Last month')}
            type="month"
            value={value.last}
            onChange={(last) => set({ last })}
            fault={wrongMonths(value)}
          />
        </>
      ) : null}
      <TextField
        label={t('Currency')}
        value={value.currency}
        onChange={(currency) => set({ currency: currency.slice(0, 3) })}
        placeholder={t('as it is')}
        hint={t('Such as EUR, to convert all amounts.')}
      />
    </div>
  );
}

/** One of the clients, those with the highest revenue first. */
export function ClientField({
  label,
  value,
  onChange,
  every,
}: {
  label: string;
  value: string;
  onChange: (next: string) => void;
  every?: boolean;
}) {
  const list = useQuery(table({ measures: ['revenue'], by: ['client'], order: ['-revenue'] })).data?.rows.map((r) => r[0] ?? '') ?? [];
  const names = list.filter((n) => n !== '' && n !== 'unassigned');
  return (
    <Select
      label={label}
      value={value}
      onChange={onChange}
      options={[
        ...(every ? [['*', t('every client with revenue, a file each')] as const] : []),
        ['', t('the one with the highest revenue')] as const,
        ...(value && value !== '*' && !names.includes(value) ? [[value, value] as const] : []),
        ...names.map((n) => [n, n] as const),
      ]}
    />
  );
}
