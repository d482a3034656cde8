import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, messageOf, unwrap } from '../../api/client';
import type { RouteSpec, Threshold } from '../../api/delivery';
import { catalog } from '../../api/queries';
import { t } from '../../lib/i18n';
import { choices } from '../../metrics/choices';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { Whom } from './RouteForm';
import { hasWay, NOBODY, SEVERITIES, trimmed } from './route';

const FIELDS = { ...columns(200), alignItems: 'start' } as const;

/** A limit of a measure or KPI and whom passing it tells, in one step. */
export function ThresholdForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const names = useQuery(catalog());
  const [rule, setRule] = useState({
    name: '',
    measure: 'gross_margin',
    side: 'below' as 'below' | 'above',
    limit: '',
    dimension: 'client',
    where: '',
    months: '1',
    severity: 'warning' as NonNullable<Threshold['severity']>,
  });
  const [route, setRoute] = useState<RouteSpec>(NOBODY);
  const set = (part: Partial<typeof rule>) => setRule((r) => ({ ...r, ...part }));
  const add = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/alerts', {
          body: {
            name: rule.name.trim(),
            measure: rule.measure,
            ...(rule.side === 'below' ? { below: rule.limit.trim() } : { above: rule.limit.trim() }),
            ...(rule.dimension ? { dimension: rule.dimension } : {}),
            ...(rule.where.trim() ? { where: rule.where.trim() } : {}),
            months: Number(rule.months) || 1,
            severity: rule.severity,
            route: trimmed({ ...route, name: rule.name }),
          },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['data'] });
      toast(t('{{name}} is watched from now on.', { name: rule.name }));
      onDone();
    },
  });
  const wrong = (...paths: string[]) => paths.map((p) => faultOf(add.error, p)).find(Boolean);
  return (
    <Loaded query={names} height={320}>
      {(n) => {
        const m = n.measure.get(rule.measure);
        const dimensions = (m?.dimensions ?? []).filter((d) => !n.dimension.get(d)?.time && d !== 'currency');
        return (
          <form
            className="stack"
            onSubmit={(e) => {
              e.preventDefault();
              add.mutate();
            }}
          >
            {add.isError ? <Notice tone="bad">{messageOf(add.error)}</Notice> : null}
            <TextField
              label={t('Name')}
              value={rule.name}
              onChange={(name) => set({ name })}
              placeholder={t('Thin margin')}
              fault={wrong('name')}
              autoFocus
            />
            <div className="stack" style={FIELDS}>
              <Select
                label={t('Measure or KPI')}
                value={rule.measure}
                onChange={(measure) => set({ measure })}
                options={choices(n)}
                fault={wrong('measure')}
              />
              <Select
                label={t('Is')}
                value={rule.side}
                onChange={(side) => set({ side })}
                options={[
                  ['below', t('below')],
                  ['above', t('above')],
                ]}
              />
              <TextField
                label={t('Limit')}
                value={rule.limit}
                onChange={(limit) => set({ limit })}
                placeholder={placeholder(m?.unit ?? '')}
                fault={wrong('below', 'above')}
              />
            </div>
            <div className="stack" style={FIELDS}>
              <Select
                label={t('For each')}
                value={dimensions.includes(rule.dimension) ? rule.dimension : ''}
                onChange={(dimension) => set({ dimension })}
                options={[['', t('the whole firm')] as const, ...dimensions.map((d) => [d, n.dimension.get(d)?.label ?? d] as const)]}
                fault={wrong('dimension')}
              />
              <TextField
                label={t('Over complete months')}
                type="number"
                value={rule.months}
                onChange={(months) => set({ months })}
                fault={wrong('months')}
              />
              <Select
                label={t('Severity')}
                value={rule.severity}
                onChange={(severity) => set({ severity })}
                options={SEVERITIES as readonly (readonly ['info' | 'warning' | 'critical', string])[]}
              />
              <TextField
                label={t('Only where')}
                value={rule.where}
                onChange={(where) => set({ where })}
                placeholder={t('such as industry = "Legal"')}
                fault={wrong('where')}
              />
            </div>
            <Whom spec={route} set={(part) => setRoute((r) => ({ ...r, ...part }))} wrong={wrong} />
            <div className="row">
              <Button kind="primary" type="submit" isDisabled={add.isPending || !rule.name.trim() || !rule.limit.trim() || !hasWay(route)}>
                {t('Save')}
              </Button>
              <Button onPress={onDone}>{t('Cancel')}</Button>
            </div>
          </form>
        );
      }}
    </Loaded>
  );
}

/** A limit as people write it in a unit. */
function placeholder(unit: string): string {
  if (unit === 'ratio') return '20%';
  if (unit.startsWith('money')) return '$1000';
  return '10';
}
