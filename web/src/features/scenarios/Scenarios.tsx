import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { leverKinds, type ScenarioItem, scenarios, table } from '../../api/queries';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { type LeverState, useView } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { periodText } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Checkbox } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import { inWords } from './levers';

/** Saved what-ifs, and questions to begin with. */
export function Scenarios() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const list = useQuery(scenarios());
  const [chosen, setChosen] = useState<string[]>([]);
  const begin = (levers: LeverState[]) => navigate({ to: '/scenarios/$id', params: { id: 'new' }, search: { levers } as never });
  const refresh = () => client.invalidateQueries({ queryKey: ['scenarios'] });
  const restore = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/scenarios/{id}/restore', { params: { path: { id } } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (s: ScenarioItem) => unwrap(api.DELETE('/api/v1/scenarios/{id}', { params: { path: { id: s.id } } })),
    onSuccess: (_, s) => {
      refresh();
      setChosen((all) => all.filter((id) => id !== s.id));
      toast(t('{{name}} was deleted.', { name: s.name }), { label: t('Undo'), run: () => restore.mutate(s.id) });
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Page
      title={t('What if')}
      lead={t('Other prices, fees, hours, people, clients or costs: what the last months would have come to.')}
      actions={
        <Button kind="primary" onPress={() => begin([])}>
          {t('New what-if')}
        </Button>
      }
    >
      <Begin begin={begin} />
      <Card
        title={t('Saved')}
        actions={
          <Button
            isDisabled={chosen.length < 2 || chosen.length > 6}
            onPress={() => navigate({ to: '/scenarios/compare', search: { ids: chosen } as never })}
          >
            {t('Compare')}
          </Button>
        }
      >
        <Loaded
          query={list}
          height={160}
          isEmpty={(all) => all.length === 0}
          empty={<Empty title={t('None yet')}>{t('Begin with a question above; what you save here can be put side by side.')}</Empty>}
        >
          {(all) => <List all={all} chosen={chosen} setChosen={setChosen} onRemove={(s) => remove.mutate(s)} />}
        </Loaded>
      </Card>
    </Page>
  );
}

function List({
  all,
  chosen,
  setChosen,
  onRemove,
}: {
  all: ScenarioItem[];
  chosen: string[];
  setChosen: (next: string[]) => void;
  onRemove: (s: ScenarioItem) => void;
}) {
  const kinds = useQuery(leverKinds()).data ?? [];
  const label = (kind: string) => kinds.find((k) => k.kind === kind)?.label ?? kind;
  return (
    <DataTable
      caption={t('Saved what-ifs')}
      rows={all}
      rowKey={(s) => s.id}
      columns={[
        {
          id: 'choose',
          head: t('Compare'),
          cell: (s) => (
            <Checkbox
              label={<span className="sr">{t('Compare {{name}}', { name: s.name })}</span>}
              checked={chosen.includes(s.id)}
              onChange={(on) => setChosen(on ? [...chosen, s.id] : chosen.filter((id) => id !== s.id))}
            />
          ),
        },
        {
          id: 'name',
          head: t('Name'),
          sort: (s) => s.name,
          cell: (s) => (
            <Link to="/scenarios/$id" params={{ id: s.id }}>
              {s.name}
            </Link>
          ),
        },
        {
          id: 'what',
          head: t('Changes'),
          cell: (s) => (
            <span style={{ whiteSpace: 'normal' }}>{(s.content.levers ?? []).map((l) => inWords(l, label(l.kind))).join(' · ')}</span>
          ),
        },
        { id: 'period', head: t('Period'), cell: (s) => periodText(s.content.period) },
        { id: 'updated', head: t('Changed'), sort: (s) => s.updated_at, cell: (s) => instant(s.updated_at) },
        {
          id: 'delete',
          head: '',
          cell: (s) => (
            <Button kind="quiet" need="boards.write" onPress={() => onRemove(s)} aria-label={t('Delete {{name}}', { name: s.name })}>
              {t('Delete')}
            </Button>
          ),
        },
      ]}
    />
  );
}

/** The questions that owners ask most, each one click away. */
function Begin({ begin }: { begin: (levers: LeverState[]) => void }) {
  const { days } = useView();
  const largest = useQuery({
    ...table({ measures: ['revenue'], by: ['client'], period: days, order: ['-revenue'], limit: 1 }),
    enabled: days !== undefined,
  }).data?.rows[0]?.[0];
  const questions: { title: string; text: string; levers: LeverState[] }[] = [
    {
      title: t('Raise all prices by 6%'),
      text: t('What every invoice 6% higher would have brought.'),
      levers: [{ kind: 'price', percent: '0.06' }],
    },
    ...(largest
      ? [
          {
            title: t('Lose the largest client'),
            text: t('Without {{client}}: profit, utilization, and what stays to be paid.', { client: largest }),
            levers: [{ kind: 'churn', select: { client: [largest] } } as LeverState],
          },
        ]
      : []),
    {
      title: t('Add a technician'),
      text: t('One more person: capacity, utilization and pay.'),
      levers: [{ kind: 'staffing', amount: '1' }],
    },
    {
      title: t('Give everybody 4% more pay'),
      text: t('What an hour would have cost, and the margins left.'),
      levers: [{ kind: 'pay', percent: '0.04' }],
    },
  ];
  return (
    <div className="stack" style={columns(240)}>
      {questions.map((q) => (
        <Card key={q.title} title={q.title} subtitle={q.text} level={3}>
          <div className="row">
            <Button onPress={() => begin(q.levers)} aria-label={t('Try it: {{title}}', { title: q.title })}>
              {t('Try it')}
            </Button>
          </div>
        </Card>
      ))}
    </div>
  );
}
