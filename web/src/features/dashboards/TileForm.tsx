import { useQuery } from '@tanstack/react-query';
import { catalog, type Tile } from '../../api/queries';
import { t } from '../../lib/i18n';
import { PRESETS } from '../../lib/period';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Checkbox, Select, TextField } from '../../ui/Field';

export const KINDS: [Tile['kind'], string, string][] = [
  ['kpi', t('Number'), t('value, change, how sure')],
  ['trend', t('Trend'), t('by month')],
  ['bar', t('Bars'), t('by a dimension')],
  ['table', t('Table'), t('by dimensions')],
  ['findings', t('Findings'), t('what needs you')],
  ['note', t('Note'), t('your own words')],
];

const PERIODS = ['last3', 'last12', 'this_year', 'last_year', 'all'];

/** What a tile shows; the board behind it follows each change. */
export function TileForm({ tile, onChange, onClose }: { tile: Tile; onChange: (next: Tile) => void; onClose: () => void }) {
  const names = useQuery(catalog()).data;
  const measures = tile.measures ?? [];
  const by = tile.by ?? [];
  const figures = tile.kind !== 'note' && tile.kind !== 'findings';
  const cut = tile.kind === 'bar' || tile.kind === 'table';
  const allowed = (names?.dimensions ?? []).filter((d) => measures.every((m) => names?.measure.get(m)?.dimensions?.includes(d.name)));
  const topics = [...new Set((names?.measures ?? []).map((m) => m.topic))];
  const first = measures[0] ?? '';
  return (
    <Dialog open onClose={onClose} title={t('Edit the tile')}>
      <TextField
        label={t('Title')}
        value={tile.title ?? ''}
        onChange={(title) => onChange({ ...tile, title })}
        placeholder={t('Say what it answers')}
      />
      <Select
        label={t('Shows')}
        value={tile.kind}
        onChange={(kind) => onChange({ ...tile, kind })}
        options={KINDS.map(([k, label]) => [k, label] as const)}
      />
      {figures ? (
        <Select
          label={t('Measure')}
          value={first}
          onChange={(m) => onChange({ ...tile, measures: m ? [m, ...measures.slice(1).filter((x) => x !== m)] : [] })}
          options={[
            { group: '', options: [['', t('Choose one')] as const] },
            ...topics.map((topic) => ({
              group: topic,
              options: (names?.measures ?? []).filter((m) => m.topic === topic).map((m) => [m.name, m.label] as const),
            })),
          ]}
        />
      ) : null}
      {figures && tile.kind !== 'kpi' ? (
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className="muted small">{t('More measures')}</legend>
          <div style={{ maxHeight: 140, overflow: 'auto' }}>
            {(names?.measures ?? [])
              .filter((m) => m.name !== first && (tile.kind === 'table' || m.unit === names?.measure.get(first)?.unit))
              .map((m) => (
                <Checkbox
                  key={m.name}
                  label={m.label}
                  checked={measures.includes(m.name)}
                  onChange={(on) =>
                    onChange({ ...tile, measures: on ? [...measures, m.name].slice(0, 6) : measures.filter((x) => x !== m.name) })
                  }
                />
              ))}
          </div>
        </fieldset>
      ) : null}
      {cut ? (
        <Select
          label={t('Cut by')}
          value={by[0] ?? ''}
          onChange={(d) => onChange({ ...tile, by: d ? [d] : [] })}
          options={[['', t('Choose one')] as const, ...allowed.map((d) => [d.name, d.label] as const)]}
        />
      ) : null}
      {cut ? (
        <Select
          label={t('Order')}
          value={tile.order?.[0] ?? (first ? `-${first}` : '')}
          onChange={(o) => onChange({ ...tile, order: o ? [o] : [] })}
          options={[
            [`-${first}`, t('Highest first')],
            [first, t('Lowest first')],
          ]}
        />
      ) : null}
      {cut || tile.kind === 'findings' ? (
        <TextField
          label={t('At most')}
          type="number"
          value={String(tile.limit ?? '')}
          onChange={(n) => onChange(limited(tile, n))}
          placeholder={t('all')}
        />
      ) : null}
      {tile.kind === 'note' ? (
        <TextField
          label={t('Text')}
          multiline
          value={tile.text ?? ''}
          onChange={(text) => onChange({ ...tile, text: text.slice(0, 4000) })}
        />
      ) : null}
      {tile.kind !== 'note' ? (
        <Select
          label={t('Period')}
          value={tile.period && PERIODS.includes(tile.period) ? tile.period : ''}
          onChange={(p) => onChange({ ...tile, period: p })}
          options={[
            ['', t('As the page')] as const,
            ...PRESETS.filter(([id]) => PERIODS.includes(id)).map(([id, label]) => [id as string, t(label)] as const),
          ]}
        />
      ) : null}
      <div className="row">
        <Button kind="primary" onPress={onClose}>
          {t('Done')}
        </Button>
      </div>
    </Dialog>
  );
}

function limited(tile: Tile, text: string): Tile {
  const { limit: _, ...rest } = tile;
  const n = Math.min(100, Math.max(0, Math.floor(Number(text))));
  return n > 0 ? { ...rest, limit: n } : rest;
}
