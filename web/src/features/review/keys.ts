import { useEffect, useRef } from 'react';

/** What a key does in the queue, enter in small letters; typing in a field does nothing of it. */
export type Keys = Record<string, () => void>;

/**
 * Listens to single keys while the page is open. It comes before the keys of the shell, so
 * that "?" shows the queue's own keys; with an open dialog it is off.
 */
export function useKeys(keys: Keys, on: boolean): void {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    if (!on) return;
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || !(e.target instanceof HTMLElement)) return;
      if (e.target.closest('input, textarea, select, [contenteditable], [role="dialog"]')) return;
      // Enter is the focused control's own.
      if (e.key === 'Enter' && e.target.closest('button, a')) return;
      const run = now.current[e.key === 'Enter' ? 'enter' : e.key];
      if (!run) return;
      e.preventDefault();
      e.stopImmediatePropagation();
      run();
    };
    addEventListener('keydown', onKey, true);
    return () => removeEventListener('keydown', onKey, true);
  }, [on]);
}

/** The id beside one in a list; the first when it is not there. */
export function beside(ids: string[], id: string | undefined, by: number): string | undefined {
  const at = id === undefined ? -1 : ids.indexOf(id);
  if (at < 0) return ids[0];
  return ids[Math.min(Math.max(at + by, 0), ids.length - 1)];
}
