import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { messageOf } from '../../api/client';
import { download } from '../../api/files';
import { type AuditAsk, auditEntries, auditParameters, auditState } from '../../api/queries';
import { Page } from '../../app/Page';
import { instant, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addDays } from '../../lib/period';
import { useView } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { useNames } from '../../metrics/names';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Select, TextField } from '../../ui/Field';
import { Menu } from '../../ui/Menu';
import { Empty, Failure, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './audit.module.css';
import { Checkpoints } from './Checkpoints';
import { Details } from './Details';
import { Retention } from './Retention';
import { groups, said, saidSource } from './said';
import { Whole } from './Whole';

/** Who did what, when, from where and why, and whether the record of it is whole. */
export function Audit() {
  const { search } = useView();
  const { until, ...rest } = search.audit ?? {};
  const ask: AuditAsk = { ...rest, to: until ? addDays(until, 1) : undefined };
  const state = useQuery(auditState());
  const save = (format: 'csv' | 'json') => {
    const query = new URLSearchParams({ ...auditParameters(ask), format, order: format === 'json' ? 'oldest' : 'newest' });
    download(`/api/v1/audit/export?${query}`).then(
      (name) => toast(t('{{name}} is saved.', { name })),
      (e) => toast(messageOf(e)),
    );
  };
  return (
    <Page
      title={t('Audit record')}
      lead={t(
        'Who did what, when, from where and why. Entries are only ever added, and each holds the hash of the one before: what somebody changes later shows.',
      )}
      actions={
        <Menu
          label={t('Export')}
          trigger={<Button>{t('Export')}</Button>}
          sections={[
            {
              head: t('What is shown, all of it'),
              actions: [
                { id: 'csv', label: t('CSV for a spreadsheet'), onAction: () => save('csv') },
                { id: 'json', label: t('JSON to check the chain elsewhere'), onAction: () => save('json') },
              ],
            },
          ]}
        />
      }
    >
      <Card title={t('What happened?')} subtitle={t('The newest first; times of your time zone')}>
        <div className="stack">
          <Filters actors={state.data?.actors ?? []} actions={state.data?.actions ?? []} />
          <Entries ask={ask} />
        </div>
      </Card>
      <div className="stack" style={columns(380)}>
        <Whole />
        <Checkpoints state={state} />
        <Retention state={state} />
      </div>
    </Page>
  );
}

function Filters({ actors, actions }: { actors: string[]; actions: string[] }) {
  const { search, set } = useView();
  const name = useNames();
  const now = search.audit ?? {};
  const change = (part: Partial<typeof now>) => {
    const next = Object.fromEntries(Object.entries({ ...now, ...part }).filter(([, v]) => v));
    set({ audit: Object.keys(next).length > 0 ? next : undefined }, { replace: true });
  };
  const known = (all: string[], chosen: string | undefined) => (chosen && !all.includes(chosen) ? [...all, chosen] : all);
  return (
    <search className={css.filters}>
      <TextField
        label={t('Search')}
        type="search"
        placeholder={t('action, subject, reason, detail')}
        value={now.search ?? ''}
        onChange={(text) => change({ search: text })}
      />
      <Select
        label={t('Who')}
        value={now.actor ?? ''}
        onChange={(actor) => change({ actor })}
        options={[['', t('everybody')] as const, ...known(actors, now.actor).map((a) => [a, name(a)] as const)]}
      />
      <Select
        label={t('What')}
        value={now.action ?? ''}
        onChange={(action) => change({ action })}
        options={[
          ['', t('everything')] as const,
          ...known(groups(actions), now.action).map((g) => [g, sentence(g.replace(/\.$/, '').replaceAll(/[_.-]/g, ' '))] as const),
        ]}
      />
      <TextField label={t('From day')} type="date" value={now.from ?? ''} onChange={(from) => change({ from })} />
      <TextField label={t('Until day')} type="date" value={now.until ?? ''} onChange={(until) => change({ until })} />
    </search>
  );
}

function Entries({ ask }: { ask: AuditAsk }) {
  const { search, set } = useView();
  const name = useNames();
  const found = useInfiniteQuery(auditEntries(ask));
  if (!found.data) {
    if (found.isError) return <Failure error={found.error} onRetry={() => found.refetch()} />;
    return (
      <div role="status" aria-label={t('Loading')}>
        <Skeleton height={360} />
      </div>
    );
  }
  const all = found.data.pages.flatMap((p) => p.items ?? []);
  if (all.length === 0)
    return Object.keys(auditParameters(ask)).length > 0 ? (
      <Empty title={t('No entry fits')} action={<Button onPress={() => set({ audit: undefined })}>{t('Show all entries')}</Button>}>
        {t('Entries whose content was removed by policy are found by their day only.')}
      </Empty>
    ) : (
      <Empty title={t('Nothing is recorded yet')}>{t('The first import writes the first entry.')}</Empty>
    );
  const open = all.find((e) => String(e.seq) === search.row);
  return (
    <>
      <DataTable
        caption={t('Entries of the audit record')}
        rows={all}
        rowKey={(e) => String(e.seq)}
        columns={[
          {
            id: 'what',
            head: t('What'),
            cell: (e) => (
              <button type="button" className={css.open} onClick={() => set({ row: String(e.seq) })}>
                {said(e)}
              </button>
            ),
          },
          {
            id: 'at',
            head: t('When'),
            cell: (e) => (
              <time dateTime={e.at} title={`${e.at.slice(0, 19).replace('T', ' ')} UTC`}>
                {instant(e.at)}
              </time>
            ),
          },
          { id: 'who', head: t('Who'), cell: (e) => (e.actor ? <span title={e.actor}>{name(e.actor)}</span> : '—') },
          { id: 'from', head: t('From'), cell: saidSource },
          { id: 'about', head: t('About'), cell: (e) => `${e.subject.kind} ${e.subject.id}`.trim() || '—' },
          { id: 'why', head: t('Why'), cell: (e) => <span className={css.why}>{e.reason || '—'}</span> },
          { id: 'entry', head: t('Entry'), right: true, cell: (e) => e.seq },
        ]}
      />
      {found.hasNextPage ? (
        <div>
          <Button isDisabled={found.isFetchingNextPage} onPress={() => found.fetchNextPage()}>
            {found.isFetchingNextPage ? t('Loading …') : t('Show older entries')}
          </Button>
        </div>
      ) : null}
      {open ? <Details entry={open} onClose={() => set({ row: undefined })} /> : null}
    </>
  );
}
