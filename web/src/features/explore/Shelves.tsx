import { memo, useState } from 'react';
import { Button, GridList, GridListItem, useDragAndDrop } from 'react-aria-components';
import type { Dimension, Measure } from '../../api/queries';
import { t } from '../../lib/i18n';
import { TextField } from '../../ui/Field';
import css from './explore.module.css';

type Kind = 'measure' | 'dimension';

const typeOf = (kind: Kind) => `moat-${kind}`;

/** A row of chosen fields: drop, reorder by drag or keyboard, remove. */
export function Shelf({
  label,
  kind,
  items,
  onChange,
}: {
  label: string;
  kind: Kind;
  items: { id: string; name: string }[];
  onChange: (next: string[]) => void;
}) {
  const ids = items.map((i) => i.id);
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) => [...keys].map((k) => ({ [typeOf(kind)]: String(k), 'text/plain': String(k) })),
    acceptedDragTypes: [typeOf(kind)],
    getDropOperation: () => 'copy',
    onReorder: ({ keys, target }) => {
      const moving = ids.filter((i) => keys.has(i));
      const rest = ids.filter((i) => !keys.has(i));
      const at = rest.indexOf(String(target.key)) + (target.dropPosition === 'after' ? 1 : 0);
      onChange([...rest.slice(0, at), ...moving, ...rest.slice(at)]);
    },
    onInsert: async ({ items: dropped, target }) => {
      const added = await textsOf(dropped, kind);
      const rest = ids.filter((i) => !added.includes(i));
      const at = rest.indexOf(String(target.key)) + (target.dropPosition === 'after' ? 1 : 0);
      onChange([...rest.slice(0, at), ...added, ...rest.slice(at)]);
    },
    onRootDrop: async ({ items: dropped }) => {
      const added = await textsOf(dropped, kind);
      onChange([...ids.filter((i) => !added.includes(i)), ...added]);
    },
  });
  return (
    <div className={css.shelf}>
      <span id={`shelf-${kind}`}>{label}</span>
      <GridList
        aria-labelledby={`shelf-${kind}`}
        items={items}
        layout="grid"
        dragAndDropHooks={dragAndDropHooks}
        className={css.items ?? ''}
        renderEmptyState={() => (
          <span className="muted small" style={{ padding: '6px 4px' }}>
            {t('Drop a field here, or click one')}
          </span>
        )}
      >
        {(item) => (
          <GridListItem id={item.id} textValue={item.name} className={css.item ?? ''}>
            <Button slot="drag" aria-label={t('Move {{name}}', { name: item.name })}>
              ⠿
            </Button>
            {item.name}
            <Button aria-label={t('Remove {{name}}', { name: item.name })} onPress={() => onChange(ids.filter((i) => i !== item.id))}>
              ✕
            </Button>
          </GridListItem>
        )}
      </GridList>
    </div>
  );
}

async function textsOf(items: Iterable<unknown>, kind: Kind): Promise<string[]> {
  const out: string[] = [];
  for (const item of items as Iterable<{ kind: string; types: Set<string>; getText: (type: string) => Promise<string> }>) {
    if (item.kind === 'text' && item.types.has(typeOf(kind))) out.push(await item.getText(typeOf(kind)));
  }
  return out;
}

interface FieldItem {
  id: string;
  name: string;
  kind: Kind;
  off: boolean;
}

/** Everything that can be asked for; Enter or a click adds it, or takes it off again. */
export const Fields = memo(function Fields({
  measures,
  dimensions,
  chosen,
  allowed,
  onMeasure,
  onDimension,
}: {
  measures: Measure[];
  dimensions: Dimension[];
  chosen: string[];
  allowed: Set<string>;
  onMeasure: (name: string) => void;
  onDimension: (name: string) => void;
}) {
  const [text, setText] = useState('');
  const [turned, setTurned] = useState<Record<string, boolean>>({});
  const hit = (name: string, label: string) => `${name} ${label}`.toLowerCase().includes(text.toLowerCase());
  const topics = [...new Set(measures.map((m) => m.topic))];
  const groups = [
    {
      head: t('Dimensions'),
      items: dimensions
        .filter((d) => hit(d.name, d.label))
        .map((d): FieldItem => ({ id: d.name, name: d.label, kind: 'dimension', off: !allowed.has(d.name) })),
    },
    ...topics.map((topic) => ({
      head: topic,
      items: measures
        .filter((m) => m.topic === topic && hit(m.name, m.label))
        .map((m): FieldItem => ({ id: m.name, name: m.label, kind: 'measure', off: false })),
    })),
  ].filter((g) => g.items.length > 0);
  return (
    <div>
      <TextField label={t('Find a field')} hideLabel type="search" placeholder={t('Find a field')} value={text} onChange={setText} />
      {groups.map((g) => (
        <FieldList
          key={g.head}
          head={g.head}
          items={g.items}
          chosen={chosen}
          isOpen={
            text !== '' ||
            (turned[g.head] ?? (g.head === t('Dimensions') || g.head === topics[0] || g.items.some((i) => chosen.includes(i.id))))
          }
          onToggle={(is) => setTurned((all) => ({ ...all, [g.head]: is }))}
          onPick={(f) => (f.kind === 'measure' ? onMeasure(f.id) : onDimension(f.id))}
        />
      ))}
      {groups.length === 0 ? <p className="muted small">{t('No field matches.')}</p> : null}
    </div>
  );
});

function FieldList({
  head,
  items,
  chosen,
  isOpen,
  onToggle,
  onPick,
}: {
  head: string;
  items: FieldItem[];
  chosen: string[];
  isOpen: boolean;
  onToggle: (is: boolean) => void;
  onPick: (f: FieldItem) => void;
}) {
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) =>
      [...keys].map((k) => {
        const f = items.find((i) => i.id === k);
        return { [typeOf(f?.kind ?? 'measure')]: String(k), 'text/plain': String(k) };
      }),
  });
  return (
    <details open={isOpen} onToggle={(e) => e.currentTarget.open !== isOpen && onToggle(e.currentTarget.open)}>
      <summary className={css.fieldHead}>
        {head} <span className="muted">{items.length}</span>
      </summary>
      {isOpen ? (
        <GridList
          aria-label={head}
          items={items}
          dependencies={[chosen]}
          dragAndDropHooks={dragAndDropHooks}
          className={css.fields ?? ''}
          onAction={(k) => {
            const f = items.find((i) => i.id === k);
            if (f) onPick(f);
          }}
        >
          {(f) => (
            <GridListItem
              id={f.id}
              textValue={f.name}
              className={css.field ?? ''}
              {...(chosen.includes(f.id) ? { 'data-chosen': true } : {})}
              {...(f.off ? { 'data-off': true } : {})}
            >
              <Button slot="drag" className="sr" aria-label={t('Drag {{name}}', { name: f.name })}>
                ⠿
              </Button>
              {f.name}
              {chosen.includes(f.id) ? <span className="sr">{t('(chosen)')}</span> : null}
            </GridListItem>
          )}
        </GridList>
      ) : null}
    </details>
  );
}
