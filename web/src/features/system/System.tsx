import { useMutation, useQuery } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { system } from '../../api/queries';
import { Page } from '../../app/Page';
import { bytes, instant, integer, percent, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import css from '../../metrics/metrics.module.css';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Loaded, Notice } from '../../ui/States';

/** Whether everything is in order, and what is stored. */
export function System() {
  const found = useQuery({ ...system(), refetchInterval: 15_000 });
  const verify = useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/system/verify', {})) });
  return (
    <Page title={t('System')} lead={t('What runs here, what is stored, and whether it is whole.')}>
      <Loaded query={found} height={400}>
        {(s) => {
          const asked = s.cache.hits + s.cache.misses;
          return (
            <>
              {(s.problems ?? []).length === 0 ? (
                <Notice>{t('Nothing needs care.')}</Notice>
              ) : (
                (s.problems ?? []).map((p) => (
                  <Notice key={p.what + p.where} tone="warn">
                    <strong>{p.what}</strong> {p.where} {p.detail}
                  </Notice>
                ))
              )}
              <div className="stack" style={columns(320)}>
                <Card title={t('Program')}>
                  <dl className={css.facts}>
                    <dt>{t('Version')}</dt>
                    <dd>{s.version}</dd>
                    <dt>{t('Running since')}</dt>
                    <dd>{instant(s.started_at)}</dd>
                    <dt>{t('Built with')}</dt>
                    <dd>
                      {s.go}, {s.os}
                    </dd>
                    <dt>{t('Control database')}</dt>
                    <dd>{s.database === 'sqlite' ? 'SQLite' : 'PostgreSQL'}</dd>
                    <dt>{t('Snapshots kept')}</dt>
                    <dd>{integer(s.snapshots)}</dd>
                    <dt>{t('Last import')}</dt>
                    <dd>{s.last_import_at ? instant(s.last_import_at) : t('none')}</dd>
                  </dl>
                </Card>
                <Card title={t('Storage')}>
                  <dl className={css.facts}>
                    <dt>{t('Data files')}</dt>
                    <dd>
                      {integer(s.storage.files)} · {bytes(s.storage.bytes)}
                    </dd>
                    {s.storage.database_bytes ? (
                      <>
                        <dt>{t('Control database')}</dt>
                        <dd>{bytes(s.storage.database_bytes)}</dd>
                      </>
                    ) : null}
                    {s.storage.free_bytes ? (
                      <>
                        <dt>{t('Free on the disk')}</dt>
                        <dd>{bytes(s.storage.free_bytes)}</dd>
                      </>
                    ) : null}
                  </dl>
                </Card>
                <Card title={t('Jobs and caches')}>
                  <dl className={css.facts}>
                    {Object.entries(s.jobs).map(([state, n]) => [
                      <dt key={state}>{t('Jobs {{state}}', { state: words(state) })}</dt>,
                      <dd key={`${state}n`}>{integer(n)}</dd>,
                    ])}
                    <dt>{t('Answers from the cache')}</dt>
                    <dd>
                      {asked === 0 ? '—' : t('{{share}} of {{count}} queries', { share: percent(s.cache.hits / asked), count: asked })}
                    </dd>
                    <dt>{t('Encoded answers kept')}</dt>
                    <dd>
                      {integer(s.answers.entries)} · {bytes(s.answers.bytes)}
                    </dd>
                  </dl>
                </Card>
                <Card
                  title={t('Is everything whole?')}
                  subtitle={t('The audit chain, the checksum of each file, the catalog against the files, and the totals')}
                >
                  <div className="stack">
                    <div>
                      <Button isDisabled={verify.isPending} onPress={() => verify.mutate()}>
                        {verify.isPending ? t('Checking …') : t('Check now')}
                      </Button>
                    </div>
                    {verify.data ? (
                      verify.data.ok ? (
                        <Notice>{t('All checks passed in {{seconds}} s.', { seconds: (verify.data.took_ms / 1000).toFixed(1) })}</Notice>
                      ) : (
                        <Notice tone="bad">{(verify.data.problems ?? []).map((p) => JSON.stringify(p)).join(' · ')}</Notice>
                      )
                    ) : null}
                    {verify.isError ? <Notice tone="bad">{messageOf(verify.error)}</Notice> : null}
                  </div>
                </Card>
              </div>
              <Card title={t('What takes the room?')}>
                <DataTable
                  caption={t('Tables')}
                  rows={s.tables ?? []}
                  rowKey={(x) => x.name}
                  initial={{ id: 'bytes', descending: true }}
                  columns={[
                    { id: 'name', head: t('Table'), sort: (x) => x.name, cell: (x) => words(x.name) },
                    { id: 'rows', head: t('Rows'), right: true, sort: (x) => x.rows, cell: (x) => integer(x.rows) },
                    { id: 'files', head: t('Files'), right: true, sort: (x) => x.files, cell: (x) => integer(x.files) },
                    { id: 'bytes', head: t('Size'), right: true, sort: (x) => x.bytes, cell: (x) => bytes(x.bytes) },
                  ]}
                />
              </Card>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
