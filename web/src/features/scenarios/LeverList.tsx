import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { catalog, type LeverKind } from '../../api/queries';
import { shifted } from '../../lib/decimal';
import { dimensionValue } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { LeverState } from '../../lib/state';
import { ValuePicker } from '../../metrics/FilterBar';
import { Button, IconButton } from '../../ui/Button';
import { Chip } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { PopoverButton } from '../../ui/PopoverButton';
import { complete, conditionsOf, selectOf } from './levers';
import css from './scenarios.module.css';

const MOST = 8;

/** The changes of a what-if, each with what it changes, by how much, and for whom. */
export function LeverList({
  levers,
  kinds,
  faults,
  onChange,
}: {
  levers: LeverState[];
  kinds: LeverKind[];
  faults: Map<number, string>;
  onChange: (next: LeverState[]) => void;
}) {
  return (
    <div className="stack">
      {levers.length === 0 ? (
        <p className="muted">{t('Nothing is changed yet: add a change, and see at once what it would have brought.')}</p>
      ) : null}
      <ol className="stack" style={{ gap: 12 }}>
        {levers.map((l, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: levers have no name but their place
          <li key={i} className={css.lever} aria-label={t('Change {{n}}', { n: i + 1 })}>
            <One
              lever={l}
              kinds={kinds}
              fault={faults.get(i)}
              onChange={(next) => onChange(levers.map((x, n) => (n === i ? next : x)))}
              onRemove={() => onChange(levers.filter((_, n) => n !== i))}
            />
          </li>
        ))}
      </ol>
      <div className="row">
        <Button onPress={() => onChange([...levers, { kind: 'price', percent: '0.05' }])} isDisabled={levers.length >= MOST}>
          <Plus size={16} aria-hidden="true" /> {t('Add a change')}
        </Button>
        {levers.length >= MOST ? <span className="muted small">{t('Eight are the most in one what-if.')}</span> : null}
      </div>
    </div>
  );
}

function One({
  lever: l,
  kinds,
  fault,
  onChange,
  onRemove,
}: {
  lever: LeverState;
  kinds: LeverKind[];
  fault: string | undefined;
  onChange: (next: LeverState) => void;
  onRemove: () => void;
}) {
  const names = useQuery(catalog()).data;
  const kind = kinds.find((k) => k.kind === l.kind);
  const asShare = Boolean(kind?.percent) && l.amount === undefined;
  const given = asShare ? (shifted(l.percent ?? '', 2) ?? '') : (l.amount ?? '');
  const [text, setText] = useState(given);
  // What came from elsewhere (a solved target, the way back) replaces what was typed.
  const shown = shifted(text, 0) === shifted(given, 0) ? text : given;
  const write = (next: string, share: boolean) => {
    setText(next);
    const { percent: _, amount: __, ...rest } = l;
    if (next.trim() === '' && l.kind === 'churn') return onChange(rest);
    const number = shifted(next, share ? -2 : 0);
    if (number !== undefined) onChange({ ...rest, ...(share ? { percent: number } : { amount: number }) });
  };
  const units = [
    ...(kind?.percent ? [['share', '%'] as const] : []),
    ...(kind?.amount_unit ? [['amount', kind.amount_unit] as const] : []),
  ];
  const conditions = conditionsOf(l);
  return (
    <>
      <div className={css.leverHead}>
        <Select
          label={t('What changes')}
          value={l.kind}
          onChange={(next) => {
            const share = kinds.find((k) => k.kind === next)?.percent;
            setText('');
            onChange({ kind: next, ...(next === 'churn' ? {} : share ? { percent: '0' } : { amount: '0' }) });
          }}
          options={kinds.map((k) => [k.kind as LeverState['kind'], k.label] as const)}
        />
        <TextField
          label={t('By how much')}
          value={shown}
          onChange={(next) => write(next, asShare)}
          placeholder={l.kind === 'churn' ? '100' : '0'}
        />
        {units.length > 1 ? (
          <Select
            label={t('Counted in')}
            value={asShare ? 'share' : 'amount'}
            onChange={(unit) => write(shown || '0', unit === 'share')}
            options={units}
          />
        ) : (
          <p className={css.unit}>{units[0]?.[1]}</p>
        )}
        <IconButton label={t('Remove this change')} onPress={onRemove}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </div>
      <div className="row">
        {conditions.length === 0 ? <span className="muted small">{t('for all')}</span> : null}
        {conditions.map((c) => (
          <Chip
            key={c.dimension}
            label={t('Remove {{what}}', { what: c.values.join(', ') })}
            onRemove={() => onChange({ ...l, select: selectOf(conditions.filter((x) => x !== c)) })}
          >
            {names?.dimension.get(c.dimension)?.label ?? c.dimension}: {c.values.map((v) => dimensionValue(c.dimension, v)).join(', ')}
          </Chip>
        ))}
        <PopoverButton label={t('For whom')} trigger={<Button kind="quiet">{t('Choose for whom …')}</Button>}>
          {() => (
            <ValuePicker
              conditions={conditions}
              onChange={(next) => onChange({ ...l, select: selectOf(next) })}
              only={kind?.dimensions ?? []}
            />
          )}
        </PopoverButton>
      </div>
      <p className="muted small">{kind?.help}</p>
      {kind && !complete(l, kind) ? <p className={css.waiting}>{t('Not counted yet: choose for whom.')}</p> : null}
      {fault ? (
        <p className={css.fault} role="alert">
          {fault}
        </p>
      ) : null}
    </>
  );
}
