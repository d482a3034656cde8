import type { Driver } from '../api/queries';
import { Bridge, type Step } from '../charts/Bridge';
import { negated, sum } from '../lib/decimal';
import { change, format, type Unit } from '../lib/format';
import { t } from '../lib/i18n';
import { moved, titled } from './words';

/** How many drivers stand alone; the smaller ones are summed by the server's own parts. */
const MOST = 12;

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
  units: (name: string) => Unit;
}) {
  const all = moved(drivers, unit);
  const shown = all.slice(0, MOST);
  const rest = drivers.filter((d) => !shown.includes(d));
  const restSum = sum(to, negated(from), ...shown.map((d) => negated(d.contribution)));
  const steps: Step[] = [
    { id: 'from', name: fromLabel, value: Number(from), text: format(from, unit), total: true },
    ...shown.map((d) => ({
      id: d.name,
      name: titled(d.name),
      detail: t('{{from}} → {{to}}', {
        from: format(d.from, units(d.name), { bare: true }),
        to: format(d.to, units(d.name), { bare: true }),
      }),
      value: Number(d.contribution),
      text: change(d.contribution, unit),
    })),
    ...(rest.length > 0 && shown.length === MOST
      ? [{ id: 'rest', name: t('{{count}} smaller ones', { count: rest.length }), value: Number(restSum), text: change(restSum, unit) }]
      : []),
    { id: 'to', name: toLabel, value: Number(to), text: format(to, unit), total: true },
  ];
  return <Bridge label={t('From {{from}} to {{to}}', { from: format(from, unit), to: format(to, unit) })} steps={steps} />;
}
