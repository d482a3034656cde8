import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { type QualityReport, quality } from '../../api/queries';
import { Page } from '../../app/Page';
import { Chart } from '../../charts/Chart';
import type { Palette } from '../../charts/theme';
import { trend } from '../../charts/trend';
import { day, format, integer, month, percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import css from './quality.module.css';

const MEANING: Record<string, string> = {
  completeness: t('what is needed is filled in'),
  validity: t('values are possible'),
  uniqueness: t('nothing is there twice'),
  consistency: t('what has to agree agrees'),
  coverage: t('what is named is known'),
  timeliness: t('how new the newest rows are'),
};

/** How fit the stored data is, where it is not, and what to put right first. */
export function Quality() {
  const report = useQuery(quality());
  return (
    <Page
      title={t('Data quality')}
      lead={t('How far the figures can be trusted because of the data behind them. Shares are of hours or money, not of rows.')}
    >
      <Loaded
        query={report}
        height={500}
        isEmpty={(r) => (r.datasets ?? []).length === 0}
        empty={
          <Empty title={t('Nothing is imported yet')} action={<Link to="/import">{t('Import files')}</Link>}>
            {t('The score comes with the first file.')}
          </Empty>
        }
      >
        {(r) => <Report report={r} />}
      </Loaded>
    </Page>
  );
}

function Report({ report: r }: { report: QualityReport }) {
  const issues = r.issues ?? [];
  return (
    <>
      <dl className={css.scores}>
        <div data-whole>
          <dt>{t('Whole score')}</dt>
          <dd>{scored(r.score)}</dd>
        </div>
        {Object.entries(r.dimensions).map(([name, value]) => (
          <div key={name}>
            <dt>
              {sentence(words(name))}
              <span className="muted small"> {MEANING[name] ?? ''}</span>
            </dt>
            <dd>{scored(value)}</dd>
          </div>
        ))}
      </dl>
      <Card title={t('What should be put right first?')} subtitle={t('By how much the whole score would rise')}>
        {issues.length === 0 ? (
          <Empty title={t('Nothing stands out')}>{t('No rule that is checked is broken by what is stored.')}</Empty>
        ) : (
          <DataTable
            caption={t('What to put right, by its effect')}
            rows={issues}
            rowKey={(i) => `${i.dataset}-${i.code}`}
            columns={[
              {
                id: 'gain',
                head: t('Gain'),
                right: true,
                sort: (i) => i.gain,
                cell: (i) => (i.gain >= 0.0005 ? t('+{{points}} points', { points: (100 * i.gain).toFixed(1) }) : t('below 0.1')),
              },
              {
                id: 'what',
                head: t('What'),
                cell: (i) => <span style={{ whiteSpace: 'normal' }}>{sentence(i.message)}</span>,
              },
              { id: 'share', head: t('Share'), right: true, sort: (i) => i.share, cell: (i) => share(i.share) },
              { id: 'do', head: t('What to do'), cell: (i) => <span style={{ whiteSpace: 'normal' }}>{sentence(i.suggestion)}</span> },
              { id: 'dimension', head: t('Part'), sort: (i) => i.dimension, cell: (i) => <Badge>{words(i.dimension)}</Badge> },
            ]}
          />
        )}
      </Card>
      <div className="stack" style={columns(420)}>
        <Parts title={t('By table')} head={t('Table')} rows={r.datasets ?? []} name={(n) => sentence(words(n))} />
        <Parts title={t('By client')} head={t('Client')} rows={r.clients ?? []} name={(n) => n || t('Not assigned')} link />
      </div>
      <div className="stack" style={columns(420)}>
        <Months report={r} />
        <Trend report={r} />
      </div>
      <p className="muted small">
        {t(
          'The score is the weighted geometric mean of its parts; docs/quality.md has the formulas. The confidence of a figure is computed from the same facts about its own inputs.',
        )}
      </p>
    </>
  );
}

/** A score with one decimal, cut off: what is not whole is never "100%". */
const scored = (value: number) => format(Math.floor(value * 1000 + 1e-9) / 1000, 'ratio');

/** A share that is not nothing is never "0%". */
const share = (value: number) => (value < 0.005 ? t('below 1%') : percent(value));

function Parts({
  title,
  head,
  rows,
  name,
  link,
}: {
  title: string;
  head: string;
  rows: NonNullable<QualityReport['datasets']>;
  name: (n: string) => string;
  link?: boolean;
}) {
  return (
    <Card title={title} subtitle={t('The worst first')}>
      <DataTable
        caption={title}
        rows={rows}
        rowKey={(x) => x.name}
        initial={{ id: 'score', descending: false }}
        maxHeight={360}
        columns={[
          {
            id: 'name',
            head,
            sort: (x) => x.name,
            cell: (x) =>
              link && x.name ? (
                <Link to="/clients/$name" params={{ name: x.name }}>
                  {name(x.name)}
                </Link>
              ) : (
                name(x.name)
              ),
          },
          { id: 'rows', head: t('Rows'), right: true, sort: (x) => x.rows, cell: (x) => integer(x.rows) },
          { id: 'score', head: t('Score'), right: true, sort: (x) => x.score, cell: (x) => scored(x.score) },
          { id: 'worst', head: t('Weakest part'), cell: (x) => worst(x.dimensions) },
        ]}
      />
    </Card>
  );
}

function worst(dimensions: Record<string, number>): string {
  const [name, value] = Object.entries(dimensions)
    .filter(([n]) => n !== 'timeliness')
    .sort((a, b) => a[1] - b[1])[0] ?? ['', 1];
  return value < 1 ? `${words(name)} ${scored(value)}` : '';
}

function Months({ report }: { report: QualityReport }) {
  const months = report.months ?? [];
  const option = useCallback(
    (colors: Palette, width: number) =>
      trend(
        [{ name: t('Score'), unit: 'ratio', points: months.map((m) => ({ month: m.name, value: m.score, low: null, high: null })) }],
        colors,
        width,
      ),
    [months],
  );
  return (
    <Card title={t('By month of the data')} subtitle={t('Score of what is stored of each month, percent')}>
      {months.length < 2 ? (
        <Empty title={t('One month is no line')} />
      ) : (
        <Chart
          label={t('Data quality by month')}
          option={option}
          table={() => (
            <DataTable
              caption={t('Data quality by month')}
              rows={months}
              rowKey={(m) => m.name}
              columns={[
                { id: 'month', head: t('Month'), cell: (m) => month(m.name) },
                { id: 'rows', head: t('Rows'), right: true, cell: (m) => integer(m.rows) },
                { id: 'score', head: t('Score'), right: true, cell: (m) => scored(m.score) },
              ]}
            />
          )}
        />
      )}
    </Card>
  );
}

function Trend({ report }: { report: QualityReport }) {
  const points = useMemo(() => [...(report.trend ?? [])].reverse(), [report.trend]);
  return (
    <Card title={t('By import')} subtitle={t('Score of each file, newest first')}>
      <DataTable
        caption={t('Quality of imports')}
        rows={points}
        rowKey={(p) => String(p.import_id)}
        maxHeight={260}
        columns={[
          {
            id: 'import',
            head: t('Import'),
            cell: (p) => (
              <Link to="/import/$id" params={{ id: String(p.import_id) }}>
                {day(p.at)}
              </Link>
            ),
          },
          { id: 'dataset', head: t('Table'), sort: (p) => p.dataset, cell: (p) => sentence(words(p.dataset)) },
          { id: 'score', head: t('Score'), right: true, sort: (p) => p.score, cell: (p) => scored(p.score) },
        ]}
      />
    </Card>
  );
}
