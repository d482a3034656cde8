import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import type { ScenarioDefinition, ScenarioResult } from '../../api/queries';
import { shifted } from '../../lib/decimal';
import { format, inCurrency } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { LeverState } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { inWords, stateOf } from './levers';

/** Measures that rise or fall all the way as a change grows. */
const MEASURES = [
  'gross_margin',
  'gross_profit',
  'revenue',
  'labor_cost',
  'direct_cost',
  'effective_hourly_rate',
  'utilization',
  'billable_utilization',
];

/** By how much one change must be moved for a measure to reach a target. */
export function Solve({
  definition,
  result,
  labels,
  onUse,
}: {
  definition: ScenarioDefinition;
  result: ScenarioResult | undefined;
  labels: Map<string, string>;
  onUse: (at: number, lever: LeverState) => void;
}) {
  const levers = definition.levers ?? [];
  const [at, setAt] = useState('0');
  const [measure, setMeasure] = useState('gross_margin');
  const [target, setTarget] = useState('45');
  const [client, setClient] = useState('');
  const chosen = levers[Number(at)] ? Number(at) : 0;
  const line = (result?.lines ?? []).find((l) => l.measure === measure);
  const ratio = line?.unit === 'ratio';
  const number = shifted(target, ratio ? -2 : 0);
  const named = [...new Set(levers.flatMap((l) => l.select?.client ?? []))];
  const solve = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/scenarios/solve', {
          body: { definition, lever: chosen, measure, target: number ?? '0', ...(client ? { client } : {}) },
        }),
      ),
  });
  const found = solve.data;
  const unit = inCurrency(found?.unit ?? '', result?.currency);
  return (
    <Card title={t('What does it take?')} subtitle={t('How far one change must go for a measure to reach a target')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          solve.mutate();
        }}
      >
        <div className="stack" style={columns(180)}>
          <Select
            label={t('Move')}
            value={String(chosen)}
            onChange={setAt}
            options={levers.map((l, i) => [String(i), inWords(l, labels.get(l.kind) ?? l.kind)] as const)}
          />
          <Select
            label={t('until')}
            value={measure}
            onChange={setMeasure}
            options={MEASURES.map((m) => [m, (result?.lines ?? []).find((l) => l.measure === m)?.label ?? m] as const)}
          />
          <Select
            label={t('of')}
            value={named.includes(client) ? client : ''}
            onChange={setClient}
            options={[['', t('everything')] as const, ...named.map((c) => [c, c] as const)]}
          />
          <TextField label={ratio ? t('is, in percent') : t('is')} value={target} onChange={setTarget} />
        </div>
        <div className="row">
          <Button type="submit" isDisabled={number === undefined || solve.isPending || levers.length === 0}>
            {t('Find it')}
          </Button>
        </div>
      </form>
      {solve.isError ? <Notice tone="warn">{messageOf(solve.error)}</Notice> : null}
      {found ? (
        <div className="spread" role="status">
          <p>
            <strong>{inWords(found.lever, labels.get(found.lever.kind) ?? found.lever.kind)}</strong>{' '}
            {t('brings it from {{before}} to {{reached}}.', { before: format(found.before, unit), reached: format(found.reached, unit) })}
          </p>
          <Button onPress={() => onUse(chosen, stateOf(found.lever))}>{t('Use it')}</Button>
        </div>
      ) : null}
    </Card>
  );
}
