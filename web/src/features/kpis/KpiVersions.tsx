import { useQuery } from '@tanstack/react-query';
import { kpiVersions } from '../../api/queries';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Loaded } from '../../ui/States';
import css from './kpis.module.css';

/** Every version of a KPI, newest first. */
export function KpiVersions({ name }: { name: string }) {
  const versions = useQuery(kpiVersions(name));
  return (
    <Card title={t('Versions')} level={3}>
      <Loaded query={versions} height={80}>
        {(all) => (
          <DataTable
            caption={t('Versions')}
            rows={all}
            rowKey={(v) => String(v.version)}
            maxHeight={280}
            columns={[
              { id: 'version', head: t('Version'), right: true, cell: (v) => String(v.version) },
              {
                id: 'formula',
                head: t('Formula'),
                cell: (v) => (v.removed ? <span className="muted">{t('removed')}</span> : <code className={css.code}>{v.formula}</code>),
              },
              { id: 'at', head: t('At'), cell: (v) => instant(v.at) },
              { id: 'author', head: t('By'), cell: (v) => v.author },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
