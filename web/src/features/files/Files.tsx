import { useQuery, useQueryClient } from '@tanstack/react-query';
import { forgetFile, keptFile, keptFiles, saveAs } from '../../api/files';
import { Page } from '../../app/Page';
import { bytes, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';

/** Exports made on this device: readable without the server. */
export function Files() {
  const client = useQueryClient();
  const list = useQuery({ queryKey: ['files'], queryFn: keptFiles, staleTime: 0 });
  return (
    <Page
      title={t('Downloads')}
      lead={t('What was exported on this device. It stays here, also when MoatMetrics is not running, until you are signed out.')}
    >
      <Card>
        <Loaded
          query={list}
          height={160}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty title={t('Nothing exported yet')}>
              {t('The arrow on any table saves it as Excel, CSV or JSON, and keeps a copy here.')}
            </Empty>
          }
        >
          {(all) => (
            <DataTable
              caption={t('Exported files')}
              rows={all}
              rowKey={(f) => f.url}
              columns={[
                {
                  id: 'name',
                  head: t('File'),
                  sort: (f) => f.name,
                  cell: (f) => (
                    <Button kind="quiet" onPress={() => keptFile(f.url).then((blob) => blob && saveAs(blob, f.name))}>
                      {f.name}
                    </Button>
                  ),
                },
                { id: 'at', head: t('Made'), sort: (f) => f.at, cell: (f) => instant(f.at) },
                { id: 'bytes', head: t('Size'), right: true, sort: (f) => f.bytes, cell: (f) => bytes(f.bytes) },
                {
                  id: 'forget',
                  head: '',
                  cell: (f) => (
                    <Button
                      kind="quiet"
                      aria-label={t('Remove {{name}}', { name: f.name })}
                      onPress={() => forgetFile(f.url).then(() => client.invalidateQueries({ queryKey: ['files'] }))}
                    >
                      {t('Remove')}
                    </Button>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
