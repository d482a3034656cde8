import { CalendarRange, ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import { t } from '../lib/i18n';
import { addMonths, isPeriod, overlaps, PRESETS, resolve, stepped } from '../lib/period';
import { useView } from '../lib/state';
import { Button, IconButton } from '../ui/Button';
import { TextField } from '../ui/Field';
import { PopoverButton } from '../ui/PopoverButton';
import ui from '../ui/ui.module.css';
import css from './metrics.module.css';
import { periodText } from './words';

/** The global period: presets count from the end of the complete data. */
export function TimeBar() {
  const { period, days, complete, set } = useView();
  const preset = PRESETS.find(([id]) => id === period);
  // A step leads to where there is data: beyond it every figure would be unknown.
  const next = (direction: 1 | -1) => {
    const range = days ? stepped(days, direction) : '';
    const there = resolve(range, complete);
    return range && there && complete && overlaps(there, complete) ? range : undefined;
  };
  const step = (direction: 1 | -1) => {
    const range = next(direction);
    if (range) set({ period: range });
  };

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.target instanceof HTMLElement && e.target.closest('input, textarea, select, [role="dialog"]')) return;
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === '[') step(-1);
      if (e.key === ']') step(1);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  return (
    <div className={css.bar} data-timebar>
      <IconButton label={t('Earlier ([)')} onPress={() => step(-1)} isDisabled={!next(-1)}>
        <ChevronLeft size={16} />
      </IconButton>
      <PopoverButton
        label={t('Period')}
        trigger={
          <Button>
            <CalendarRange size={16} aria-hidden="true" />
            {preset ? t(preset[1]) : periodText(days)}
            {preset && days ? <span className={`muted small ${css.range}`}>{periodText(days)}</span> : null}
          </Button>
        }
      >
        {(close) => (
          <div className="stack" style={{ gap: 8 }}>
            <ul>
              {PRESETS.map(([id, label]) => (
                <li key={id}>
                  <button
                    type="button"
                    className={ui.menuItem}
                    style={{ width: '100%', border: 0, background: 'none' }}
                    aria-pressed={period === id}
                    onClick={() => {
                      set({ period: id === 'last12' ? undefined : id });
                      close();
                    }}
                  >
                    <span>{t(label)}</span>
                    <small>{periodText(resolve(id, complete))}</small>
                  </button>
                </li>
              ))}
            </ul>
            <Custom
              from={days?.from ?? ''}
              to={days ? addMonths(days.to, -1) : ''}
              onApply={(range) => {
                set({ period: range });
                close();
              }}
            />
          </div>
        )}
      </PopoverButton>
      <IconButton label={t('Later (])')} onPress={() => step(1)} isDisabled={!next(1)}>
        <ChevronRight size={16} />
      </IconButton>
    </div>
  );
}

function Custom({ from, to, onApply }: { from: string; to: string; onApply: (range: string) => void }) {
  const [first, setFirst] = useState(from.slice(0, 7));
  const [last, setLast] = useState(to.slice(0, 7));
  const range = `${first}..${last}`;
  const ok = isPeriod(range);
  return (
    <form
      className="stack"
      style={{ gap: 8, borderTop: '1px solid var(--line)', paddingTop: 8 }}
      onSubmit={(e) => {
        e.preventDefault();
        if (ok) onApply(range);
      }}
    >
      <div className="row" style={{ flexWrap: 'nowrap' }}>
        <TextField label={t('From month')} type="month" value={first} onChange={setFirst} />
        <TextField
          label={t('To month')}
          type="month"
          value={last}
          onChange={setLast}
          fault={ok ? undefined : t('Give two months, the earlier first.')}
        />
      </div>
      <Button type="submit" kind="primary" isDisabled={!ok}>
        {t('Show these months')}
      </Button>
    </form>
  );
}
