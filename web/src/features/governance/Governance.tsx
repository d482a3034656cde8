import { useQuery } from '@tanstack/react-query';
import { inventory } from '../../api/queries';
import { Page } from '../../app/Page';
import { integer, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Holds } from './Holds';
import { Requests } from './Requests';
import { Retention } from './Retention';

/** Personal data: what persons ask for, how long what is kept, what is held, what there is. */
export function Governance() {
  const [search, set] = useAddress();
  return (
    <Page
      title={t('Governance')}
      lead={t('Whose data is stored, why and how long, and what to do when somebody asks for it. Nothing of it leaves this installation.')}
    >
      <Tabs
        label={t('Governance')}
        value={search.tab ?? 'requests'}
        onChange={(tab) => set({ tab: tab === 'requests' ? undefined : tab })}
        tabs={[
          { id: 'requests', title: t('Requests'), content: () => <Requests /> },
          { id: 'retention', title: t('Retention'), content: () => <Retention /> },
          { id: 'holds', title: t('Legal holds'), content: () => <Holds /> },
          { id: 'inventory', title: t('Inventory'), content: () => <Inventory /> },
        ]}
      />
    </Page>
  );
}

function Inventory() {
  const list = useQuery(inventory());
  return (
    <Card
      title={t('Which fields hold personal data?')}
      subtitle={t('As declared in the program: a field that is added appears here')}
      actions={
        <a href="/api/v1/governance/inventory.csv" download>
          {t('Save as CSV')}
        </a>
      }
    >
      <Loaded query={list} height={400}>
        {(all) => (
          <DataTable
            caption={t('Fields that hold personal data, or may')}
            rows={all}
            rowKey={(i) => `${i.table}.${i.field}`}
            columns={[
              { id: 'table', head: t('Table'), sort: (i) => i.table, cell: (i) => words(i.table) },
              { id: 'field', head: t('Field'), sort: (i) => i.field, cell: (i) => <code>{i.field}</code> },
              { id: 'what', head: t('What it is'), cell: (i) => <Text of={i.what} /> },
              { id: 'whose', head: t('Whose'), sort: (i) => i.whose, cell: (i) => <Text of={i.whose} /> },
              { id: 'why', head: t('Why'), cell: (i) => <Text of={i.why} /> },
              { id: 'where', head: t('Where'), sort: (i) => i.where, cell: (i) => i.where },
              { id: 'kept', head: t('Kept'), cell: (i) => <Text of={i.kept} /> },
              {
                id: 'rows',
                head: t('Rows'),
                right: true,
                sort: (i) => Number(i.rows),
                cell: (i) => (Number(i.rows) ? integer(Number(i.rows)) : '—'),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

function Text({ of }: { of: string }) {
  return <span style={{ whiteSpace: 'normal', display: 'inline-block', minWidth: 120, maxWidth: 260 }}>{of}</span>;
}
