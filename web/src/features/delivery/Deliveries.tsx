import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { DELIVERY_STATES, type Delivery, type DeliveryState, deliveries, delivery, destinations } from '../../api/delivery';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useNames } from '../../metrics/names';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Select } from '../../ui/Field';
import { Empty, Failure, Loaded, Notice, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';

const STATES: Record<DeliveryState, string> = { waiting: t('waiting'), sent: t('sent'), failed: t('failed'), canceled: t('canceled') };
const TONES: Record<string, 'good' | 'bad' | 'warn' | undefined> = { sent: 'good', failed: 'bad', waiting: 'warn' };

/** What was sent or is to be, with what went wrong; the one alone that the address names. */
export function Deliveries() {
  const [search] = useAddress();
  return search.row ? <One id={search.row} /> : <All />;
}

/** A delivery that somebody was led to, as by a notice. */
function One({ id }: { id: string }) {
  const [, set] = useAddress();
  const one = useQuery(delivery(id));
  return (
    <Card
      title={t('What became of it?')}
      subtitle={one.data?.label}
      actions={<Button onPress={() => set({ row: undefined })}>{t('Show all deliveries')}</Button>}
    >
      <Loaded query={one} height={120}>
        {(d) => (
          <div className="stack">
            {d.problem ? <Notice {...(d.status === 'failed' ? { tone: 'bad' as const } : {})}>{d.problem}</Notice> : null}
            <Table rows={[d]} brief />
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function All() {
  const [search, set] = useAddress();
  const status = DELIVERY_STATES.find((s) => s === search.kind);
  const list = useInfiniteQuery(deliveries(status));
  const all = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  return (
    <Card
      title={t('What was sent?')}
      subtitle={t('Newest first, each recipient by itself')}
      actions={
        <Select
          label={t('State')}
          hideLabel
          value={status ?? 'all'}
          options={[['all', t('all states')] as const, ...DELIVERY_STATES.map((s) => [s, STATES[s]] as const)]}
          onChange={(next) => set({ kind: next === 'all' ? undefined : next })}
        />
      }
    >
      {list.isError && !list.data ? (
        <Failure error={list.error} onRetry={() => list.refetch()} />
      ) : !list.data ? (
        <div role="status" aria-label={t('Loading')}>
          <Skeleton height={200} />
        </div>
      ) : all.length === 0 ? (
        <Empty title={status ? t('There are none') : t('Nothing was sent yet')}>
          {t('What schedules and alerts send appears here, with what became of it.')}
        </Empty>
      ) : (
        <Table rows={all} />
      )}
      {list.hasNextPage ? (
        <Button isDisabled={list.isFetchingNextPage} onPress={() => list.fetchNextPage()}>
          {t('Show older ones')}
        </Button>
      ) : null}
    </Card>
  );
}

/** brief leaves out the problem, which stands above. */
function Table({ rows, brief }: { rows: Delivery[]; brief?: boolean }) {
  const places = useQuery(destinations()).data ?? [];
  const name = useNames();
  return (
    <DataTable
      caption={t('Deliveries')}
      rows={rows}
      rowKey={(d) => d.id}
      columns={[
        { id: 'label', head: t('What'), sort: (d) => d.label, cell: (d) => d.label },
        {
          id: 'status',
          head: t('State'),
          sort: (d) => d.status,
          cell: (d) => (
            <Badge {...(TONES[d.status] ? { tone: TONES[d.status] as 'good' } : {})}>{STATES[d.status as DeliveryState] ?? d.status}</Badge>
          ),
        },
        { id: 'to', head: t('To'), sort: (d) => (d.to ?? []).join(), cell: (d) => (d.to ?? []).map(name).join(', ') || '—' },
        {
          id: 'by',
          head: t('Through'),
          sort: (d) => d.destination,
          cell: (d) => places.find((p) => p.id === d.destination)?.name ?? (d.destination === 'push' ? t('browsers') : d.destination),
        },
        { id: 'attempts', head: t('Attempts'), right: true, sort: (d) => d.attempts, cell: (d) => d.attempts },
        {
          id: 'at',
          head: t('When'),
          sort: (d) => d.done_at ?? d.due_at,
          cell: (d) => (d.done_at ? instant(d.done_at) : t('next try {{at}}', { at: instant(d.due_at) })),
        },
        ...(brief
          ? []
          : [
              {
                id: 'problem',
                head: t('Problem'),
                sort: (d: Delivery) => d.problem,
                cell: (d: Delivery) => (d.problem ? <span title={d.problem}>{d.problem}</span> : '—'),
              },
            ]),
        { id: 'act', head: t('Do'), cell: (d) => <Act delivery={d} /> },
      ]}
    />
  );
}

function Act({ delivery: d }: { delivery: Delivery }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (what: 'retry' | 'cancel') =>
      what === 'retry'
        ? unwrap(api.POST('/api/v1/deliveries/{id}/retry', { params: { path: { id: d.id } } }))
        : unwrap(api.POST('/api/v1/deliveries/{id}/cancel', { params: { path: { id: d.id } } })),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['delivery', 'deliveries'] }),
  });
  if (d.status === 'waiting')
    return (
      <Button
        kind="quiet"
        isDisabled={change.isPending}
        onPress={() => change.mutate('cancel')}
        aria-label={t('Cancel {{what}}', { what: d.label })}
      >
        {t('Cancel')}
      </Button>
    );
  if (d.status === 'failed' || d.status === 'canceled')
    return (
      <Button
        kind="quiet"
        isDisabled={change.isPending}
        onPress={() => change.mutate('retry')}
        aria-label={t('Try again: {{what}}', { what: d.label })}
      >
        {t('Try again')}
      </Button>
    );
  return null;
}
