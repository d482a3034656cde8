import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type RefObject, useMemo, useState } from 'react';
import { Autocomplete, Input, Menu, MenuItem, SearchField } from 'react-aria-components';
import { catalog, questions, table } from '../api/queries';
import { t } from '../lib/i18n';
import { setLook } from '../lib/look';
import { carried, useAddress, useView } from '../lib/state';
import { allows, useRights } from '../metrics/rights';
import { Overlay } from '../ui/Dialog';
import ui from '../ui/ui.module.css';
import { needOf, PLACES } from './nav';
import css from './shell.module.css';

interface Entry {
  id: string;
  label: string;
  kind: string;
  words: string;
  run: () => void;
}

const SHOWN = 40;

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
  const rights = useRights();
  const names = useQuery(catalog()).data;
  const asked = useQuery(questions()).data;
  const clients = useQuery(table({ measures: ['revenue'], by: ['client'], order: ['-revenue'] })).data;

  const entries = useMemo<Entry[]>(() => {
    const keep = carried(search);
    const go = (to: string, more: object = {}) => navigate({ to, search: { ...keep, ...more } as never });
    return [
      ...PLACES.flatMap((g) =>
        g.places
          .filter((p) => allows(rights, needOf(p.to)))
          .map((p) => ({ id: `page ${p.to}`, label: p.label, kind: t('Page'), words: p.words ?? '', run: () => go(p.to) })),
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
  }, [asked, clients, names, search, days, rights, navigate, set]);

  const shown = useMemo(() => {
    const needles = text.toLowerCase().split(/\s+/).filter(Boolean);
    const hit = (e: Entry) => needles.every((n) => `${e.label} ${e.words} ${e.kind}`.toLowerCase().includes(n));
    const first = (e: Entry) => (e.label.toLowerCase().startsWith(text.toLowerCase()) ? 0 : 1);
    const all = entries.filter(hit);
    return (needles.length ? all.sort((a, b) => first(a) - first(b)) : all.filter((e) => e.kind === t('Page'))).slice(0, SHOWN);
  }, [entries, text]);

  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };

  return (
    <Autocomplete inputValue={text} onInputChange={setText}>
      <SearchField aria-label={t('Go to or do')} autoFocus>
        <Input
          className={css.paletteInput ?? ''}
          placeholder={t('Client, page, measure or action')}
          onFocus={takeEarly}
          onKeyDown={(e) => {
            // Nothing is marked yet right after early keys: Enter means the first.
            if (e.key === 'Enter' && !e.currentTarget.getAttribute('aria-activedescendant')) go(shown[0]);
          }}
        />
      </SearchField>
      <Menu
        className={css.paletteList ?? ''}
        aria-label={t('Results')}
        items={shown}
        onAction={(id) => go(entries.find((e) => e.id === id))}
        renderEmptyState={() => (
          <p className="muted" style={{ padding: 12 }}>
            {t('Nothing matches. Try a client, a measure such as margin, or a page.')}
          </p>
        )}
      >
        {(e) => (
          <MenuItem id={e.id} textValue={e.label} className={ui.menuItem ?? ''}>
            <span>{e.label}</span>
            <small>{e.kind}</small>
          </MenuItem>
        )}
      </Menu>
      <p className={css.paletteHint}>{t('↑ ↓ to choose, Enter to go, Esc to close')}</p>
    </Autocomplete>
  );
}
