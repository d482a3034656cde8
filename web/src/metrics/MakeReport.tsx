import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '../api/client';
import {
  cancelReport,
  downloadReport,
  type FormatOf,
  MOVING,
  makeReport,
  type Report,
  type ReportAsk,
  report,
  type Template,
} from '../api/reports';
import { t } from '../lib/i18n';
import type { Period } from '../lib/period';
import { used } from '../lib/usage';
import { Button } from '../ui/Button';
import { Select } from '../ui/Field';
import { Notice, Progress } from '../ui/States';
import css from './metrics.module.css';
import { askOf, noParameters, type Parameters, ReportParameters, wrongMonths } from './ReportParameters';
import { lastFormats, rememberFormats, templateOptions } from './reporting';

/** Chooses a report and makes it, or goes on to have it made by itself. */
export function MakeReport({
  templates,
  formats,
  template: given,
  client,
  page,
  onLeave,
}: {
  templates: Template[];
  formats: FormatOf[];
  /** The template that is chosen at first. */
  template: string;
  client?: string | undefined;
  /** The period that the page shows. */
  page?: Period | undefined;
  /** Called before another page is shown. */
  onLeave: () => void;
}) {
  const navigate = useNavigate();
  const [name, setName] = useState(given);
  const [format, setFormat] = useState(() => {
    const last = lastFormats().report;
    return formats.some((f) => f.name === last) ? last : (formats[0]?.name ?? 'pdf');
  });
  const [values, setValues] = useState<Parameters>(() => ({ ...noParameters, client: client ?? '', period: page ? 'page' : 'own' }));
  const chosen = templates.find((x) => x.name === name);
  const making = useMaking();
  const begin = () => {
    rememberFormats({ report: format });
    used(`report.${format}`);
    making.begin({ template: name, ...askOf(values, chosen, page) }, format);
  };
  if (making.made)
    return <Making made={making.made} saved={making.saved} problem={making.problem} onAgain={making.reset} onLeave={onLeave} />;
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        begin();
      }}
    >
      {making.problem ? <Notice tone="bad">{messageOf(making.problem)}</Notice> : null}
      <Select label={t('Report')} value={name} onChange={setName} options={templateOptions(templates, client)} hint={chosen?.description} />
      <Select label={t('Format')} value={format} onChange={setFormat} options={formats.map((f) => [f.name, f.label] as const)} />
      <ReportParameters template={chosen} value={values} onChange={setValues} page={page} />
      <div className="row">
        <Button kind="primary" type="submit" need="figures.export" isDisabled={making.busy || !chosen || Boolean(wrongMonths(values))}>
          {t('Make')}
        </Button>
        <Button
          need="reports.send"
          isDisabled={!chosen}
          onPress={() => {
            rememberFormats({ report: format });
            onLeave();
            const of = askOf(values, chosen, page);
            const schedule = {
              template: name,
              formats: [format],
              ...(of.client ? { client: of.client } : {}),
              ...(of.currency ? { currency: of.currency } : {}),
            };
            navigate({ to: '/reports', search: { tab: 'schedules', schedule } as never });
          }}
        >
          {t('Schedule…')}
        </Button>
      </div>
    </form>
  );
}

/** Begins a report, follows it, and saves its file once it is done. */
function useMaking() {
  const client = useQueryClient();
  const [id, setId] = useState('');
  const [saved, setSaved] = useState('');
  const fetched = useRef('');
  const begin = useMutation({
    mutationFn: (x: { ask: ReportAsk; format: string }) => makeReport(x.ask, x.format),
    onSuccess: (r) => {
      client.setQueryData(report(r.id).queryKey, r);
      client.invalidateQueries({ queryKey: ['reports', 'files'] });
      setId(r.id);
    },
  });
  const made = useQuery(report(id));
  const save = useMutation({ mutationFn: downloadReport, onSuccess: setSaved });
  const state = id ? made.data?.state : undefined;
  useEffect(() => {
    if (!state || MOVING.includes(state)) return;
    client.invalidateQueries({ queryKey: ['reports', 'files'] });
    if (state !== 'done' || fetched.current === id) return;
    fetched.current = id;
    save.mutate(id);
  }, [state, id, client, save.mutate]);
  return {
    begin: (ask: ReportAsk, format: string) => begin.mutate({ ask, format }),
    busy: begin.isPending,
    made: id ? made.data : undefined,
    saved,
    problem: begin.error ?? made.error ?? save.error,
    reset: () => {
      setId('');
      setSaved('');
      begin.reset();
      save.reset();
    },
  };
}

function Making({
  made: r,
  saved,
  problem,
  onAgain,
  onLeave,
}: {
  made: Report;
  saved: string;
  problem: Error | null;
  onAgain: () => void;
  onLeave: () => void;
}) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelReport(r.id),
    onSettled: () => client.invalidateQueries({ queryKey: ['reports'] }),
  });
  const moving = MOVING.includes(r.state);
  const part = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone: the keyboard goes on from here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of what stands here
  useEffect(() => {
    if (!part.current?.contains(document.activeElement)) part.current?.focus({ preventScroll: true });
  }, [moving]);
  return (
    <div className={`stack ${css.making}`} aria-live="polite" ref={part} tabIndex={-1}>
      {problem ? <Notice tone="bad">{messageOf(problem)}</Notice> : null}
      {moving ? (
        <>
          <p>
            {r.state === 'waiting'
              ? t('{{title}} waits for its turn.', { title: r.title })
              : t('{{title}} is being made.', { title: r.title })}
            {r.doing ? <span className="muted"> {r.doing}</span> : null}
          </p>
          <Progress value={r.total > 0 ? r.done / r.total : 0} label={t('{{done}} of {{total}} parts', { done: r.done, total: r.total })} />
          <div className="row">
            <Button isDisabled={cancel.isPending} onPress={() => cancel.mutate()}>
              {t('Cancel')}
            </Button>
          </div>
        </>
      ) : null}
      {r.state === 'done' ? (
        <>
          <p>
            {saved
              ? t('{{name}} was saved. It is also under Downloads, offline too.', { name: saved })
              : t('{{title}} is done and is fetched.', { title: r.title })}
          </p>
          {r.notes.map((n) => (
            <p key={n} className="muted small">
              {n}
            </p>
          ))}
        </>
      ) : null}
      {r.state === 'failed' ? <Notice tone="bad">{r.problem ?? t('It could not be made.')}</Notice> : null}
      {r.state === 'canceled' ? <p>{t('It was canceled.')}</p> : null}
      {moving ? null : (
        <div className="row">
          <Button onPress={onAgain}>{t('Make another')}</Button>
          <Link to="/reports" search={{ tab: 'files', report: r.id } as never} onClick={onLeave}>
            {t('What it was made from')}
          </Link>
        </div>
      )}
    </div>
  );
}
