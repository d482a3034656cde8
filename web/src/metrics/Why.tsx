import { useQuery } from '@tanstack/react-query';
import { type Cell, catalog, type Explanation, explanation } from '../api/queries';
import { inCurrency, sentence } from '../lib/format';
import { t } from '../lib/i18n';
import { type Panel, useExplain } from '../lib/state';
import { Select } from '../ui/Field';
import { Failure, Notice } from '../ui/States';
import { Compare } from './Compare';
import { bridgeOf, DriverBridge } from './DriverBridge';
import css from './metrics.module.css';
import { useDriverUnits } from './units';
import { spoken } from './words';

/** Levels of drivers: the inputs, what these are made of, and who; with a dimension one more. */
const DEPTH = 3;

/** Dimensions that drivers are told apart by first, and the order in which they lie in each other. */
const LEVELS = ['client', 'agreement', 'work_type', 'staff', 'revenue_category', 'product', 'vendor', 'ticket_type', 'industry'];
const NESTED = LEVELS.slice(0, 3);

/** Why the number is not what it is compared with: the words, and the drivers, which can be opened. */
export function Why({ panel, cell, shallow }: { panel: Panel; cell: Cell; shallow: Explanation }) {
  const { move } = useExplain();
  const names = useQuery(catalog()).data;
  const m = names?.measure.get(panel.of);
  const can = new Set((m?.base ?? []).flatMap((b) => names?.measure.get(b)?.dimensions ?? []));
  const levels = LEVELS.filter((d) => can.has(d) && !(panel.where ?? '').includes(d));
  const by = panel.by && levels.includes(panel.by) ? panel.by : '';
  const path = NESTED.includes(by) ? NESTED.slice(NESTED.indexOf(by)).filter((d) => levels.includes(d)) : by ? [by] : [];
  // The inputs are there at once; what they are made of is asked for after them.
  const deep = useQuery({ ...explanation({ ...cell, depth: DEPTH + (by ? 1 : 0), by: path }), enabled: m !== undefined });
  const e = deep.data ?? shallow;
  const unit = inCurrency(e.unit, e.currency);
  const units = useDriverUnits(unit, e.currency);
  const explained = names?.measure.get(e.measure);
  const addsUp = (explained?.inputs ?? []).length === 0;
  const bridge = bridgeOf(e);
  return (
    <div className="stack">
      {m ? <Compare panel={panel} m={m} /> : null}
      <Words e={e} />
      {e.note ? <Notice>{sentence(e.note)}</Notice> : null}
      {deep.isError ? <Failure error={deep.error} onRetry={() => deep.refetch()} /> : null}
      {bridge ? (
        <>
          {levels.length > 0 ? (
            <Select
              label={t('Drivers by')}
              value={by}
              onChange={(next) => move({ by: next === '' ? undefined : next })}
              options={[['', t('What it is made of')] as const, ...levels.map((d) => [d, names?.dimension.get(d)?.label ?? d] as const)]}
            />
          ) : null}
          <DriverBridge
            key={`${e.measure} ${by}`}
            {...bridge}
            fromLabel={sentence(e.from.label)}
            toLabel={t('This period')}
            unit={unit}
            units={(d) => {
              // A member's figures are of the whole's unit where the whole is their sum.
              const dimension = d.of ?? e.by;
              if (!dimension || dimension === 'factors') return units(d.name);
              return addsUp ? unit : undefined;
            }}
          />
          <p className="muted small">
            {e.by
              ? t('The change by {{by}}; the parts add up to it exactly.', { by: spoken(e.by) })
              : t('Exact Shapley values of the formula: the parts add up to the change.')}{' '}
            {bridge.drivers.some((d) => (d.drivers ?? []).length > 0)
              ? t('Open a part to see what makes it up; its parts add up to it.')
              : null}
          </p>
        </>
      ) : null}
    </div>
  );
}

/** The change in words; what happened first, then what drove it and what to expect. */
export function Words({ e }: { e: Explanation }) {
  const headline = e.headline.replace(/\.$/, '');
  const all = e.words;
  return (
    <p className={css.words}>
      {all.startsWith(headline) ? (
        <>
          <strong>{headline}</strong>
          {all.slice(headline.length)}
        </>
      ) : (
        all
      )}
    </p>
  );
}
