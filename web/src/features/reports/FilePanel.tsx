import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode, useState } from 'react';
import { messageOf } from '../../api/client';
import { downloadReport, MOVING, type Report, removeReport, report, reproduceReport } from '../../api/reports';
import { bytes, day, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useNames } from '../../metrics/names';
import { periodText } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { Drawer } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { StateOf } from './Files';
import css from './reports.module.css';
import { CHANNELS } from './words';

/** One file: its state, what it was made from, who has it, and what can be done with it. */
export function FilePanel({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useQuery(report(id));
  return (
    <Drawer
      open
      onClose={onClose}
      title={query.data?.title ?? t('Report')}
      subtitle={query.data ? periodText(query.data.period) : undefined}
    >
      <Loaded query={query} height={320}>
        {(r) => <Whole key={r.id} report={r} />}
      </Loaded>
    </Drawer>
  );
}

function Whole({ report: r }: { report: Report }) {
  const name = useNames();
  const there = r.state === 'done' && !r.removed_at;
  return (
    <>
      <div className="row">
        <StateOf report={r} />
        {there ? <span className="muted small">{bytes(r.bytes)}</span> : null}
      </div>
      {r.state === 'failed' ? <Notice tone="bad">{r.problem || t('It could not be made.')}</Notice> : null}
      {r.removed_at ? (
        <Notice>{t('The file was removed {{at}}. That it was made stays on the record.', { at: instant(r.removed_at) })}</Notice>
      ) : null}
      {r.notes.length > 0 ? (
        <section className={css.panelPart} aria-label={t('What a reader must know')}>
          <h3>{t('What a reader must know')}</h3>
          <ul className={css.plain}>
            {r.notes.map((n) => (
              <li key={n}>{n}</li>
            ))}
          </ul>
        </section>
      ) : null}
      {there ? <Actions report={r} /> : null}
      <section className={css.panelPart} aria-label={t('What it was made from')}>
        <h3>{t('What it was made from')}</h3>
        <Facts
          list={[
            [t('Template'), r.template],
            [t('Client'), r.client || t('all')],
            [t('Period'), periodText(r.period)],
            [t('As of'), day(r.as_of)],
            [t('Snapshot'), String(r.snapshot)],
            [t('Position of the record'), String(r.audit_position)],
            [t('Revision of definitions'), String(r.definitions_revision)],
            [t('Settings'), <Hash key="s" of={r.settings_hash} />],
            [t('All inputs'), <Hash key="i" of={r.input_hash} />],
            [t('With the rights of'), r.role],
            [t('Version of the program'), r.product],
          ]}
        />
      </section>
      <section className={css.panelPart} aria-label={t('The file')}>
        <h3>{t('The file')}</h3>
        <Facts
          list={[
            [t('Format'), r.format.toUpperCase()],
            ['SHA-256', r.sha256 ? <Hash key="h" of={r.sha256} /> : '—'],
            [
              t('Asked for by'),
              r.schedule ? (
                <Link key="by" to="/reports" search={{ tab: 'schedules', schedule: { id: r.schedule.split(' ')[0] } } as never}>
                  {t('a schedule')}
                </Link>
              ) : (
                name(r.made_by)
              ),
            ],
            [t('Asked for'), instant(r.made_at)],
            [t('Finished'), r.finished_at ? instant(r.finished_at) : '—'],
          ]}
        />
      </section>
      {MOVING.includes(r.state) ? null : <Receipts report={r} />}
    </>
  );
}

function Facts({ list }: { list: (readonly [string, ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {list.map(([label, text]) => (
        <Fragment key={label}>
          <dt>{label}</dt>
          <dd>{text}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

const Hash = ({ of }: { of: string }) => <code>{of}</code>;

function Receipts({ report: r }: { report: Report }) {
  const name = useNames();
  const list = r.receipts ?? [];
  return (
    <section className={css.panelPart} aria-label={t('Who has it')}>
      <h3>{t('Who has it')}</h3>
      {list.length === 0 ? (
        <p className="muted">{t('Nobody fetched it or was sent it yet.')}</p>
      ) : (
        <ul className={css.plain}>
          {list.map((x) => (
            <li key={`${x.receiver} ${x.channel} ${x.at}`}>
              {name(x.receiver)} {CHANNELS[x.channel] ?? x.channel}, {instant(x.at)}{' '}
              {x.status ? <Badge {...(x.status === 'failed' ? { tone: 'bad' as const } : {})}>{x.status}</Badge> : null}
              {x.problem ? <span className="muted small"> {x.problem}</span> : null}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Actions({ report: r }: { report: Report }) {
  const client = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const [reason, setReason] = useState('');
  const refresh = () => client.invalidateQueries({ queryKey: ['reports'] });
  const fetched = useMutation({
    mutationFn: () => downloadReport(r.id),
    onSuccess: async (name) => {
      toast(t('{{name}} was saved. It is also under Downloads, offline too.', { name }));
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  const again = useMutation({ mutationFn: () => reproduceReport(r.id) });
  const remove = useMutation({
    mutationFn: () => removeReport(r.id, reason.trim()),
    onSuccess: async () => {
      setRemoving(false);
      toast(t('The file was removed.'));
      await refresh();
    },
  });
  return (
    <>
      <div className="row">
        <Button kind="primary" isDisabled={fetched.isPending} onPress={() => fetched.mutate()}>
          {t('Download')}
        </Button>
        <Button need="figures.export" isDisabled={again.isPending} onPress={() => again.mutate()}>
          {again.isPending ? t('Making it again…') : t('Make again and compare')}
        </Button>
        <Button kind="danger" need="figures.export" onPress={() => setRemoving(!removing)} aria-expanded={removing}>
          {t('Remove…')}
        </Button>
      </div>
      <div aria-live="polite">
        {again.isError ? <Notice tone="bad">{messageOf(again.error)}</Notice> : null}
        {again.data?.same ? (
          <Notice>{t('It is the same to the byte: the file made again has the same SHA-256.')}</Notice>
        ) : again.data ? (
          <Notice tone="warn">
            {t('It is not the same: {{why}}', {
              why: again.data.why || t('the file made again has the SHA-256 {{hash}}.', { hash: again.data.sha256 }),
            })}
          </Notice>
        ) : null}
      </div>
      {removing ? (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            remove.mutate();
          }}
        >
          {remove.isError ? <Notice tone="bad">{messageOf(remove.error)}</Notice> : null}
          <TextField
            label={t('Why is it removed?')}
            value={reason}
            onChange={setReason}
            hint={t(
              'The file cannot be brought back, only made again from a template. The record keeps that it was made, and this reason.',
            )}
            autoFocus
          />
          <div className="row">
            <Button kind="danger" type="submit" isDisabled={reason.trim() === '' || remove.isPending}>
              {t('Remove the file')}
            </Button>
            <Button onPress={() => setRemoving(false)}>{t('Keep it')}</Button>
          </div>
        </form>
      ) : null}
    </>
  );
}
