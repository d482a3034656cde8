// Exact arithmetic on the decimal strings of the API, for the little that a page adds up.

/** The sum of decimal strings: sum("0.10", "-0.3") is "-0.20". */
export function sum(...values: string[]): string {
  const places = Math.max(0, ...values.map((v) => (v.split('.')[1] ?? '').length));
  const total = values.reduce((all, v) => all + scaled(v, places), 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return `${total < 0n ? '-' : ''}${whole}${places > 0 ? `.${digits.slice(-places)}` : ''}`;
}

export function negated(value: string): string {
  return value.startsWith('-') ? value.slice(1) : `-${value}`;
}

function scaled(value: string, places: number): bigint {
  const [whole = '0', fraction = ''] = value.replace(/^[-+]/, '').split('.');
  const n = BigInt((whole || '0') + fraction.padEnd(places, '0'));
  return value.startsWith('-') ? -n : n;
}
