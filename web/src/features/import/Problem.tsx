import { useState } from 'react';
import type { BatchTable, Mapping } from '../../api/upload';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { taken } from './Columns';

type Asked = NonNullable<BatchTable['problem']['fields']>[number];

const FEW = 6;
const ORDERS: Record<string, string> = {
  dmy: t('Day first: 31/12/2026'),
  mdy: t('Month first: 12/31/2026'),
  ymd: t('Year first: 2026/12/31'),
};

/** Why a table cannot be imported as it stands, with the choices that make it possible. */
export function Problem({ table, mapping, onMapping }: { table: BatchTable; mapping: Mapping; onMapping: (m: Mapping) => void }) {
  const asked = table.problem.fields ?? [];
  return (
    <Notice tone="bad">
      <div className="stack" style={{ gap: 10 }}>
        <p>{table.problem.message.replace(`${table.name}: `, '')}</p>
        {asked.map((f) => (
          <Ask key={f.path} field={f} table={table} mapping={mapping} onMapping={onMapping} />
        ))}
      </div>
    </Notice>
  );
}

function Ask({
  field: f,
  table,
  mapping,
  onMapping,
}: {
  field: Asked;
  table: BatchTable;
  mapping: Mapping;
  onMapping: (m: Mapping) => void;
}) {
  const allowed = f.allowed ?? [];
  if (f.path.startsWith('options.')) {
    const option = f.path.slice('options.'.length);
    return (
      <div className="row" role="group" aria-label={words(option)}>
        {allowed.map((value) => (
          <Button key={value} onPress={() => onMapping({ ...mapping, options: { ...mapping.options, [option]: value } })}>
            {ORDERS[value] ?? value}
          </Button>
        ))}
      </div>
    );
  }
  if (f.path.startsWith('units.')) {
    const column = f.path.slice('units.'.length);
    return (
      <div className="row" role="group" aria-label={column}>
        {allowed.map((unit) => (
          <Button key={unit} onPress={() => onMapping({ ...mapping, units: { ...mapping.units, [column]: unit } })}>
            {t('They are {{unit}}', { unit: words(unit) })}
          </Button>
        ))}
      </div>
    );
  }
  if (f.path === 'dataset') {
    // Of many the list below is the better choice.
    if (allowed.length > FEW) return null;
    return (
      <div className="row" role="group" aria-label={t('Table')}>
        {allowed.map((name) => (
          <Button key={name} onPress={() => onMapping({ ...mapping, dataset: name })}>
            {sentence(words(name))}
          </Button>
        ))}
      </div>
    );
  }
  if (!table.dataset) return null;
  if (!f.path.includes('.')) return <Missing field={f} table={table} mapping={mapping} onMapping={onMapping} />;
  return <p className="small">{`${f.path}: ${f.message}`}</p>;
}

/** A field that no column fills: a column of the file, or one value for all rows. */
function Missing({
  field: f,
  table,
  mapping,
  onMapping,
}: {
  field: Asked;
  table: BatchTable;
  mapping: Mapping;
  onMapping: (m: Mapping) => void;
}) {
  const [value, setValue] = useState('');
  const name = sentence(words(f.path));
  return (
    <form
      className="row"
      style={{ alignItems: 'end' }}
      onSubmit={(e) => {
        e.preventDefault();
        if (value) onMapping({ ...mapping, dataset: table.dataset, constants: { ...mapping.constants, [f.path]: value } });
      }}
    >
      <Select
        label={t('{{field}} is the column', { field: name })}
        value=""
        onChange={(source) => onMapping({ ...taken(mapping, table.columns ?? [], source, f.path), dataset: table.dataset })}
        options={[['', t('choose …')] as const, ...(table.header ?? []).filter(Boolean).map((h) => [h, h] as const)]}
      />
      <TextField label={t('or the same in all rows')} value={value} onChange={setValue} />
      <Button type="submit" isDisabled={!value}>
        {t('Use it')}
      </Button>
    </form>
  );
}
