import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { api, messageOf, unwrap } from '../../api/client';
import { type DashboardItem, dashboards, dashboardTemplates } from '../../api/queries';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';

type Template = 'owner' | 'service' | 'finance';

/** Pages that people put together themselves, from a template or from nothing. */
export function Dashboards() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const list = useQuery(dashboards());
  const gone = useQuery(dashboards(true));
  const templates = useQuery(dashboardTemplates());
  const refresh = () => client.invalidateQueries({ queryKey: ['dashboards'] });
  const make = useMutation({
    mutationFn: (from: { name: string; template?: Template }) => unwrap(api.POST('/api/v1/dashboards', { body: from })),
    onSuccess: (d) => {
      refresh();
      navigate({ to: '/dashboards/$id', params: { id: d.id }, search: { edit: 1 } });
    },
    onError: (e) => toast(messageOf(e)),
  });
  const restore = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/dashboards/{id}/restore', { params: { path: { id } } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (d: DashboardItem) => unwrap(api.DELETE('/api/v1/dashboards/{id}', { params: { path: { id: d.id } } })),
    onSuccess: (_, d) => {
      refresh();
      toast(t('{{name}} was deleted.', { name: d.name }), { label: t('Undo'), run: () => restore.mutate(d.id) });
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Page
      title={t('Dashboards')}
      lead={t('Put the figures you look at every week on one page, or on the wall.')}
      actions={
        <Button kind="primary" need="boards.write" isDisabled={make.isPending} onPress={() => make.mutate({ name: t('New dashboard') })}>
          {t('New dashboard')}
        </Button>
      }
    >
      <Card title={t('Your dashboards')}>
        <Loaded
          query={list}
          height={120}
          isEmpty={(all) => all.length === 0}
          empty={<Empty title={t('None yet')}>{t('Start from a template below: every tile can be changed.')}</Empty>}
        >
          {(all) => (
            <DataTable
              caption={t('Dashboards')}
              rows={all}
              rowKey={(d) => d.id}
              columns={[
                {
                  id: 'name',
                  head: t('Name'),
                  sort: (d) => d.name,
                  cell: (d) => (
                    <Link to="/dashboards/$id" params={{ id: d.id }}>
                      {d.name}
                    </Link>
                  ),
                },
                { id: 'updated', head: t('Changed'), sort: (d) => d.updated_at, cell: (d) => instant(d.updated_at) },
                { id: 'author', head: t('By'), sort: (d) => d.author, cell: (d) => d.author },
                {
                  id: 'delete',
                  head: '',
                  cell: (d) => (
                    <Button
                      kind="quiet"
                      need="boards.write"
                      onPress={() => remove.mutate(d)}
                      aria-label={t('Delete {{name}}', { name: d.name })}
                    >
                      {t('Delete')}
                    </Button>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
      <Loaded query={templates} height={120}>
        {(all) => (
          <div className="stack" style={columns(260)}>
            {all.map((x) => (
              <Card key={x.key} title={x.label} subtitle={x.description} level={3}>
                <div className="spread">
                  <span className="muted small">{t('{{count}} tiles', { count: x.content.tiles?.length ?? 0 })}</span>
                  <Button
                    isDisabled={make.isPending}
                    onPress={() => make.mutate({ name: x.label, template: x.key as Template })}
                    aria-label={t('Start from this: {{name}}', { name: x.label })}
                  >
                    {t('Start from this')}
                  </Button>
                </div>
              </Card>
            ))}
          </div>
        )}
      </Loaded>
      {(gone.data ?? []).length > 0 ? (
        <Card title={t('Deleted')} subtitle={t('Kept for 30 days')}>
          <ul className="stack" style={{ gap: 4 }}>
            {(gone.data ?? []).map((d) => (
              <li key={d.id} className="row">
                {d.name}
                <Button
                  kind="quiet"
                  need="boards.write"
                  onPress={() => restore.mutate(d.id)}
                  aria-label={t('Restore {{name}}', { name: d.name })}
                >
                  {t('Restore')}
                </Button>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
    </Page>
  );
}
