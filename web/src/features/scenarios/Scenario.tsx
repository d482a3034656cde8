import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { api, messageOf, RequestError, unwrap } from '../../api/client';
import { leverKinds, outcome, type ScenarioDefinition, type ScenarioItem, scenario, scenarios } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { type LeverState, useView } from '../../lib/state';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Empty, Failure, Loaded, Notice, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';
import { LeverList } from './LeverList';
import { complete, plain, stateOf } from './levers';
import { Outcome } from './Outcome';
import { Solve } from './Solve';
import css from './scenarios.module.css';

/** One what-if, saved or new. Its changes are in the address until they are saved. */
export function Scenario() {
  const { id } = useParams({ strict: false }) as { id: string };
  const saved = useQuery({ ...scenario(id), enabled: id !== 'new' });
  if (id === 'new') return <Editor key="new" />;
  return (
    <Loaded query={saved} height={400}>
      {(s) => <Editor key={s.id} saved={s} />}
    </Loaded>
  );
}

function Editor({ saved }: { saved?: ScenarioItem }) {
  const { days, search, set } = useView();
  const kinds = useQuery(leverKinds());
  const levers: LeverState[] = search.levers ?? (saved?.content.levers ?? []).map(stateOf);
  // A saved one keeps its period until another is chosen.
  const period = saved && !search.period ? saved.content.period : days;
  const labels = useMemo(() => new Map((kinds.data ?? []).map((k) => [k.kind as string, k.label])), [kinds.data]);
  const usable = levers.filter((l) =>
    complete(
      l,
      kinds.data?.find((k) => k.kind === l.kind),
    ),
  );
  const definition: ScenarioDefinition = { period: period ?? { from: '', to: '' }, levers: usable.map(plain) };
  const asked = useDeferredValue(JSON.stringify(definition));
  const result = useQuery({ ...outcome(JSON.parse(asked) as ScenarioDefinition), enabled: period !== undefined });
  const change = (next: LeverState[]) => set({ levers: next }, { replace: true });
  const places = usable.map((l) => levers.indexOf(l));
  const faults = faultsOf(result.error, places);
  return (
    <Page
      title={saved?.name ?? t('What if')}
      lead={t('Live the period through once more under other terms. Nothing is forecast: it says what the same months would have come to.')}
      actions={<Save saved={saved} definition={definition} changed={search.levers !== undefined || search.period !== undefined} />}
    >
      <div className={css.sides}>
        <div className="stack">
          <Card title={t('What changes?')} subtitle={t('One after the other, in this order')}>
            {kinds.data ? <LeverList levers={levers} kinds={kinds.data} faults={faults} onChange={change} /> : <Skeleton height={120} />}
          </Card>
        </div>
        <div className="stack">
          {result.isError && faults.size === 0 ? <Failure error={result.error} onRetry={() => result.refetch()} /> : null}
          {faults.size > 0 ? <Notice tone="warn">{t('This cannot be computed yet: see what is said beside the change.')}</Notice> : null}
          {!result.isError && result.data ? (
            <Outcome result={result.data} labels={labels}>
              {usable.length > 0 ? (
                <Solve
                  definition={definition}
                  result={result.data}
                  labels={labels}
                  onUse={(at, lever) => change(levers.map((l, i) => (i === places[at] ? lever : l)))}
                />
              ) : null}
            </Outcome>
          ) : null}
          {!result.isError && !result.data ? period ? <Skeleton height={300} /> : <Empty title={t('Nothing is imported yet')} /> : null}
        </div>
      </div>
    </Page>
  );
}

/** What the server says about single changes, by their place in the list. */
function faultsOf(error: unknown, places: number[]): Map<number, string> {
  const out = new Map<number, string>();
  if (!(error instanceof RequestError)) return out;
  for (const e of error.problem.errors ?? []) {
    const at = /^levers\[(\d+)\]/.exec(e.path);
    const place = at ? places[Number(at[1])] : undefined;
    if (place !== undefined && !out.has(place)) out.set(place, e.message);
  }
  return out;
}

function Save({ saved, definition, changed }: { saved: ScenarioItem | undefined; definition: ScenarioDefinition; changed: boolean }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const done = (s: ScenarioItem) => {
    client.setQueryData(scenario(s.id).queryKey, s);
    client.invalidateQueries({ queryKey: scenarios().queryKey.slice(0, 1) });
    setNaming(false);
    toast(t('{{name}} is saved.', { name: s.name }));
    return navigate({ to: '/scenarios/$id', params: { id: s.id }, search: {} as never });
  };
  const create = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/scenarios', { body: { name: name.trim(), content: definition } })),
    onSuccess: done,
  });
  const save = useMutation({
    mutationFn: (s: ScenarioItem) =>
      unwrap(
        api.PUT('/api/v1/scenarios/{id}', {
          params: { path: { id: s.id } },
          body: { name: s.name, content: definition, revision: s.revision },
        }),
      ),
    onSuccess: done,
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <>
      {saved ? (
        <Button kind="primary" need="boards.write" isDisabled={!changed || save.isPending} onPress={() => save.mutate(saved)}>
          {t('Save')}
        </Button>
      ) : null}
      <Button kind={saved ? 'plain' : 'primary'} need="boards.write" onPress={() => setNaming(true)}>
        {saved ? t('Save as …') : t('Save …')}
      </Button>
      <Dialog open={naming} onClose={() => setNaming(false)} title={t('Save this what-if')} subtitle={t('Its changes and its period')}>
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            if (name.trim()) create.mutate();
          }}
        >
          {create.isError ? <Notice tone="bad">{messageOf(create.error)}</Notice> : null}
          <TextField label={t('Name')} value={name} onChange={setName} autoFocus placeholder={t('Prices up 6 %')} />
          <div className="row">
            <Button type="submit" kind="primary" isDisabled={name.trim() === '' || create.isPending}>
              {t('Save')}
            </Button>
            <Button onPress={() => setNaming(false)}>{t('Cancel')}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
