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

/** A number moved by some places in its own digits: shifted("6.5", -2) is "0.065"; undefined when it is none. */
export function shifted(text: string, places: number): string | undefined {
  const clean = text
    .trim()
    .replace(/^\+/, '')
    .replace('\u2212', '-')
    .replace(/,(?=\d{3}\b)/g, '');
  const parts = /^(-?)(\d*)(?:\.(\d*))?$/.exec(clean);
  if (!parts || (parts[2] ?? '') + (parts[3] ?? '') === '') return undefined;
  let whole = parts[2] ?? '';
  let fraction = parts[3] ?? '';
  for (let n = places; n < 0; n++) {
    fraction = (whole.slice(-1) || '0') + fraction;
    whole = whole.slice(0, -1);
  }
  for (let n = places; n > 0; n--) {
    whole += fraction.charAt(0) || '0';
    fraction = fraction.slice(1);
  }
  whole = whole.replace(/^0+(?=\d)/, '') || '0';
  fraction = fraction.replace(/0+$/, '');
  return `${parts[1] ?? ''}${whole}${fraction ? `.${fraction}` : ''}`;
}
