import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ProjectRisk, projectRisks } from '../../api/queries';
import { change, day, format, inCurrency, percent, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { useKept } from '../../metrics/fit';
import { intervalText } from '../../metrics/Grade';
import metrics from '../../metrics/metrics.module.css';
import { placeOf } from '../../metrics/riskStates';
import { StateBadge } from '../../metrics/StateBadge';
import { Card } from '../../ui/Card';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import { Empty, Loaded } from '../../ui/States';
import { Components, HowItComes } from './Components';
import css from './risk.module.css';

/** Open projects by how they are expected to come out. */
export function ProjectRisks() {
  const { days, where, search, set } = useView();
  const query = useQuery({ ...projectRisks(days?.to ?? ''), enabled: days !== undefined });
  const { keep, note } = useKept(where, ['client', 'project']);
  const list = (query.data?.projects ?? []).filter((r) => keep({ client: r.client, project: r.project }));
  const open = list.find((r) => idOf(r) === search.row);
  return (
    <Loaded
      query={query}
      height={420}
      isEmpty={() => list.length === 0}
      empty={
        <Card>
          <Empty title={t('No open project')} action={<Link to="/import">{t('Import projects')}</Link>}>
            {[
              t('Projects with their budget in hours, progress and planned end, and time entries that name them, are what it is made of.'),
              ...(query.data?.notes ?? []).map((n) => `${sentence(n)}.`),
              note,
            ]
              .filter(Boolean)
              .join(' ')}
          </Empty>
        </Card>
      }
    >
      {(report) => (
        <div className="stack">
          <Card
            title={t('Which project will overrun?')}
            subtitle={t('Open projects as of {{day}}; progress is that of the newest import. A name opens the figures.', {
              day: report.as_of ? day(report.as_of) : '',
            })}
          >
            {note ? <p className="muted small">{note}</p> : null}
            <DataTable
              caption={t('Open projects, those to act on first')}
              rows={list}
              rowKey={idOf}
              columns={columnsOf((r) => set({ row: idOf(r) }))}
            />
            <p className="muted small">{report.history.words}</p>
          </Card>
          <HowItComes rule={report.rule} notInIt={report.not_in_it} missing={report.missing} notes={report.notes} />
          <Drawer
            open={open !== undefined}
            onClose={() => set({ row: undefined })}
            title={open?.project ?? ''}
            subtitle={open ? `${open.client} · ${BILLING[open.billing]}` : undefined}
          >
            {open ? (
              <div className={css.drawer}>
                <Facts r={open} />
                <Components list={open.components} />
              </div>
            ) : null}
          </Drawer>
        </div>
      )}
    </Loaded>
  );
}

const idOf = (r: ProjectRisk) => `${r.client} / ${r.project}`;

const BILLING: Record<ProjectRisk['billing'], string> = {
  fixed_fee: t('fixed fee'),
  t_and_m: t('by the hour'),
  not_billed: t('not billed'),
  not_stated: t('billing not stated'),
};

/** What a project comes to, each with its unit; what is not known says so. */
function Facts({ r }: { r: ProjectRisk }) {
  const money = inCurrency('money', r.currency);
  return (
    <dl className={metrics.facts}>
      <dt>{t('Estimate')}</dt>
      <dd>
        {format(r.eac_hours, 'hours')} <span className="muted small">{intervalText(r.final_hours, 'hours')}</span>
      </dd>
      <dt>{t('Beyond the budget')}</dt>
      <dd>
        {r.overrun_hours === null
          ? '—'
          : t('{{hours}}: {{cost}} at cost, {{price}} at the price', {
              hours: change(r.overrun_hours, 'hours'),
              cost: change(r.overrun_cost, money),
              price: change(r.overrun_price, money),
            })}
      </dd>
      <dt>{t('Probability')}</dt>
      <dd>
        {r.overrun_probability === null ? '—' : percent(r.overrun_probability)}{' '}
        <span className="muted small">{sentence(r.probability_why)}</span>
      </dd>
      <dt>{t('Planned')}</dt>
      <dd>{t('{{from}} to {{to}}', { from: r.start ? day(r.start) : '—', to: r.end ? day(r.end) : '—' })}</dd>
      <dt>{t('Expected end')}</dt>
      <dd>{r.expected_end ? day(r.expected_end) : '—'}</dd>
      <dt>{t('Profit at the end')}</dt>
      <dd>{format(r.profit_at_end, money)}</dd>
    </dl>
  );
}

const number = (text: string | null) => (text === null ? null : Number(text));

const columnsOf = (onOpen: (r: ProjectRisk) => void): Column<ProjectRisk>[] => [
  {
    id: 'project',
    head: t('Project'),
    sort: (r) => r.project,
    cell: (r) => (
      <>
        <CellButton label={t('{{project}}: the figures behind it', { project: r.project })} onPress={() => onOpen(r)}>
          {r.project}
        </CellButton>
        <small className="muted" style={{ display: 'block' }}>
          {r.client} · {BILLING[r.billing]}
        </small>
      </>
    ),
  },
  { id: 'state', head: t('State'), sort: (r) => placeOf(r.state), cell: (r) => <StateBadge state={r.state} /> },
  {
    id: 'chance',
    head: t('Overrun'),
    right: true,
    sort: (r) => r.overrun_probability,
    cell: (r) => <span title={sentence(r.probability_why)}>{r.overrun_probability === null ? '—' : percent(r.overrun_probability)}</span>,
  },
  { id: 'burn', head: t('Burn'), right: true, sort: (r) => number(r.burn), cell: (r) => format(r.burn, 'ratio') },
  { id: 'progress', head: t('Done'), right: true, sort: (r) => number(r.progress), cell: (r) => format(r.progress, 'ratio') },
  {
    id: 'hours',
    head: t('Estimate'),
    unit: 'h',
    right: true,
    sort: (r) => number(r.eac_hours),
    cell: (r) =>
      t('{{estimate}} of {{budget}}', {
        estimate: format(r.eac_hours, 'hours', { bare: true }),
        budget: format(r.budget_hours, 'hours', { bare: true }),
      }),
  },
  {
    id: 'cost',
    head: t('At cost'),
    right: true,
    sort: (r) => number(r.overrun_cost),
    cell: (r) => change(r.overrun_cost, inCurrency('money', r.currency)),
  },
  { id: 'slip', head: t('Later by'), right: true, sort: (r) => number(r.slip_days), cell: (r) => change(r.slip_days, 'days') },
  {
    id: 'margin',
    head: t('End margin'),
    right: true,
    sort: (r) => number(r.margin_at_end),
    cell: (r) => format(r.margin_at_end, 'ratio'),
  },
];
