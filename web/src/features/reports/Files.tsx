import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { messageOf } from '../../api/client';
import { cancelReport, MOVING, type Report, reports, reportTemplates } from '../../api/reports';
import { bytes, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useNames } from '../../metrics/names';
import { periodText } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { useMay } from '../../ui/may';
import { Empty, Loaded, Progress } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './reports.module.css';
import { STATES } from './words';

/** What was made and is being made, the newest first. */
export function Files() {
  const list = useQuery(reports());
  const [, set] = useAddress();
  const name = useNames();
  const formats = useQuery({ ...reportTemplates(), enabled: useMay('boards.read') }).data?.formats ?? [];
  const labelOf = (f: string) => formats.find((x) => x.name === f)?.label ?? f.toUpperCase();
  return (
    <Card title={t('Which files were made?')} subtitle={t('Newest first; open one for what it was made from and who has it')}>
      <Loaded
        query={list}
        height={240}
        isEmpty={(all) => all.length === 0}
        empty={<Empty title={t('No file is made yet')}>{t('Make one from a template, or have a schedule make it.')}</Empty>}
      >
        {(all) => (
          <DataTable
            caption={t('Reports')}
            rows={all}
            rowKey={(r) => r.id}
            maxHeight={640}
            columns={[
              {
                id: 'title',
                head: t('Report'),
                sort: (r) => r.title,
                cell: (r) => (
                  <CellButton label={t('Open {{title}}', { title: r.title })} onPress={() => set({ report: r.id })}>
                    {r.title}
                  </CellButton>
                ),
              },
              { id: 'state', head: t('State'), sort: (r) => r.state, cell: (r) => <StateOf report={r} /> },
              { id: 'client', head: t('Client'), sort: (r) => r.client ?? '', cell: (r) => r.client || t('all') },
              { id: 'period', head: t('Period'), sort: (r) => r.period.to, cell: (r) => periodText(r.period) },
              { id: 'format', head: t('Format'), sort: (r) => r.format, cell: (r) => labelOf(r.format) },
              { id: 'at', head: t('Made'), sort: (r) => r.made_at, cell: (r) => instant(r.made_at) },
              { id: 'by', head: t('By'), sort: (r) => name(r.made_by), cell: (r) => (r.schedule ? t('a schedule') : name(r.made_by)) },
              {
                id: 'size',
                head: t('Size'),
                right: true,
                sort: (r) => r.bytes,
                cell: (r) => (r.state === 'done' && !r.removed_at ? bytes(r.bytes) : '—'),
              },
              {
                id: 'notes',
                head: t('Notes'),
                sort: (r) => r.notes.length,
                cell: (r) =>
                  r.notes.length > 0 ? (
                    <span title={r.notes.join('\n')}>{t('{{count}} notes', { count: r.notes.length })}</span>
                  ) : (
                    <span className="muted">{t('none')}</span>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** How far a file is; while it is being made it can be stopped. */
export function StateOf({ report: r }: { report: Report }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelReport(r.id),
    onSettled: () => client.invalidateQueries({ queryKey: ['reports'] }),
    onError: (e) => toast(messageOf(e)),
  });
  if (r.removed_at) return <Badge>{t('removed')}</Badge>;
  if (!MOVING.includes(r.state))
    return (
      <Badge
        {...(r.state === 'done' ? { tone: 'good' as const } : r.state === 'failed' ? { tone: 'bad' as const } : {})}
        {...(r.problem ? { title: r.problem } : {})}
      >
        {STATES[r.state]}
      </Badge>
    );
  return (
    <span className={css.moving}>
      <span>
        {r.total > 0 && r.state === 'running' ? t('{{done}} of {{total}} parts', { done: r.done, total: r.total }) : STATES[r.state]}
      </span>
      <Progress value={r.total > 0 ? r.done / r.total : 0} label={t('How far {{title}} is', { title: r.title })} />
      <Button
        kind="quiet"
        need="figures.export"
        isDisabled={cancel.isPending}
        onPress={() => cancel.mutate()}
        aria-label={t('Cancel {{title}}', { title: r.title })}
      >
        {t('Cancel')}
      </Button>
    </span>
  );
}
