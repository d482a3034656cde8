import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { messageOf } from '../../api/client';
import { removeSchedule, reportTemplates, runSchedule, type Schedule, type ScheduleSpec, saveSchedule, schedules } from '../../api/reports';
import { inWords } from '../../lib/cron';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { titleOf } from '../../metrics/reporting';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { Collection } from '../../ui/Collection';
import { Drawer } from '../../ui/Dialog';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { ScheduleForm } from './ScheduleForm';

/** The part of a schedule that people set. */
export function specOf({
  id: _,
  next_at: __,
  last_at: ___,
  problem: ____,
  created_by: _____,
  created_at: ______,
  ...spec
}: Schedule): ScheduleSpec {
  return spec;
}

/** What is made and sent by itself. */
export function Schedules() {
  const list = useQuery(schedules());
  const templates = useQuery(reportTemplates());
  const [search, set] = useAddress();
  const open = search.schedule;
  const chosen = list.data?.find((x) => x.id === open?.id);
  return (
    <>
      <Collection
        title={t('What is made by itself?')}
        subtitle={t('Each file is made with the rights of whoever gets it')}
        query={list}
        add={{ label: t('Add a schedule'), onPress: () => set({ schedule: {} }) }}
        empty={{ title: t('Nothing is scheduled'), text: t('Have a report made every month and sent to those who need it.') }}
      >
        {(x) => <One schedule={x} title={titleOf(templates.data?.items.find((i) => i.name === x.template) ?? { title: x.template })} />}
      </Collection>
      {open && templates.data && (!open.id || chosen) ? (
        <Drawer
          open
          onClose={() => set({ schedule: undefined })}
          title={chosen ? t('Change {{name}}', { name: chosen.name }) : t('New schedule')}
          subtitle={t('A report that is made and sent by itself.')}
        >
          <ScheduleForm
            key={open.id ?? 'new'}
            templates={templates.data.items}
            formats={templates.data.formats}
            saved={chosen}
            given={open}
            onDone={() => set({ schedule: undefined }, { sure: true })}
          />
        </Drawer>
      ) : open?.id && list.data && !chosen ? (
        <Notice tone="warn">{t('This schedule has been removed. What it made stays under Files.')}</Notice>
      ) : null}
    </>
  );
}

function One({ schedule: x, title }: { schedule: Schedule; title: string }) {
  const client = useQueryClient();
  const [, set] = useAddress();
  const refresh = () => client.invalidateQueries({ queryKey: ['reports'] });
  const failed = (e: unknown) => toast(messageOf(e));
  const run = useMutation({
    mutationFn: () => runSchedule(x.id),
    onSuccess: async () => {
      toast(t('{{name}} runs now. Its files appear under Files.', { name: x.name }));
      await refresh();
    },
    onError: failed,
  });
  const change = useMutation({
    mutationFn: (paused: boolean) => saveSchedule(x.id, { ...specOf(x), paused }),
    onSuccess: refresh,
    onError: failed,
  });
  const restore = useMutation({ mutationFn: () => saveSchedule(undefined, specOf(x)), onSuccess: refresh, onError: failed });
  const remove = useMutation({
    mutationFn: () => removeSchedule(x.id),
    onSuccess: async () => {
      toast(t('{{name}} was removed. What it made stays.', { name: x.name }), { label: t('Undo'), run: () => restore.mutate() });
      await refresh();
    },
    onError: failed,
  });
  const busy = run.isPending || change.isPending || remove.isPending;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="spread">
        <h3>{x.name}</h3>
        {x.paused ? (
          <Badge tone="warn">{t('paused')}</Badge>
        ) : x.problem ? (
          <Badge tone="bad">{t('needs a look')}</Badge>
        ) : (
          <Badge tone="good">{t('on')}</Badge>
        )}
      </div>
      <p className="muted small">
        {title}
        {x.every_client ? t(', for every client') : x.client ? t(', for {{client}}', { client: x.client }) : ''} ·{' '}
        {x.formats.map((f) => f.toUpperCase()).join(', ')} · {inWords(x.cron)} ({x.zone}) ·{' '}
        {x.recipients.length > 0 ? t('{{count}} recipients', { count: x.recipients.length }) : t('kept under Files only')}
      </p>
      <p className="small">
        {x.next_at ? t('Next: {{at}}', { at: instant(x.next_at) }) : t('Paused: nothing runs by itself')} ·{' '}
        {x.last_at ? t('last: {{at}}', { at: instant(x.last_at) }) : t('has not run yet')}
      </p>
      {x.problem ? <Notice tone="warn">{x.problem}</Notice> : null}
      <div className="row">
        <Button isDisabled={busy} onPress={() => run.mutate()} aria-label={t('Run now: {{name}}', { name: x.name })}>
          {t('Run now')}
        </Button>
        <Button onPress={() => set({ schedule: { id: x.id } })} aria-label={t('Edit {{name}}', { name: x.name })}>
          {t('Edit')}
        </Button>
        <Button
          isDisabled={busy}
          onPress={() => change.mutate(!x.paused)}
          aria-label={x.paused ? t('Go on with {{name}}', { name: x.name }) : t('Pause {{name}}', { name: x.name })}
        >
          {x.paused ? t('Go on') : t('Pause')}
        </Button>
        <Button kind="danger" isDisabled={busy} onPress={() => remove.mutate()} aria-label={t('Remove {{name}}', { name: x.name })}>
          {t('Remove')}
        </Button>
        <Link to="/reports" search={{ tab: 'files' } as never}>
          {t('Files')}
        </Link>
      </div>
    </div>
  );
}
