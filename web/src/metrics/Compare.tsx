import { useQuery } from '@tanstack/react-query';
import { type Cell, catalog, type Measure, table } from '../api/queries';
import { read, write } from '../lib/filters';
import { dimensionValue } from '../lib/format';
import { t } from '../lib/i18n';
import { type Panel, useExplain } from '../lib/state';
import { Segmented } from '../ui/Button';
import { Select } from '../ui/Field';
import { Loaded } from '../ui/States';

type Versus = NonNullable<Panel['versus']>;

/** What the panel compares with; the period before where what it names is missing. */
export function comparisonOf(panel: Panel): Pick<Cell, 'versus' | 'other'> {
  if (panel.versus === 'where') return panel.where && panel.other ? { versus: 'where', other: panel.other } : {};
  if (panel.versus === 'portfolio' && !panel.where) return {};
  return { versus: panel.versus };
}

/** The choice of what a number is compared with. */
export function Compare({ panel, m }: { panel: Panel; m: Measure }) {
  const { move } = useExplain();
  const names = useQuery(catalog()).data;
  const one = memberOf(panel.where ?? '', m.dimensions ?? []);
  const dimension = one ? (names?.dimension.get(one.dimension)?.label ?? one.dimension) : '';
  const options: (readonly [Versus, string])[] = [
    ['previous', t('Period before')],
    ['year_ago', t('A year ago')],
    ...(panel.where ? [['portfolio', t('All clients')] as const] : []),
    ...(one ? [['where', t('Another {{dimension}}', { dimension: dimension.toLowerCase() })] as const] : []),
  ];
  const value = options.some(([id]) => id === panel.versus) ? (panel.versus ?? 'previous') : 'previous';
  return (
    <>
      <Segmented label={t('Compare with')} value={value} options={options} onChange={(versus) => move({ versus })} />
      {one && value === 'where' ? <Others panel={panel} m={m} dimension={one.dimension} own={one.value} label={dimension} /> : null}
    </>
  );
}

/** The other members of the dimension whose one member is looked at. */
function Others({ panel, m, dimension, own, label }: { panel: Panel; m: Measure; dimension: string; own: string; label: string }) {
  const { move } = useExplain();
  const conditions = read(panel.where ?? '') ?? [];
  const rest = conditions.filter((c) => c.dimension !== dimension);
  const list = useQuery(table({ measures: [m.name], by: [dimension], where: write(rest), period: panel.days }));
  const chosen = memberOf(panel.other ?? '', [dimension])?.value ?? '';
  return (
    <Loaded query={list} height={56}>
      {(data) => {
        const values = data.rows.map((r) => r[0] ?? '').filter((v) => v !== '' && v !== own);
        return (
          <Select
            label={t('The other {{dimension}}', { dimension: label.toLowerCase() })}
            value={values.includes(chosen) ? chosen : ''}
            onChange={(v) => move({ other: v === '' ? undefined : write([...rest, { dimension, is: true, values: [v] }]) })}
            options={[['', t('Choose …')] as const, ...values.sort().map((v) => [v, dimensionValue(dimension, v)] as const)]}
          />
        );
      }}
    </Loaded>
  );
}

/** The first dimension of a condition that is held to one member. */
function memberOf(where: string, dimensions: readonly string[]): { dimension: string; value: string } | undefined {
  const found = (read(where) ?? []).find((c) => c.is && c.values.length === 1 && dimensions.includes(c.dimension));
  return found ? { dimension: found.dimension, value: found.values[0] ?? '' } : undefined;
}
