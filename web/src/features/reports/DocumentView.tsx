import { Fragment } from 'react';
import type { Block, ChartBlock, FindingBlock, Preview, Range, TableBlock, TextBlock, TilesBlock, Value } from '../../api/reports';
import { change, day, format, inCurrency, month, percent, sentence, tile, unitLabel, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Badge } from '../../ui/Card';
import { Notice } from '../../ui/States';
import css from './reports.module.css';

/** A report as it would be on paper, with our own parts. */
export function DocumentView({ preview, stale }: { preview: Preview; stale?: boolean }) {
  const { document: d } = preview;
  let chart = 0; // charts come in the order of the blocks
  return (
    <article className={css.paper} aria-label={t('Preview of {{title}}', { title: d.title })} aria-busy={stale ?? false}>
      <header>
        <h3 className={css.title}>{d.title}</h3>
        {d.subtitle ? <p className="muted">{d.subtitle}</p> : null}
      </header>
      {(d.warnings ?? []).map((w) => (
        <Notice key={w}>{w}</Notice>
      ))}
      {(d.letter ?? []).map((p) => (
        <p key={p}>{p}</p>
      ))}
      {d.sections.map((s, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two sections may have the same title
        <section key={`${i} ${s.title}`} className={css.part} aria-label={s.title}>
          <h4 className={css.section}>{s.title}</h4>
          {s.blocks.map((b, j) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks have no name of their own and are drawn anew together
            <BlockView key={`${i} ${j}`} block={b} chart={b.kind === 'chart' ? preview.charts[chart++] : undefined} />
          ))}
        </section>
      ))}
      <dl className={css.facts}>
        {(d.facts ?? []).map((f) => (
          <Fragment key={f.label}>
            <dt>{f.label}</dt>
            <dd>{f.text}</dd>
          </Fragment>
        ))}
      </dl>
    </article>
  );
}

function BlockView({ block: b, chart }: { block: Block; chart: string | undefined }) {
  switch (b.kind) {
    case 'text':
      return <TextView is={b.is} />;
    case 'tiles':
      return <TilesView is={b.is} />;
    case 'table':
      return <TableView is={b.is} />;
    case 'chart':
      return <ChartView is={b.is} svg={chart} />;
    case 'finding':
      return <FindingView is={b.is} />;
  }
}

const unitOf = (v: Value) => inCurrency(v.unit, v.currency);
const written = (v: Value) => format(v.number, unitOf(v));

function TextView({ is: x }: { is: TextBlock }) {
  return (
    <div className={css.text} data-tone={x.tone}>
      {x.title ? <h5>{x.title}</h5> : null}
      {(x.paragraphs ?? []).map((p) => (
        <p key={p}>{p}</p>
      ))}
      {x.items?.length ? (
        <ul>
          {x.items.map((p) => (
            <li key={p}>{p}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function TilesView({ is: x }: { is: TilesBlock }) {
  return (
    <div>
      {x.title ? <h5>{x.title}</h5> : null}
      <dl className={css.tiles}>
        {x.items.map((i) => (
          <div key={i.label}>
            <dt>{i.label}</dt>
            <dd className={css.number} title={i.value.missing}>
              {tile(i.value.number, unitOf(i.value))}
            </dd>
            {i.change ? (
              <dd className="small" data-tone={i.change.good > 0 ? 'good' : i.change.good < 0 ? 'bad' : undefined}>
                {change(i.change.value.number, unitOf(i.change.value))}{' '}
                <span className="muted">{t('against the {{versus}}', { versus: i.change.versus })}</span>
              </dd>
            ) : null}
            {i.interval ? <dd className="muted small">{rangeText(i.interval, i.value)}</dd> : null}
            {i.value.missing || i.note ? <dd className="muted small">{i.value.missing || i.note}</dd> : null}
          </div>
        ))}
      </dl>
    </div>
  );
}

function rangeText(r: Range, v: Value): string {
  const [low, high] = [tile(r.low, unitOf(v)), tile(r.high, unitOf(v))];
  return r.level > 0
    ? t('{{low}} to {{high}} expected ({{level}})', { low, high, level: percent(r.level) })
    : t('{{low}} to {{high}} if data is missing', { low, high });
}

/** The most rows of a table that a preview draws. */
const MOST = 25;

function TableView({ is: x }: { is: TableBlock }) {
  const number = (unit: string) => unit !== 'text' && unit !== 'date' && unit !== '';
  const shown = x.rows.length > MOST ? x.rows.filter((r, i) => i < MOST || r.kind === 'total') : x.rows;
  const rest = x.rows.length - shown.length;
  const plain = x.rows.filter((r) => !r.kind).length;
  return (
    <section aria-label={x.title} tabIndex={0} className={css.tableWrap}>
      <table className={css.table}>
        <caption>{x.title}</caption>
        <thead>
          <tr>
            {x.columns.map((c) => (
              <th key={c.name} scope="col" data-right={number(c.unit) || undefined}>
                {c.label}
                {number(c.unit) && unitLabel(inCurrency(c.unit, c.currency)) ? (
                  <span className="muted"> {unitLabel(inCurrency(c.unit, c.currency))}</span>
                ) : null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((r, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a report may be alike
            <tr key={i} data-kind={r.kind}>
              {r.kind === 'group' ? (
                <th scope="rowgroup" colSpan={x.columns.length}>
                  {r.cells[0]}
                </th>
              ) : (
                x.columns.map((c, j) => (
                  <td key={c.name} data-right={number(c.unit) || undefined} title={r.cells[j] === null ? r.why : undefined}>
                    {cellText(r.cells[j] ?? null, c, r.currency)}
                  </td>
                ))
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 ? <p className="muted small">{t('{{count}} more rows are in the file.', { count: rest })}</p> : null}
      {x.of ? (
        <p className="muted small">
          {t('The file shows {{plain}} of {{of}}.', { plain: format(String(plain), 'count'), of: format(String(x.of), 'count') })}
        </p>
      ) : null}
      {x.note ? <p className="muted small">{x.note}</p> : null}
    </section>
  );
}

function cellText(cell: string | null, c: TableBlock['columns'][number], currency: string | undefined): string {
  if (cell === null) return '—';
  if (c.unit === 'text' || c.unit === '') return cell;
  if (c.unit === 'date') return c.months ? month(cell) : /^\d{4}-\d\d-\d\d/.test(cell) ? day(cell) : cell;
  return format(cell, inCurrency(c.unit, c.currency ?? currency), { bare: Boolean(c.currency) });
}

function ChartView({ is: x, svg }: { is: ChartBlock; svg: string | undefined }) {
  return (
    <figure className={css.chart}>
      <figcaption>
        <strong>{x.title}</strong>
        {x.subtitle ? <span className="muted small"> {x.subtitle}</span> : null}
      </figcaption>
      {svg ? (
        <img src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`} alt={labelOf(svg) ?? x.title} width={640} height={320} />
      ) : (
        <p className="muted">{t('There is nothing to draw.')}</p>
      )}
    </figure>
  );
}

/** The picture in words, as the program wrote them with it. */
export function labelOf(svg: string): string | undefined {
  const text = /^<svg[^>]* aria-label="([^"]*)"/.exec(svg)?.[1];
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&#34;': '"', '&#39;': "'", '&quot;': '"' };
  return text?.replace(/&(?:lt|gt|amp|quot|#34|#39);/g, (e) => entities[e] ?? e);
}

function FindingView({ is: x }: { is: FindingBlock }) {
  return (
    <div className={css.finding}>
      <h5>{x.headline}</h5>
      {x.recommendation ? <p>{x.recommendation}</p> : null}
      <p className="row small">
        {x.stake.number !== null ? <Badge tone="bad">{t('{{money}} a year at stake', { money: written(x.stake) })}</Badge> : null}
        {x.grade ? <Badge>{x.grade === 'no_answer' ? t('no answer') : t('{{grade}} confidence', { grade: words(x.grade) })}</Badge> : null}
        {x.review ? <Badge tone="warn">{t('review: {{why}}', { why: x.review })}</Badge> : null}
      </p>
      {x.drivers?.length ? (
        <p className="muted small">
          {t('Since the {{label}}: {{drivers}}', {
            label: x.versus ?? '',
            drivers: x.drivers.map((d) => `${sentence(d.name)} ${change(d.value.number, unitOf(d.value))}`).join(', '),
          })}
        </p>
      ) : null}
    </div>
  );
}
