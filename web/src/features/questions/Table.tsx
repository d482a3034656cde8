import { Link } from '@tanstack/react-router';
import { CircleQuestionMark } from 'lucide-react';
import { type AnswerColumn, type AnswerRow, type AnswerTable, type Asking, answerFile } from '../../api/queries';
import { change, day, dimensionValue, format, inCurrency, month, UNKNOWN } from '../../lib/format';
import { t } from '../../lib/i18n';
import { type Period, rangeOf } from '../../lib/period';
import { carried, useExplain, useView } from '../../lib/state';
import { ExportButton } from '../../metrics/ExportMenu';
import facts from '../../metrics/metrics.module.css';
import { daysOf } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import { leversOf } from './levers';
import css from './questions.module.css';
import { said } from './said';

interface Numbered {
  row: AnswerRow;
  /** Its place in the answer, which the address names. */
  at: number;
}

/** A table of an answer: each number says why, each row leads to what is behind it. */
export function Part({
  part,
  number,
  ask,
  period,
  onOpen,
}: {
  part: AnswerTable;
  number: number;
  ask: Asking;
  period: Period | undefined;
  onOpen: (row: number) => void;
}) {
  const rows = (part.rows ?? []).map((row, at) => ({ row, at }));
  const columns = useColumns(part, period, onOpen);
  return (
    <Card title={part.title} actions={rows.length > 0 ? <Export ask={ask} number={number} title={part.title} /> : null}>
      {rows.length === 0 ? (
        <p className="muted">{t('None.')}</p>
      ) : (
        <DataTable caption={part.title} rows={rows} rowKey={(x) => String(x.at)} columns={columns} />
      )}
      {part.total > rows.length ? (
        <p className="muted small">{t('{{shown}} of {{all}}', { shown: rows.length, all: part.total })}</p>
      ) : null}
      {part.note ? (
        <p className="muted small" style={{ marginTop: 12, maxWidth: '110ch' }}>
          {said(part.note)}
        </p>
      ) : null}
    </Card>
  );
}

function Export({ ask, number, title }: { ask: Asking; number: number; title: string }) {
  return <ExportButton url={(as) => answerFile(ask, number, as)} formats={['xlsx', 'csv']} label={t('Export: {{title}}', { title })} />;
}

const isText = (c: AnswerColumn) => c.unit === 'text' || c.unit === 'date';

/** A cell as the API gives it, as text; null is unknown. */
const textOf = (cell: unknown): string | null => (cell === null || cell === undefined ? null : String(cell));

/** Texts longer than this are read in the details of the row. */
const LONG = 90;

/** What a column says of a difference, with its sign; of a ratio in points. */
const SIGNED = ['contribution', 'change', 'present_staff', 'revenue_gap'];

/** The unit under a column's head, and what is left of it for the cells. */
function dense(c: AnswerColumn): { unit?: string; cell: (text: string, row: AnswerRow) => string } {
  if (SIGNED.includes(c.name)) return { cell: (text, row) => change(text, inCurrency(c.unit, row.currency)) };
  if (c.unit === 'money_per_month') return { unit: t('a month'), cell: (text, row) => format(text, inCurrency('money', row.currency)) };
  if (c.unit === 'hours' || c.unit === 'days')
    return { unit: c.unit === 'hours' ? 'h' : t('days'), cell: (text) => format(text, c.unit, { bare: true }) };
  return { cell: (text, row) => shown(c, text, row) };
}

function shown(c: AnswerColumn, text: string, row: AnswerRow): string {
  if (c.unit === 'date') return c.name === 'month' || c.name === 'through' ? month(text) : day(text);
  if (c.dimension) return dimensionValue(c.dimension, text);
  return isText(c) ? said(text) : format(text, inCurrency(c.unit, row.currency));
}

function useColumns(part: AnswerTable, period: Period | undefined, onOpen: (row: number) => void): Column<Numbered>[] {
  const { search } = useView();
  const { explain } = useExplain();
  const cell = (c: AnswerColumn, n: number, { row }: Numbered) => {
    const text = textOf(row.cells?.[n]);
    if (text === null) return <span title={row.why ? said(row.why) : undefined}>{UNKNOWN}</span>;
    const value = dense(c).cell(text, row);
    if (c.name === 'levers')
      return (
        <Link
          to="/scenarios/$id"
          params={{ id: 'new' }}
          search={{ ...(period ? { period: rangeOf(period) } : {}), levers: leversOf(text) } as never}
          aria-label={t('Open in What if: {{what}}', { what: textOf(row.cells?.[0]) ?? '' })}
        >
          {t('Open in What if')}
        </Link>
      );
    if (c.dimension === 'client' && !/^(unassigned|\d+ others)$/.test(text))
      return (
        <Link to="/clients/$name" params={{ name: text }} search={carried(search) as never}>
          {value}
        </Link>
      );
    if (isText(c)) return value.length > LONG ? <span className={css.long}>{value}</span> : value;
    const q = row.query;
    if (!c.measure || !q?.measures?.includes(c.measure)) return value;
    const days = daysOf(q.period) ?? period;
    return (
      <CellButton
        label={t('{{label}} {{value}}. Explain', { label: c.label, value })}
        negative={text.startsWith('-')}
        onPress={() => explain(c.measure ?? '', q.where ?? '', days)}
      >
        {value}
      </CellButton>
    );
  };
  return [
    ...(part.columns ?? []).map(
      (c, n): Column<Numbered> => ({
        id: c.name,
        head: c.label,
        right: !isText(c),
        ...(dense(c).unit && !c.label.toLowerCase().includes(dense(c).unit ?? '') ? { unit: dense(c).unit ?? '' } : {}),
        ...(c.name === 'levers' || c.name === 'draft'
          ? {}
          : {
              sort: ({ row }: Numbered) => {
                const text = textOf(row.cells?.[n]);
                return isText(c) || text === null ? text : Number(text);
              },
            }),
        cell: (x) =>
          n === 0 ? (
            <span className={css.first}>
              <CellButton label={t('{{row}}: why, and what is behind it', { row: nameOf(part, x.row) })} onPress={() => onOpen(x.at)}>
                <CircleQuestionMark size={15} aria-hidden="true" className={css.why} />
              </CellButton>
              {cell(c, n, x)}
            </span>
          ) : (
            cell(c, n, x)
          ),
      }),
    ),
  ];
}

/** What a row is about: its first text that names something. */
function nameOf(part: AnswerTable, row: AnswerRow): string {
  const columns = part.columns ?? [];
  const n = Math.max(
    0,
    columns.findIndex((c, i) => (c.dimension || c.unit === 'text') && textOf(row.cells?.[i]) !== null),
  );
  const c = columns[n];
  const text = textOf(row.cells?.[n]);
  return c && text !== null ? shown(c, text, row) : part.title;
}

/** A row's every cell, why it is so, and the way to the figures behind it. */
export function Details({
  part,
  row,
  period,
  onClose,
}: {
  part: AnswerTable | undefined;
  row: AnswerRow | undefined;
  period: Period | undefined;
  onClose: () => void;
}) {
  return (
    <Drawer
      open={part !== undefined && row !== undefined}
      onClose={onClose}
      title={part && row ? nameOf(part, row) : ''}
      subtitle={part?.title}
    >
      {part && row ? (
        <div className={css.drawer}>
          {row.why ? <p>{said(row.why)}</p> : null}
          <dl className={facts.facts}>
            {(part.columns ?? []).map((c, n) => {
              const text = textOf(row.cells?.[n]);
              return (
                <div key={c.name} style={{ display: 'contents' }}>
                  <dt>{c.label}</dt>
                  <dd>{text === null ? UNKNOWN : shown(c, text, row)}</dd>
                </div>
              );
            })}
          </dl>
          {row.query ? <Behind query={row.query} period={period} /> : null}
        </div>
      ) : null}
    </Drawer>
  );
}

function Behind({ query: q, period }: { query: NonNullable<AnswerRow['query']>; period: Period | undefined }) {
  const { explain } = useExplain();
  const days = daysOf(q.period) ?? period;
  const measure = q.measures?.at(-1);
  return (
    <p className="row">
      <Link
        to="/explore"
        search={
          {
            ...(days ? { period: rangeOf(days) } : {}),
            ...(q.where ? { where: q.where } : {}),
            measures: q.measures ?? [],
            ...((q.by ?? []).length > 0 ? { by: q.by } : {}),
          } as never
        }
      >
        {t('See the figures')}
      </Link>
      {measure ? (
        <button type="button" className={css.link} onClick={() => explain(measure, q.where ?? '', days, { tab: 'rows' })}>
          {t('See the rows')}
        </button>
      ) : null}
    </p>
  );
}
