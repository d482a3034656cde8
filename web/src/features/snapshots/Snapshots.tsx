import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { closedMonths, type SnapshotInfo, snapshots } from '../../api/queries';
import { Page } from '../../app/Page';
import { instant, month, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useView } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { Select } from '../../ui/Field';
import { May } from '../../ui/may';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import { Comparison } from './Comparison';
import css from './snapshots.module.css';

/** Every state of the data, what changed between two, and the way back to one. */
export function Snapshots() {
  const list = useQuery(snapshots());
  const [back, setBack] = useState<SnapshotInfo>();
  const [compared, setCompared] = useState<number>();
  return (
    <Page
      title={t('Snapshots')}
      lead={t(
        'Every change of the data is a snapshot. Figures always belong to one; going back to an older one is itself a new snapshot, so nothing is lost by it.',
      )}
    >
      <div className="stack" style={columns(460)}>
        <Card title={t('What changed, and when?')} subtitle={t('Newest first')}>
          <Loaded
            query={list}
            height={320}
            isEmpty={(all) => all.length === 0}
            empty={<Empty title={t('No snapshot yet')}>{t('The first import makes one.')}</Empty>}
          >
            {(all) => (
              <ol className={css.timeline}>
                {all.map((s, i) => (
                  <li key={s.id}>
                    <div>
                      <strong>{s.message || words(s.kind)}</strong> {i === 0 ? <Badge tone="accent">{t('current')}</Badge> : null}
                      <p className="muted small">
                        {t('Snapshot {{id}} · {{at}} · {{author}}', { id: s.id, at: instant(s.at), author: s.author })} ·{' '}
                        {t('{{count}} rows', { count: Object.values(s.rows ?? {}).reduce((a, b) => a + b, 0) })}
                      </p>
                    </div>
                    <div className="row">
                      {i < all.length - 1 ? (
                        <Button
                          kind="quiet"
                          onPress={() => setCompared(s.id)}
                          aria-label={t('What changed with snapshot {{id}}', { id: s.id })}
                        >
                          {t('What changed')}
                        </Button>
                      ) : null}
                      {i > 0 ? (
                        <Button
                          kind="quiet"
                          need="data.restore"
                          onPress={() => setBack(s)}
                          aria-label={t('Go back to snapshot {{id}}', { id: s.id })}
                        >
                          {t('Go back')}
                        </Button>
                      ) : null}
                    </div>
                  </li>
                ))}
              </ol>
            )}
          </Loaded>
        </Card>
        <May action="data.read">
          <Months />
        </May>
      </div>
      {back && list.data ? <GoBack to={back} newer={list.data.filter((s) => s.id > back.id)} onClose={() => setBack(undefined)} /> : null}
      {compared !== undefined ? <Comparison id={compared} onClose={() => setCompared(undefined)} /> : null}
    </Page>
  );
}

function GoBack({ to, newer, onClose }: { to: SnapshotInfo; newer: SnapshotInfo[]; onClose: () => void }) {
  const client = useQueryClient();
  const current = newer[0]?.id;
  const go = useMutation({
    mutationFn: (id: number) => unwrap(api.POST('/api/v1/snapshots/{id}/rollback', { params: { path: { id } } })),
    onSuccess: (_, id) => {
      client.invalidateQueries({ queryKey: ['data'] });
      onClose();
      if (id === to.id)
        toast(
          t('The data is as it was in snapshot {{id}}.', { id }),
          current === undefined ? undefined : { label: t('Undo'), run: () => go.mutate(current) },
        );
      else toast(t('The data is as it was in snapshot {{id}} again.', { id }));
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Dialog open onClose={onClose} title={t('Go back to snapshot {{id}}?', { id: to.id })}>
      <p>
        {t('The figures will be as they were on {{at}}. What came after it is no longer counted, and stays in the history:', {
          at: instant(to.at),
        })}
      </p>
      <ul className="muted small">
        {newer.slice(0, 8).map((s) => (
          <li key={s.id}>
            {s.id}: {s.message}
          </li>
        ))}
        {newer.length > 8 ? <li>{t('and {{count}} more', { count: newer.length - 8 })}</li> : null}
      </ul>
      <div className="row">
        <Button kind="primary" isDisabled={go.isPending} onPress={() => go.mutate(to.id)}>
          {t('Go back')}
        </Button>
        <Button onPress={onClose}>{t('Cancel')}</Button>
      </div>
    </Dialog>
  );
}

function Months() {
  const client = useQueryClient();
  const list = useQuery(closedMonths());
  const { complete } = useView();
  const [chosen, setChosen] = useState('');
  const months: string[] = [];
  if (complete)
    for (let m = addMonths(complete.to, -1); m >= complete.from && months.length < 36; m = addMonths(m, -1)) months.push(m.slice(0, 7));
  const closed = new Set((list.data ?? []).map((c) => c.month));
  const open = months.filter((m) => !closed.has(m));
  const pick = open.includes(chosen) ? chosen : (open[0] ?? '');
  const change = useMutation({
    mutationFn: ({ month: m, close }: { month: string; close: boolean }) =>
      unwrap(
        close
          ? api.POST('/api/v1/closed-months/{month}/close', { params: { path: { month: m } } })
          : api.POST('/api/v1/closed-months/{month}/reopen', { params: { path: { month: m } } }),
      ),
    onSuccess: (_, { month: m, close }) => {
      client.invalidateQueries({ queryKey: ['data', 'closed'] });
      toast(
        close
          ? t('{{month}} is closed: no import or roll-back may change it.', { month: month(`${m}-01`) })
          : t('{{month}} is open for corrections.', { month: month(`${m}-01`) }),
        { label: t('Undo'), run: () => change.mutate({ month: m, close: !close }) },
      );
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Which months are closed?')}
      subtitle={t('No import or roll-back may change a closed month; what would is refused whole')}
    >
      <div className="stack">
        <Loaded query={list} height={80}>
          {(all) =>
            all.length === 0 ? (
              <p className="muted">{t('None yet. Close a month when its books are done.')}</p>
            ) : (
              <ul className={css.months}>
                {[...all].reverse().map((c) => (
                  <li key={c.month}>
                    <span>
                      {month(`${c.month}-01`)}{' '}
                      <span className="muted small">{t('closed {{at}} by {{actor}}', { at: instant(c.closed_at), actor: c.actor })}</span>
                    </span>
                    <Button
                      kind="quiet"
                      onPress={() => change.mutate({ month: c.month, close: false })}
                      aria-label={t('Open again: {{month}}', { month: month(`${c.month}-01`) })}
                    >
                      {t('Open again')}
                    </Button>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
        {open.length > 0 ? (
          <div className="row" style={{ alignItems: 'end' }}>
            <Select label={t('Month')} value={pick} onChange={setChosen} options={open.map((m) => [m, month(`${m}-01`)] as const)} />
            <Button need="data.restore" isDisabled={change.isPending} onPress={() => change.mutate({ month: pick, close: true })}>
              {t('Close it')}
            </Button>
          </div>
        ) : null}
      </div>
    </Card>
  );
}
