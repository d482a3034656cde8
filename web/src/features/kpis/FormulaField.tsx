import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { kpiFunctions } from '../../api/queries';
import { t } from '../../lib/i18n';
import { choices, type Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { PopoverButton } from '../../ui/PopoverButton';
import css from './kpis.module.css';
import { around, inserted, usageOf } from './place';

/** A formula as text, with the measures and functions that may stand in it at hand. */
export function FormulaField({
  label,
  value,
  onChange,
  names,
  fault,
  hint,
}: {
  label: string;
  value: string;
  onChange: (next: string) => void;
  names: Names;
  fault: string | undefined;
  hint?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const functions = useQuery(kpiFunctions());
  const [picked, setPicked] = useState('');
  const put = (word: string) => {
    const area = box.current?.querySelector('textarea');
    const next = inserted(value, area?.selectionStart ?? value.length, area?.selectionEnd ?? value.length, word);
    onChange(next.text);
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(next.cursor, next.cursor);
    });
  };
  const place = fault ? around(value, fault) : undefined;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div ref={box} className={css.formula}>
        <TextField label={label} multiline value={value} onChange={onChange} fault={fault} hint={hint} />
      </div>
      {place ? (
        <p className={`${css.code} ${css.place}`}>
          {place[0]}
          <mark>{place[1]}</mark>
          {place[2]}
        </p>
      ) : null}
      <div className="row" style={{ alignItems: 'end' }}>
        <Select
          label={t('Insert a measure')}
          value={picked}
          onChange={(m) => {
            setPicked('');
            if (m) put(m);
          }}
          options={[{ group: t('Insert a measure'), options: [['', t('Choose …')] as const] }, ...choices(names)]}
        />
        <PopoverButton label={t('Functions')} trigger={<Button>{t('Insert a function')}</Button>}>
          {(close) => (
            <div className={css.functions}>
              {(functions.data ?? []).map(usageOf).map((f) => (
                <button
                  type="button"
                  key={f.call}
                  onClick={() => {
                    close();
                    put(f.call);
                  }}
                >
                  <code className={css.code}>{f.call}</code>
                  <span className="muted small">{f.says}</span>
                </button>
              ))}
            </div>
          )}
        </PopoverButton>
      </div>
    </div>
  );
}
