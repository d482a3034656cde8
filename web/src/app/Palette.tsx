import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type RefObject, useEffect, useMemo, useState } from 'react';
import { Autocomplete, Header, Input, Menu, MenuItem, MenuSection, SearchField } from 'react-aria-components';
import { catalog, questions, searched, table } from '../api/queries';
import { t } from '../lib/i18n';
import { setLook } from '../lib/look';
import { carried, useAddress, useView } from '../lib/state';
import { Overlay } from '../ui/Dialog';
import ui from '../ui/ui.module.css';
import { type Entry, entryOf, grouped, iconOf, local } from './found';
import { usePlaces } from './nav';
import css from './shell.module.css';

const PAUSE = 120; // ms between the last letter and the question to the server

/** Everything a few letters away: pages, clients, measures and actions. */
export function Palette({ open, onClose, early }: { open: boolean; onClose: () => void; early: RefObject<string> }) {
  return (
    <Overlay open={open} onClose={onClose} label={t('Go to or do')}>
      <List onClose={onClose} early={early} />
    </Overlay>
  );
}

function List({ onClose, early }: { onClose: () => void; early: RefObject<string> }) {
  const [text, setText] = useState('');
  const takeEarly = () => {
    const keys = early.current;
    early.current = '';
    if (keys) setText((before) => before + keys);
  };
  const navigate = useNavigate();
  const [search, set] = useAddress();
  const { days } = useView();
  const places = usePlaces();
  const names = useQuery(catalog()).data;
  const asked = useQuery(questions()).data;
  const clients = useQuery(table({ measures: ['revenue'], by: ['client'], order: ['-revenue'] })).data;

  const asking = useSettled(text.trim(), PAUSE);
  const found = useQuery(searched(asking));
  const go = useMemo(() => {
    const keep = carried(search);
    return (to: string, more: object = {}) => navigate({ to, search: { ...keep, ...more } as never });
  }, [search, navigate]);

  const entries = useMemo<Entry[]>(() => {
    return [
      ...places.flatMap((g) =>
        g.places.map((p) => ({
          id: `page ${p.to}`,
          label: p.label,
          kind: t('Page'),
          words: p.words ?? '',
          icon: p.icon,
          run: () => go(p.to),
        })),
      ),
      ...(asked ?? []).map((q) => ({
        id: `question ${q.name}`,
        label: q.text,
        kind: t('Question'),
        words: `${q.name} ${q.asks} ${q.number}`,
        run: () => go(`/questions/${q.name}`),
      })),
      ...(clients?.rows ?? []).map((r) => ({
        id: `client ${r[0]}`,
        label: r[0] ?? '',
        kind: t('Client'),
        words: '',
        run: () => go(`/clients/${encodeURIComponent(r[0] ?? '')}`),
      })),
      ...(names?.measures ?? []).map((m) => ({
        id: `measure ${m.name}`,
        label: m.label,
        kind: t('Measure'),
        words: m.name,
        run: () =>
          set({ panel: { kind: 'explain', of: m.name, ...(search.where ? { where: search.where } : {}), ...(days ? { days } : {}) } }),
      })),
      { id: 'theme light', label: t('Light theme'), kind: t('Action'), words: 'look', run: () => setLook({ theme: 'light' }) },
      { id: 'theme dark', label: t('Dark theme'), kind: t('Action'), words: 'look night', run: () => setLook({ theme: 'dark' }) },
      { id: 'theme system', label: t('Theme of the system'), kind: t('Action'), words: 'look', run: () => setLook({ theme: 'system' }) },
      {
        id: 'clear',
        label: t('Clear period and filter'),
        kind: t('Action'),
        words: 'reset',
        run: () => set({ period: undefined, where: undefined }),
      },
      { id: 'print', label: t('Print this page'), kind: t('Action'), words: 'pdf', run: () => setTimeout(() => window.print(), 300) },
    ];
  }, [asked, clients, names, places, search, days, go, set]);

  const groups = useMemo(() => {
    const hits = text.trim() === '' ? [] : (found.data?.hits ?? []).map((h) => entryOf(h, go));
    return grouped(local(entries, text), hits);
  }, [entries, text, found.data, go]);
  const shown = groups.flatMap((g) => g.entries);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };

  return (
    <Autocomplete inputValue={text} onInputChange={setText}>
      <SearchField aria-label={t('Go to or do')} autoFocus>
        <Input
          className={css.paletteInput ?? ''}
          placeholder={t('Client, person, agreement, finding, report, page…')}
          onFocus={takeEarly}
          onKeyDown={(e) => {
            // Nothing is marked yet right after early keys: Enter means the first.
            if (e.key === 'Enter' && !e.currentTarget.getAttribute('aria-activedescendant')) choose(shown[0]);
          }}
        />
      </SearchField>
      <Menu
        className={css.paletteList ?? ''}
        aria-label={t('Results')}
        onAction={(id) => choose(shown.find((e) => e.id === id))}
        renderEmptyState={() => (
          <p className="muted" style={{ padding: 12 }}>
            {found.isFetching ? t('Looking…') : t('Nothing matches. Try a client, a person, a measure such as margin, or a page.')}
          </p>
        )}
      >
        {groups.map((g) => (
          <MenuSection key={g.kind} id={g.kind}>
            <Header className={ui.menuHead ?? ''}>{g.kind}</Header>
            {g.entries.map((e) => {
              const Icon = iconOf(e);
              return (
                <MenuItem key={e.id} id={e.id} textValue={e.label} className={ui.menuItem ?? ''}>
                  <Icon size={16} className={css.paletteIcon ?? ''} aria-hidden="true" />
                  <span className={css.paletteLabel}>{e.label}</span>
                  {e.note ? <small>{e.note}</small> : null}
                </MenuItem>
              );
            })}
          </MenuSection>
        ))}
      </Menu>
      <p className={css.paletteHint}>{t('↑ ↓ to choose, Enter to go, Esc to close')}</p>
    </Autocomplete>
  );
}

/** A value once it has not changed for a while. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const later = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(later);
  }, [value, ms]);
  return settled;
}
