import { useQuery } from '@tanstack/react-query';
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Copy, MoveDiagonal2, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { GridLayout, type Layout, useContainerWidth } from 'react-grid-layout';
import { catalog, type DashboardContent, type Tile } from '../../api/queries';
import { t } from '../../lib/i18n';
import { PRESETS } from '../../lib/period';
import { Button, IconButton } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Menu } from '../../ui/Menu';
import { TileFrame } from './Dashboard';
import css from './dashboards.module.css';
import { below, COLUMNS, compact, newId, placed } from './layout';
import { KINDS, TileForm } from './TileForm';

/** Periods that a dashboard can keep. */
const KEPT = ['last3', 'last12', 'this_year', 'last_year', 'all'];

const SIZES: Record<string, { w: number; h: number }> = {
  kpi: { w: 3, h: 3 },
  trend: { w: 6, h: 7 },
  bar: { w: 6, h: 8 },
  table: { w: 6, h: 8 },
  findings: { w: 12, h: 10 },
  note: { w: 4, h: 3 },
};

const STEPS: Record<string, [keyof Pick<Tile, 'x' | 'y' | 'w' | 'h'>, number]> = {
  ArrowLeft: ['x', -1],
  ArrowRight: ['x', 1],
  ArrowUp: ['y', -1],
  ArrowDown: ['y', 1],
};

/** Tiles by drag, by keyboard (arrows move, Shift and arrows resize) or by menu. */
export function Editor({
  name,
  content,
  period,
  where,
  onName,
  onContent,
}: {
  name: string;
  content: DashboardContent;
  period: string;
  where: string;
  onName: (next: string) => void;
  onContent: (next: DashboardContent) => void;
}) {
  const { width, containerRef, mounted } = useContainerWidth();
  const tiles = content.tiles ?? [];
  const [open, setOpen] = useState<string>();
  const [said, setSaid] = useState('');
  const setTiles = (next: Tile[]) => onContent({ ...content, tiles: next });
  const add = (kind: Tile['kind']) => {
    const one: Tile = { id: newId(), kind, x: 0, y: below(tiles), ...(SIZES[kind] ?? { w: 4, h: 4 }) };
    setTiles(compact([...tiles, one]));
    setOpen(one.id);
  };
  // Only what was dropped is taken from the grid: what it says of other changes is a step behind
  // them, and two fast ones would go back and forth for ever.
  const dropped = (next: Layout) => {
    const at = new Map(next.map((l) => [l.i, l]));
    setTiles(tiles.map((x) => ({ ...x, ...pick(at.get(x.id)) })));
  };
  const names = useQuery(catalog()).data;
  const nudge = (x: Tile, dimension: 'x' | 'y' | 'w' | 'h', by: number) => {
    const next = placed(tiles, x.id, { [dimension]: x[dimension] + by });
    setTiles(next);
    const now = next.find((y) => y.id === x.id);
    if (now)
      setSaid(
        t('{{name}}: column {{x}}, row {{y}}, {{w}} wide, {{h}} high', { name: nameOf(x), x: now.x + 1, y: now.y + 1, w: now.w, h: now.h }),
      );
  };
  const nameOf = (x: Tile) =>
    x.title || names?.measure.get(x.measures?.[0] ?? '')?.label || (KINDS.find(([k]) => k === x.kind)?.[1] ?? x.kind);
  const edited = tiles.find((x) => x.id === open);
  return (
    <div className="stack">
      <div className="row" style={{ alignItems: 'end' }}>
        <TextField
          label={t('Name')}
          value={name}
          onChange={onName}
          fault={name.trim() === '' ? t('A dashboard needs a name.') : undefined}
        />
        <Select
          label={t('Period')}
          value={KEPT.includes(content.period ?? '') ? (content.period ?? 'last12') : 'last12'}
          onChange={(p) => onContent({ ...content, period: p })}
          options={PRESETS.filter(([id]) => KEPT.includes(id)).map(([id, label]) => [id as string, t(label)] as const)}
        />
        <Menu
          label={t('Add a tile')}
          trigger={
            <Button kind="primary">
              <Plus size={16} aria-hidden="true" /> {t('Add a tile')}
            </Button>
          }
          sections={[{ actions: KINDS.map(([kind, label, hint]) => ({ id: kind, label, hint, onAction: () => add(kind) })) }]}
        />
      </div>
      <p className="muted small">
        {t(
          'Drag a tile by its bar and resize it at its corner. By keyboard: focus the bar, arrows move, Shift and arrows resize; or use the menu.',
        )}
      </p>
      <p className="sr" role="status">
        {said}
      </p>
      {/* Dragging puts styles in by innerHTML, which the page's policy forbids, unless this is there; the rule is in our own. */}
      <span id="react-draggable-style-el" hidden />
      <div ref={containerRef} className={css.board}>
        {mounted ? (
          <GridLayout
            width={width}
            layout={tiles.map((x) => ({ i: x.id, x: x.x, y: x.y, w: x.w, h: x.h, minW: 2, minH: 2 }))}
            gridConfig={{ cols: COLUMNS, rowHeight: 32, margin: [16, 16], containerPadding: [0, 0] }}
            dragConfig={{ handle: '[data-handle]', enabled: true }}
            onDragStop={dropped}
            onResizeStop={dropped}
          >
            {tiles.map((x) => (
              <div key={x.id}>
                <div className={css.editing} data-tile={x.id}>
                  <div className={css.editBar}>
                    <button
                      type="button"
                      data-handle
                      className={css.handle}
                      aria-label={t('{{name}}: arrows move, Shift and arrows resize', { name: nameOf(x) })}
                      onKeyDown={(e) => {
                        const step = STEPS[e.key];
                        if (!step) return;
                        e.preventDefault();
                        const [dimension, by] = step;
                        nudge(x, e.shiftKey ? (dimension === 'x' ? 'w' : 'h') : dimension, by);
                      }}
                    >
                      <span aria-hidden="true">⠿ </span>
                      {nameOf(x)}
                    </button>
                    <IconButton label={t('Edit {{name}}', { name: nameOf(x) })} onPress={() => setOpen(x.id)}>
                      <Pencil size={14} />
                    </IconButton>
                    <Menu
                      label={t('Move or resize')}
                      trigger={
                        <IconButton label={t('Move or resize {{name}}', { name: nameOf(x) })}>
                          <MoveDiagonal2 size={14} />
                        </IconButton>
                      }
                      sections={[
                        {
                          head: t('Move'),
                          actions: [
                            { id: 'l', label: t('Left'), icon: <ArrowLeft size={14} />, onAction: () => nudge(x, 'x', -1) },
                            { id: 'r', label: t('Right'), icon: <ArrowRight size={14} />, onAction: () => nudge(x, 'x', 1) },
                            { id: 'u', label: t('Up'), icon: <ArrowUp size={14} />, onAction: () => nudge(x, 'y', -1) },
                            { id: 'd', label: t('Down'), icon: <ArrowDown size={14} />, onAction: () => nudge(x, 'y', 1) },
                          ],
                        },
                        {
                          head: t('Size'),
                          actions: [
                            { id: 'w', label: t('Wider'), onAction: () => nudge(x, 'w', 1) },
                            { id: 'n', label: t('Narrower'), onAction: () => nudge(x, 'w', -1) },
                            { id: 't', label: t('Taller'), onAction: () => nudge(x, 'h', 1) },
                            { id: 's', label: t('Shorter'), onAction: () => nudge(x, 'h', -1) },
                          ],
                        },
                      ]}
                    />
                    <IconButton
                      label={t('Duplicate {{name}}', { name: nameOf(x) })}
                      onPress={() => setTiles(compact([...tiles, { ...x, id: newId(), y: below(tiles), x: 0 }]))}
                    >
                      <Copy size={14} />
                    </IconButton>
                    <IconButton
                      label={t('Remove {{name}}', { name: nameOf(x) })}
                      onPress={() => setTiles(compact(tiles.filter((y) => y.id !== x.id)))}
                    >
                      <Trash2 size={14} />
                    </IconButton>
                  </div>
                  <TileFrame tile={x} period={period} where={where} />
                </div>
              </div>
            ))}
          </GridLayout>
        ) : null}
      </div>
      {edited ? (
        <TileForm
          tile={edited}
          onClose={() => setOpen(undefined)}
          onChange={(next) => setTiles(tiles.map((x) => (x.id === next.id ? next : x)))}
        />
      ) : null}
    </div>
  );
}

function pick(l: { x: number; y: number; w: number; h: number } | undefined) {
  return l ? { x: l.x, y: l.y, w: l.w, h: l.h } : {};
}
