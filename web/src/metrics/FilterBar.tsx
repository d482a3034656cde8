import { useQuery } from '@tanstack/react-query';
import { ListFilter } from 'lucide-react';
import { useMemo, useState } from 'react';
import { catalog, table } from '../api/queries';
import { type Condition, include, write } from '../lib/filters';
import { dimensionValue } from '../lib/format';
import { t } from '../lib/i18n';
import { useView } from '../lib/state';
import { Button } from '../ui/Button';
import { Chip } from '../ui/Card';
import { Checkbox, Select, TextField } from '../ui/Field';
import { PopoverButton } from '../ui/PopoverButton';
import { Loaded } from '../ui/States';
import css from './metrics.module.css';

/** A measure that a dimension's values can be listed by, the most telling first. */
const SOURCES = ['revenue', 'hours_worked', 'ticket_count', 'license_cost', 'expense_amount', 'active_clients'];

const MOST = 100;

/** The global filter as chips, and a way to add to it. */
export function FilterBar() {
  const { where, conditions, set } = useView();
  const names = useQuery(catalog()).data;
  const change = (next: Condition[]) => set({ where: write(next) });
  const label = (c: Condition) =>
    `${names?.dimension.get(c.dimension)?.label ?? c.dimension}${c.is ? ':' : t(' is not')} ${c.values.map((v) => dimensionValue(c.dimension, v)).join(', ')}`;
  return (
    <div className={css.bar}>
      {conditions === undefined ? (
        <Chip label={t('Remove the filter')} onRemove={() => set({ where: undefined })}>
          {where}
        </Chip>
      ) : (
        conditions.map((c) => (
          <Chip
            key={c.dimension + c.is}
            label={t('Remove the filter {{filter}}', { filter: label(c) })}
            onRemove={() => change(conditions.filter((x) => x !== c))}
          >
            {label(c)}
          </Chip>
        ))
      )}
      {conditions !== undefined ? (
        <PopoverButton
          label={t('Add a filter')}
          trigger={
            <Button kind="quiet">
              <ListFilter size={16} aria-hidden="true" />
              {t('Filter')}
            </Button>
          }
        >
          {() => <ValuePicker conditions={conditions} onChange={change} />}
        </PopoverButton>
      ) : null}
    </div>
  );
}

/** Values of dimensions to choose from, of all dimensions or only some. */
export function ValuePicker({
  conditions,
  onChange,
  only,
}: {
  conditions: Condition[];
  onChange: (next: Condition[]) => void;
  only?: readonly string[];
}) {
  const names = useQuery(catalog()).data;
  const [dimension, setDimension] = useState(only?.[0] ?? 'client');
  const [text, setText] = useState('');
  const dimensions = (names?.dimensions ?? []).filter((d) => !d.time && (only?.includes(d.name) ?? true));
  const source = SOURCES.find((m) => names?.measure.get(m)?.dimensions?.includes(dimension)) ?? 'revenue';
  const values = useQuery({ ...table({ measures: [source], by: [dimension], order: [`-${source}`] }), enabled: Boolean(names) });
  const chosen = conditions.find((c) => c.dimension === dimension);
  const matching = useMemo(() => {
    const all = (values.data?.rows ?? []).map((r) => r[0] ?? '').filter((v) => v !== '');
    return all.filter((v) => v.toLowerCase().includes(text.toLowerCase()));
  }, [values.data, text]);
  const toggle = (value: string, on: boolean) => {
    if (on) return onChange(include(conditions, dimension, value, chosen?.is ?? true));
    onChange(
      conditions.map((c) => (c === chosen ? { ...c, values: c.values.filter((v) => v !== value) } : c)).filter((c) => c.values.length > 0),
    );
  };
  return (
    <div className="stack" style={{ gap: 8, width: 300 }}>
      <Select
        label={t('Filter by')}
        value={dimension}
        onChange={setDimension}
        options={dimensions.map((d) => [d.name, d.label] as const)}
      />
      <TextField
        label={t('Find a value')}
        hideLabel
        type="search"
        placeholder={t('Find a value')}
        value={text}
        onChange={setText}
        autoFocus
      />
      <Loaded query={values} height={160}>
        {() => (
          <ul style={{ maxHeight: 280, overflow: 'auto' }}>
            {matching.slice(0, MOST).map((v) => (
              <li key={v}>
                <Checkbox
                  label={dimensionValue(dimension, v)}
                  checked={chosen?.values.includes(v) ?? false}
                  onChange={(on) => toggle(v, on)}
                />
              </li>
            ))}
            {matching.length > MOST ? (
              <li className="muted small">{t('{{count}} more: type to narrow the list', { count: matching.length - MOST })}</li>
            ) : null}
            {matching.length === 0 ? <li className="muted small">{t('No value matches.')}</li> : null}
          </ul>
        )}
      </Loaded>
    </div>
  );
}
