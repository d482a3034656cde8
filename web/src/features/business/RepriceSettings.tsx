import { useState } from 'react';
import type { Problem } from '../../api/client';
import type { RepriceAsk, RepriceSheet } from '../../api/queries';
import { shifted } from '../../lib/decimal';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import css from './business.module.css';

type Name = keyof RepriceAsk;

/** Each setting: how it is called, and by how many places a person's number differs from the API's. */
const FIELDS: { name: Name; label: string; places: number }[] = [
  { name: 'margin', label: t('Margin, in percent'), places: 2 },
  { name: 'efficiency', label: t('Efficiency, in percent'), places: 2 },
  { name: 'rate', label: t('Money for an hour'), places: 0 },
  { name: 'cap', label: t('At most, in percent'), places: 2 },
  { name: 'notice_days', label: t('Days of notice'), places: 0 },
];

const HINTS: Partial<Record<Name, string>> = {
  efficiency: t('labor revenue over what the hours are worth'),
  rate: t('empty: each agreement’s own target'),
  cap: t('that a price rises at once'),
};

/** What prices are set for; the address holds it. */
export function RepriceSettings({
  wanted,
  used,
  faults,
  onChange,
}: {
  wanted: RepriceAsk;
  used: RepriceSheet['settings'] | undefined;
  faults: NonNullable<Problem['errors']>;
  onChange: (next: RepriceAsk | undefined) => void;
}) {
  const shown = (value: string | undefined, places: number) => (value === undefined ? '' : (shifted(value, places) ?? value));
  const [texts, setTexts] = useState<Record<Name, string>>(
    () => Object.fromEntries(FIELDS.map((f) => [f.name, shown(wanted[f.name], f.places)])) as Record<Name, string>,
  );
  const empty = FIELDS.every((f) => texts[f.name].trim() === '');
  const wrong = (f: (typeof FIELDS)[number]) =>
    texts[f.name].trim() !== '' &&
    (shifted(texts[f.name], -f.places) === undefined || (f.name === 'notice_days' && /[.-]/.test(texts[f.name])));
  const own = (f: (typeof FIELDS)[number]) => {
    const value = used?.[f.name];
    return value === undefined || (f.name === 'rate' && Number(value) === 0) ? '' : shown(String(value), f.places);
  };
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (FIELDS.some(wrong)) return;
        const given = FIELDS.filter((f) => texts[f.name].trim() !== '').map((f) => [f.name, shifted(texts[f.name], -f.places)]);
        onChange(given.length > 0 ? Object.fromEntries(given) : undefined);
      }}
    >
      <div className={css.settings}>
        {FIELDS.map((f) => (
          <TextField
            key={f.name}
            label={f.label}
            value={texts[f.name]}
            onChange={(text) => setTexts({ ...texts, [f.name]: text })}
            placeholder={own(f)}
            hint={HINTS[f.name]}
            fault={wrong(f) ? t('This is not a number.') : faults.find((x) => x.path.endsWith(f.name))?.message}
          />
        ))}
      </div>
      <div className="row">
        <Button type="submit" isDisabled={FIELDS.some(wrong)}>
          {t('Reckon with these')}
        </Button>
        {!empty ? (
          <Button kind="quiet" onPress={() => onChange(undefined)}>
            {t('Back to the defaults')}
          </Button>
        ) : null}
      </div>
    </form>
  );
}
