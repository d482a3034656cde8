import { useState } from 'react';
import type { ImportResult } from '../../api/queries';
import type { Mapping } from '../../api/upload';
import { words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import css from './import.module.css';

const LABELS: Record<string, string> = {
  encoding: t('Encoding'),
  compression: t('Compression'),
  sheet: t('Sheet'),
  delimiter: t('Cells end with'),
  quote: t('Quoted by'),
  escape: t('Escaped by'),
  record_end: t('Rows end with'),
  header_line: t('Header in line'),
  header_rows: t('Lines of header'),
  preamble: t('Lines above'),
  footer: t('Lines below'),
  tables: t('Tables in the file'),
  date_order: t('Order of dates'),
  decimal_mark: t('Decimal mark'),
  evidence: t('Why'),
};

const shown = (value: string) => (value === '\t' ? t('tab') : value === ' ' ? t('blank') : value);

export function Dialect({ dialect }: { dialect: ImportResult['dialect'] }) {
  return (
    <dl className={css.facts}>
      {Object.entries(LABELS).map(([key, label]) => {
        const value = (dialect as Record<string, unknown>)[key];
        if (value === undefined || value === '' || value === 0) return null;
        return [
          <dt key={key}>{label}</dt>,
          <dd key={`${key}v`}>
            {String(value).length <= 2 && !/^\d+$/.test(String(value)) ? <code>{shown(String(value))}</code> : words(String(value))}
          </dd>,
        ];
      })}
    </dl>
  );
}

/** How a file was read, from which evidence, and each part of it to be changed. */
export function Reading({
  dialect,
  mapping,
  onMapping,
}: {
  dialect: ImportResult['dialect'];
  mapping: Mapping;
  onMapping: (patch: Mapping) => void;
}) {
  const o = mapping.options ?? {};
  const [line, setLine] = useState(o.header_line ? String(o.header_line) : '');
  const set = (name: keyof NonNullable<Mapping['options']>, value: string | number) => onMapping({ options: { [name]: value } });
  const auto = ['', t('as recognized')] as const;
  return (
    <div className={css.beside}>
      <Dialect dialect={dialect} />
      <div className={css.overrides}>
        <Select
          label={t('Order of dates')}
          value={o.date_order ?? ''}
          onChange={(v) => set('date_order', v)}
          options={[auto, ['dmy', t('day first')], ['mdy', t('month first')], ['ymd', t('year first')]]}
        />
        <Select
          label={t('Decimal mark')}
          value={o.decimal_mark ?? ''}
          onChange={(v) => set('decimal_mark', v)}
          options={[auto, ['.', t('point: 1,234.50')], [',', t('comma: 1.234,50')]]}
        />
        <Select
          label={t('Encoding')}
          value={o.encoding ?? ''}
          onChange={(v) => set('encoding', v)}
          options={[auto, ...['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1', 'windows-1251'].map((e) => [e, e] as const)]}
        />
        <Select
          label={t('Cells end with')}
          value={o.delimiter ?? ''}
          onChange={(v) => set('delimiter', v)}
          options={[auto, [',', t('comma')], [';', t('semicolon')], ['\t', t('tab')], ['|', t('bar')]]}
        />
        <Select
          label={t('Amounts of invoices')}
          value={o.tax_basis ?? ''}
          onChange={(v) => set('tax_basis', v)}
          options={[auto, ['net', t('without tax')], ['gross', t('with tax')]]}
        />
        <form
          className="row"
          style={{ alignItems: 'end' }}
          onSubmit={(e) => {
            e.preventDefault();
            set('header_line', Number(line) || 0);
          }}
        >
          <TextField type="number" label={t('Header in line')} value={line} onChange={setLine} placeholder={String(dialect.header_line)} />
          <Button type="submit">{t('Read again')}</Button>
        </form>
      </div>
    </div>
  );
}
