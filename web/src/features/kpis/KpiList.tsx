import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type Kpi, kpis } from '../../api/queries';
import { instant, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import css from './kpis.module.css';
import { Users } from './Users';

/** The tenant's own measures. */
export function KpiList() {
  const list = useQuery(kpis());
  const navigate = useNavigate();
  const add = (
    <Button kind="primary" onPress={() => navigate({ to: '/kpis/new' })}>
      {t('New KPI')}
    </Button>
  );
  return (
    <Card title={t('Your KPIs')} subtitle={t('Measures made of measures by a formula')} actions={add}>
      <Loaded
        query={list}
        isEmpty={(all) => all.length === 0}
        empty={
          <Empty title={t('None yet')}>
            {t('A formula such as gross_profit / endpoints becomes a measure of its own, here and everywhere.')}
          </Empty>
        }
      >
        {(all) => <List all={all} />}
      </Loaded>
    </Card>
  );
}

function List({ all }: { all: Kpi[] }) {
  return (
    <DataTable
      caption={t('Your KPIs')}
      rows={all}
      rowKey={(k) => k.name}
      columns={[
        {
          id: 'name',
          head: t('Name'),
          sort: (k) => k.label,
          cell: (k) => (
            <span>
              <Link to="/kpis/edit/$name" params={{ name: k.name }}>
                {k.label}
              </Link>{' '}
              {k.problem ? (
                <Badge tone="bad" title={k.problem}>
                  {t('cannot be computed')}
                </Badge>
              ) : null}
            </span>
          ),
        },
        { id: 'formula', head: t('Formula'), cell: (k) => <code className={css.code}>{k.formula}</code> },
        { id: 'unit', head: t('Unit'), sort: (k) => k.unit, cell: (k) => words(k.unit) },
        { id: 'used', head: t('Used by'), cell: (k) => <Users of={k.used_by ?? []} /> },
        { id: 'version', head: t('Version'), right: true, sort: (k) => k.version, cell: (k) => String(k.version) },
        { id: 'at', head: t('Changed'), sort: (k) => k.at, cell: (k) => instant(k.at) },
        {
          id: 'explore',
          head: t('Explore'),
          cell: (k) => (
            <Link to="/explore" search={{ measures: [k.name] } as never} aria-label={t('Explore {{name}}', { name: k.label })}>
              {t('Explore')}
            </Link>
          ),
        },
      ]}
    />
  );
}
