import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Alert, alerts } from '../../api/delivery';
import { catalog, type Rule, rules } from '../../api/queries';
import { Page } from '../../app/Page';
import { format, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useNames } from '../../metrics/names';
import { periodText } from '../../metrics/words';
import { Button, Segmented } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { Collection } from '../../ui/Collection';
import { Dialog, Drawer } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { useMay } from '../../ui/may';
import { Notice } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { toast } from '../../ui/toast';
import { Routes } from './Routes';
import { ThresholdForm } from './ThresholdForm';

/** What rules found that holds, who knows of it, and whom they tell. */
export function Alerts() {
  const [search, set] = useAddress();
  const mayDefine = useMay('definitions.write');
  const adding = search.edit === 1 && mayDefine;
  return (
    <Page
      title={t('Alerts')}
      lead={t('Rules that hold now, who knows of them, and whom they tell.')}
      actions={
        <Button kind="primary" need="definitions.write" onPress={() => set({ edit: 1 })}>
          <Plus size={16} aria-hidden="true" /> {t('Alert on a measure')}
        </Button>
      }
    >
      {mayDefine ? (
        <Tabs
          label={t('Alerts')}
          value={search.tab ?? 'alerts'}
          onChange={(tab) => set({ tab: tab === 'alerts' ? undefined : tab, row: undefined })}
          tabs={[
            { id: 'alerts', title: t('What holds'), content: () => <List /> },
            { id: 'routes', title: t('Whom it tells'), content: () => <Routes /> },
          ]}
        />
      ) : (
        <List />
      )}
      {adding ? (
        <Drawer
          open
          onClose={() => set({ edit: undefined })}
          title={t('Alert on a measure')}
          subtitle={t('Makes the rule, and whom it tells, in one step.')}
        >
          <ThresholdForm onDone={() => set({ edit: undefined })} />
        </Drawer>
      ) : null}
    </Page>
  );
}

function List() {
  const [search, set] = useAddress();
  const past = search.kind === 'all';
  const list = useQuery(alerts(!past));
  const known = useQuery({ ...rules(), enabled: useMay('boards.read') }).data ?? [];
  return (
    <Collection
      title={past ? t('What held?') : t('What holds now?')}
      subtitle={t('The last begun first')}
      query={list}
      actions={
        <Segmented
          label={t('Which')}
          value={past ? 'all' : 'now'}
          options={[
            ['now', t('Now')],
            ['all', t('Past, too')],
          ]}
          onChange={(next) => set({ kind: next === 'all' ? 'all' : undefined })}
        />
      }
      empty={{
        title: past ? t('No rule has held yet') : t('No rule holds now'),
        text: t('When a measure passes a limit that you set, it appears here and those you name are told.'),
      }}
    >
      {(a) => <One alert={a} rule={known.find((r) => r.name === a.rule && r.version === a.version)} />}
    </Collection>
  );
}

const TONES: Record<string, 'bad' | 'warn' | 'accent'> = { critical: 'bad', warning: 'warn', info: 'accent' };
const SEVERITIES: Record<string, string> = { critical: t('critical'), warning: t('warning'), info: t('for information') };

function One({ alert: a, rule }: { alert: Alert; rule: Rule | undefined }) {
  const client = useQueryClient();
  const name = useNames();
  const names = useQuery(catalog()).data;
  const [noting, setNoting] = useState(false);
  const [note, setNote] = useState('');
  const refresh = () => client.invalidateQueries({ queryKey: ['data', 'alerts'] });
  const take = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/alerts/{id}/acknowledge', { params: { path: { id: a.id } } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const say = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/alerts/{id}/acknowledge', { params: { path: { id: a.id } }, body: note.trim() ? { note: note.trim() } : {} }),
      ),
    onSuccess: async () => {
      setNoting(false);
      toast(t('It is known: nobody is reminded of it any more.'), { label: t('Undo'), run: () => take.mutate() });
      await refresh();
    },
  });
  const unit = (rule && names?.measure.get(rule.measure)?.unit) ?? 'number';
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="spread">
        <h3>{a.subject ? t('{{rule}}: {{subject}}', { rule: a.rule, subject: a.subject }) : a.rule}</h3>
        <span className="row">
          {a.severity ? <Badge tone={TONES[a.severity] ?? 'warn'}>{SEVERITIES[a.severity] ?? a.severity}</Badge> : null}
          {a.ended_at ? <Badge>{t('over since {{at}}', { at: instant(a.ended_at) })}</Badge> : null}
        </span>
      </div>
      <p>
        <strong className="num">{format(a.value, unit)}</strong> <span className="muted">{periodText(a.period)}</span>
        {rule ? <span className="muted"> · {rule.condition}</span> : null}
      </p>
      <p className="muted small">
        {t('Since {{at}}', { at: instant(a.first_at) })} ·{' '}
        {a.told_at ? t('told {{count}} times, last {{at}}', { count: a.times, at: instant(a.told_at) }) : t('nobody was told yet')}
      </p>
      {a.acknowledged ? (
        <div className="row">
          <span className="small">
            {t('{{who}} knows of it since {{at}}', { who: name(a.acknowledged.by), at: instant(a.acknowledged.at) })}
            {a.acknowledged.note ? `: ${a.acknowledged.note}` : ''}
          </span>
          <Button
            kind="quiet"
            isDisabled={take.isPending}
            onPress={() => take.mutate()}
            aria-label={t('Take back that {{rule}} is known', { rule: a.rule })}
          >
            {t('Take back')}
          </Button>
        </div>
      ) : a.ended_at ? null : (
        <div className="row">
          <Button onPress={() => setNoting(true)} aria-label={t('Acknowledge {{rule}} {{subject}}', { rule: a.rule, subject: a.subject })}>
            {t('Acknowledge')}
          </Button>
        </div>
      )}
      <Dialog
        open={noting}
        onClose={() => setNoting(false)}
        title={t('You know of it')}
        subtitle={t('Nobody is reminded of it then. It can be taken back.')}
      >
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            say.mutate();
          }}
        >
          {say.isError ? <Notice tone="bad">{messageOf(say.error)}</Notice> : null}
          <TextField
            label={t('Note for colleagues')}
            multiline
            value={note}
            onChange={setNote}
            hint={t('What is done about it; may stay empty.')}
          />
          <div className="row">
            <Button kind="primary" type="submit" isDisabled={say.isPending}>
              {t('Acknowledge')}
            </Button>
          </div>
        </form>
      </Dialog>
    </div>
  );
}
