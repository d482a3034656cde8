import { useQuery } from '@tanstack/react-query';
import { catalog } from '../api/queries';
import { inCurrency, type Unit } from '../lib/format';

/** The units of drivers by name: of measures, of the cost of an hour, else of the whole. */
export function useDriverUnits(whole: Unit, currency: string | undefined): (name: string) => Unit {
  const names = useQuery(catalog()).data;
  return (name) => inCurrency(names?.measure.get(name)?.unit ?? (name === 'labor_cost_rate' ? 'money_per_hour' : whole), currency);
}
