import type { Driver, Explanation } from '../api/queries';
import { Bridge, type Step } from '../charts/Bridge';
import { negated, sum } from '../lib/decimal';
import { change, format, type Unit } from '../lib/format';
import { t } from '../lib/i18n';
import { least, moved, titled } from './words';

/** How many drivers stand alone; the smaller ones are summed by the server's own parts. */
const MOST = 12;

/** Of what unit a driver's figures are; undefined where they are not to be shown. */
type UnitOf = (driver: Driver) => Unit | undefined;

/** From the value before to the value now through its drivers; they add up to the change. */
export function DriverBridge({
  from,
  to,
  fromLabel,
  toLabel,
  drivers,
  unit,
  units,
}: {
  from: string;
  to: string;
  fromLabel: string;
  toLabel: string;
  drivers: Driver[];
  unit: Unit;
  units: UnitOf;
}) {
  const steps: Step[] = [
    { id: 'from', name: fromLabel, value: Number(from), text: format(from, unit), total: true },
    ...stepsOf(drivers, sum(to, negated(from)), unit, units),
    { id: 'to', name: toLabel, value: Number(to), text: format(to, unit), total: true },
  ];
  return <Bridge label={t('From {{from}} to {{to}}', { from: format(from, unit), to: format(to, unit) })} steps={steps} />;
}

/** The steps that a change is made of, the largest first; they add up to it. */
function stepsOf(drivers: Driver[], whole: string, unit: Unit, units: UnitOf): Step[] {
  const shown = moved(drivers, unit).slice(0, MOST);
  const rest = drivers.length - shown.length;
  const restSum = sum(whole, ...shown.map((d) => negated(d.contribution)));
  const steps = shown.map((d): Step => {
    const of = d.part ? undefined : units(d);
    const inner = innerOf(d);
    return {
      id: d.name,
      name: titled(d.name),
      ...(of === undefined
        ? {}
        : { detail: t('{{from}} → {{to}}', { from: format(d.from, of, { bare: true }), to: format(d.to, of, { bare: true }) }) }),
      value: Number(d.contribution),
      text: change(d.contribution, unit),
      ...(inner.length > 0 ? { steps: stepsOf(inner, d.contribution, unit, units) } : {}),
    };
  });
  if (rest > 0 && Math.abs(Number(restSum)) >= least(unit)) {
    steps.push({
      id: 'rest',
      name: t('{{count}} smaller ones', { count: rest }),
      value: Number(restSum),
      text: change(restSum, unit),
    });
  }
  return steps;
}

/** What makes up a driver; one that is only itself again is passed over. */
function innerOf(d: Driver): Driver[] {
  const inner = d.drivers ?? [];
  const only = inner.length === 1 ? inner[0] : undefined;
  return only && only.name === d.name ? innerOf(only) : inner;
}

/** The bridge of an explanation: its ends, and a driver for each step between. */
export function bridgeOf(e: Explanation): { from: string; to: string; drivers: Driver[] } | undefined {
  const steps = e.steps ?? [];
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last || steps.length < 3) return undefined;
  const drivers = steps
    .slice(1, -1)
    .map((s, i) => e.drivers?.[i] ?? { name: s.name, contribution: s.amount, from: '0', to: '0', part: true });
  return { from: first.amount, to: last.total, drivers };
}
