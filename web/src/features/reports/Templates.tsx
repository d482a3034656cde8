import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { reportPreview, reportTemplates, type Template } from '../../api/reports';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { MakeReport } from '../../metrics/MakeReport';
import { askOf, noParameters, type Parameters, ReportParameters, wrongMonths } from '../../metrics/ReportParameters';
import { byAudience, ownPeriod, titleOf } from '../../metrics/reporting';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Dialog, Drawer } from '../../ui/Dialog';
import { useMay } from '../../ui/may';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import { DocumentView } from './DocumentView';
import css from './reports.module.css';
import { holds } from './words';

/** The reports that there are, by whom they are for. */
export function Templates() {
  const list = useQuery(reportTemplates());
  const [search, set] = useAddress();
  return (
    <Loaded query={list} height={480}>
      {({ items, formats }) => {
        const shown = items.find((x) => x.name === search.preview);
        const making = items.find((x) => x.name === search.make);
        return (
          <div className="stack">
            {byAudience(items).map(({ audience, templates }) => (
              <section key={audience} className="stack" aria-label={audience}>
                <h2>{audience}</h2>
                <ul className={css.gallery}>
                  {templates.map((x) => (
                    <li key={x.name}>
                      <TemplateCard template={x} onPreview={() => set({ preview: x.name })} onMake={() => set({ make: x.name })} />
                    </li>
                  ))}
                </ul>
              </section>
            ))}
            {shown ? (
              <PreviewDrawer
                template={shown}
                onClose={() => set({ preview: undefined })}
                onMake={() => set({ preview: undefined, make: shown.name })}
              />
            ) : null}
            {making ? (
              <Dialog
                open
                onClose={() => set({ make: undefined })}
                title={t('Make a report')}
                subtitle={t('It is kept under Files, with what it was made from.')}
              >
                <MakeReport templates={items} formats={formats} template={making.name} onLeave={() => undefined} />
              </Dialog>
            ) : null}
          </div>
        );
      }}
    </Loaded>
  );
}

function TemplateCard({ template: x, onPreview, onMake }: { template: Template; onPreview: () => void; onMake: () => void }) {
  const what = holds(x);
  return (
    <Card title={titleOf(x)} level={3} actions={<Tags template={x} />}>
      <div className={css.template}>
        <p>{x.description}</p>
        <p className="muted small">
          {what ? `${t('Holds {{what}}', { what })}. ` : ''}
          {t('Over {{period}} unless asked otherwise.', { period: ownPeriod(x) })}
        </p>
        <div className="row">
          <Button onPress={onPreview} aria-label={t('Preview {{title}}', { title: titleOf(x) })}>
            {t('Preview')}
          </Button>
          <Button need="figures.export" onPress={onMake} aria-label={t('Make {{title}}', { title: titleOf(x) })}>
            {t('Make…')}
          </Button>
          <Own template={x} />
        </div>
      </div>
    </Card>
  );
}

function Tags({ template: x }: { template: Template }) {
  return (
    <span className="row">
      {x.built_in ? null : <Badge tone="accent">{t('own')}</Badge>}
      {x.audience === 'client' ? (
        <Badge title={t('It is made with the rights of the client: no cost, no margin, no other client.')}>{t('safe to hand out')}</Badge>
      ) : x.of_client ? (
        <Badge>{t('about one client')}</Badge>
      ) : null}
    </span>
  );
}

/** What may be done to a template: built-in ones are copied, own ones changed and removed. */
function Own({ template: x }: { template: Template }) {
  const may = useMay('definitions.write');
  if (!may) return null;
  const copy = (
    <Link to="/reports/new" search={{ copy: x.name } as never} aria-label={t('Copy and change {{title}}', { title: titleOf(x) })}>
      {t('Copy and change')}
    </Link>
  );
  if (x.built_in) return copy;
  return (
    <>
      <Link to="/reports/templates/$name" params={{ name: x.name }} aria-label={t('Edit {{title}}', { title: titleOf(x) })}>
        {t('Edit')}
      </Link>
      {copy}
      <RemoveTemplate template={x} />
    </>
  );
}

/** Ends an own template; taking that back keeps its text again. */
export function RemoveTemplate({ template: x, onDone }: { template: Template; onDone?: () => void }) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['reports'] });
  const restore = useMutation({
    mutationFn: (text: string) => unwrap(api.POST('/api/v1/report-templates', { body: { text } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: async () => {
      const { text } = await unwrap(api.GET('/api/v1/report-templates/{name}', { params: { path: { name: x.name } } }));
      await unwrap(api.DELETE('/api/v1/report-templates/{name}', { params: { path: { name: x.name } } }));
      return text;
    },
    onSuccess: async (text) => {
      toast(t('{{name}} was removed. What was made from it stays.', { name: titleOf(x) }), {
        label: t('Undo'),
        run: () => restore.mutate(text),
      });
      onDone?.();
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Button
      kind="danger"
      isDisabled={remove.isPending}
      onPress={() => remove.mutate()}
      aria-label={t('Remove {{title}}', { title: titleOf(x) })}
    >
      {t('Remove')}
    </Button>
  );
}

function PreviewDrawer({ template: x, onClose, onMake }: { template: Template; onClose: () => void; onMake: () => void }) {
  const [values, setValues] = useState<Parameters>(noParameters);
  const query = useQuery({ ...reportPreview({ template: x.name, ...askOf(values, x, undefined) }), enabled: !wrongMonths(values) });
  return (
    <Drawer open onClose={onClose} title={titleOf(x)} subtitle={t('What it would say now. No file is made.')} wide>
      <ReportParameters template={x} value={values} onChange={setValues} />
      <div className="row">
        <Button kind="primary" need="figures.export" onPress={onMake}>
          {t('Make…')}
        </Button>
      </div>
      <Loaded query={query} height={480}>
        {(p) => <DocumentView preview={p} stale={query.isFetching} />}
      </Loaded>
    </Drawer>
  );
}
