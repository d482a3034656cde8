import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { reportPreview, type Template, type TemplateWithText } from '../../api/reports';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useSettled } from '../../lib/settled';
import { useNames } from '../../metrics/names';
import { askOf, noParameters, type Parameters, ReportParameters, wrongMonths } from '../../metrics/ReportParameters';
import { titleOf } from '../../metrics/reporting';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { CodeArea, type CodeAreaHandle } from '../../ui/CodeArea';
import { useMay } from '../../ui/may';
import { Failure, Notice, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import { DocumentView } from './DocumentView';
import css from './reports.module.css';
import { RemoveTemplate } from './Templates';
import { faultsOf, lineRange } from './words';

/** How long typing must rest before the preview is asked for, ms. */
const REST = 600;

/** A template as text, and beside it the report that it makes. */
export function TemplateEditor({ title, text: first, saved }: { title: string; text: string; saved?: TemplateWithText }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const area = useRef<CodeAreaHandle>(null);
  const list = useId();
  const mayWrite = useMay('definitions.write');
  const [text, setText] = useState(first);
  // What is kept: the text as it was saved last here, or since by somebody else.
  const [kept, setKept] = useState(first);
  const [seen, setSeen] = useState(first);
  if (saved && first !== seen) {
    setSeen(first);
    setKept(first);
    if (text === kept) setText(first);
  }
  const leaving = useUnsaved(mayWrite && text !== kept, 'copy');
  const [values, setValues] = useState<Parameters>(noParameters);
  const rested = useSettled(text, REST);
  // What the text says of itself, as far as it can be told before it is asked for.
  const about = useMemo(
    () => ({ of_client: /^of_client:\s*true\b/m.test(rested), period: /^period:\s*([a-z0-9_]+)/m.exec(rested)?.[1] ?? '' }),
    [rested],
  );
  const preview = useQuery({
    ...reportPreview({ text: rested, ...askOf(values, about, undefined) }),
    enabled: !wrongMonths(values) && rested.trim() !== '',
  });
  const named = /^name:\s*(\S+)\s*$/m.exec(text)?.[1];
  const next = saved && !saved.built_in && named === saved.name;
  const save = useMutation({
    mutationFn: (text: string) =>
      next
        ? unwrap(api.PUT('/api/v1/report-templates/{name}', { params: { path: { name: saved.name } }, body: { text } }))
        : unwrap(api.POST('/api/v1/report-templates', { body: { text } })),
    onSuccess: async (x, text) => {
      setKept(text);
      toast(t('{{title}} is saved.', { title: titleOf(x as Template) }));
      await client.invalidateQueries({ queryKey: ['reports'] });
      if (!next) await navigate({ to: '/reports/templates/$name', params: { name: (x as Template).name }, ignoreBlocker: true });
    },
  });
  const failed = save.error ?? preview.error;
  const faults = useMemo(() => faultsOf(failed), [failed]);
  const wrong = useMemo(() => new Set(faults.map((f) => f.line)), [faults]);
  const typing = rested !== text;
  const edit = (to: string) => {
    setText(to);
    if (!save.isPending) save.reset();
  };
  const maySave = mayWrite && !save.isPending && text.trim() !== '' && !(next && text === kept);
  const keep = () => {
    if (maySave) save.mutate(text);
  };
  useSaveKey(mayWrite, keep);
  return (
    <Page
      title={title}
      lead={
        saved?.built_in
          ? t('A built-in template stays as it is: save what you change under a name of its own.')
          : t('What the report holds, as text; beside it what it would say.')
      }
      actions={
        <>
          {saved && !saved.built_in && mayWrite ? (
            <RemoveTemplate template={saved} onDone={() => navigate({ to: '/reports', ignoreBlocker: true })} />
          ) : null}
          <Link to="/reports">{t('All reports')}</Link>
        </>
      }
    >
      {leaving}
      <Card title={t('Shown for')} level={2}>
        <ReportParameters template={{ ...about } as Template} value={values} onChange={setValues} />
      </Card>
      <div className={css.editor}>
        <div className="stack">
          <Card title={t('What does it hold?')} subtitle={t('YAML; the help on reports describes every part')}>
            <form
              className="stack"
              onSubmit={(e) => {
                e.preventDefault();
                keep();
              }}
            >
              <CodeArea
                label={t('Template')}
                value={text}
                onChange={edit}
                wrong={wrong}
                // The page of a new template takes over what is saved: nothing may come after it.
                readOnly={save.isPending && !next}
                ref={area}
                describedBy={faults.length > 0 ? list : undefined}
              />
              <div id={list} aria-live="polite">
                {faults.length > 0 ? (
                  <ul className={css.faults} aria-label={t('What is wrong')}>
                    {faults.map((f) => (
                      <li key={`${f.line} ${f.message}`}>
                        <button type="button" onClick={() => area.current?.mark(...lineRange(text, f.line))}>
                          {t('Line {{line}}', { line: f.line })}
                        </button>{' '}
                        {f.message}
                        {f.allowed.length > 0 ? (
                          <span className="muted small"> {t('There are: {{names}}', { names: someOf(f.allowed) })}</span>
                        ) : null}
                      </li>
                    ))}
                  </ul>
                ) : save.isError ? (
                  <Notice tone="bad">{messageOf(save.error)}</Notice>
                ) : null}
              </div>
              {mayWrite ? (
                <div className="row">
                  <Button kind="primary" type="submit" isDisabled={!maySave} aria-keyshortcuts="Control+S">
                    {next ? t('Save as version {{n}}', { n: (saved.versions[0]?.version ?? 0) + 1 }) : t('Save as new')}
                  </Button>
                  {text === kept ? null : <Button onPress={() => edit(kept)}>{t('Start over')}</Button>}
                  <span className="muted small">{text === kept ? t('Ctrl S saves, too.') : t('Not saved yet. Ctrl S saves, too.')}</span>
                </div>
              ) : (
                <p className="muted">{t('Your role may read templates, not write them.')}</p>
              )}
            </form>
          </Card>
          {saved && !saved.built_in ? <Versions of={saved} /> : null}
        </div>
        <Card title={t('What would it say?')} subtitle={typing || preview.isFetching ? t('Being made…') : t('As of now; no file is made')}>
          {preview.data && faults.length === 0 && !preview.isError ? (
            <DocumentView preview={preview.data} stale={typing || preview.isFetching} />
          ) : faults.length > 0 ? (
            <p className="muted">{t('Put right what is wrong at the left; the report appears here.')}</p>
          ) : preview.isError ? (
            <Failure error={preview.error} onRetry={() => preview.refetch()} />
          ) : (
            <div role="status" aria-label={t('Loading')}>
              <Skeleton height={480} />
            </div>
          )}
        </Card>
      </div>
    </Page>
  );
}

const someOf = (names: string[]) => (names.length > 12 ? `${names.slice(0, 12).join(', ')} …` : names.join(', '));

function Versions({ of: x }: { of: TemplateWithText }) {
  const name = useNames();
  return (
    <Card title={t('Which versions are there?')} level={3}>
      <ul className={css.plain}>
        {x.versions.map((v) => (
          <li key={v.version}>
            {v.removed ? t('Version {{n}}: removed', { n: v.version }) : t('Version {{n}}', { n: v.version })}
            <span className="muted small"> {t('by {{who}}, {{at}}', { who: name(v.author), at: instant(v.at) })}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Ctrl S saves, and the browser does not offer to save the page; in a dialog it does nothing of that. */
function useSaveKey(on: boolean, save: () => void) {
  const latest = useRef(save);
  latest.current = save;
  useEffect(() => {
    if (!on) return;
    const onKey = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey || e.key.toLowerCase() !== 's') return;
      if (e.target instanceof HTMLElement && e.target.closest('[role="dialog"]')) return;
      e.preventDefault();
      latest.current();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [on]);
}
