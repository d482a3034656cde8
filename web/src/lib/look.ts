// Theme and density: the only state that is neither in the address nor on the server.
// boot.js reads the same key before the first paint.

export interface Look {
  theme: 'system' | 'light' | 'dark';
  density: 'comfortable' | 'compact';
}

const KEY = 'moat.look';
const listeners = new Set<() => void>();

export function look(): Look {
  const d = document.documentElement.dataset;
  return {
    theme: d.theme === 'light' || d.theme === 'dark' ? d.theme : 'system',
    density: d.density === 'compact' ? 'compact' : 'comfortable',
  };
}

export function setLook(next: Partial<Look>): void {
  const now = { ...look(), ...next };
  const root = document.documentElement;
  if (now.theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = now.theme;
  if (now.density === 'compact') root.dataset.density = 'compact';
  else delete root.dataset.density;
  localStorage.setItem(KEY, JSON.stringify(now));
  for (const f of listeners) f();
}

/** Calls f whenever colors change, the system's own change included. */
export function onLook(f: () => void): () => void {
  listeners.add(f);
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', f);
  return () => {
    listeners.delete(f);
    system.removeEventListener('change', f);
  };
}
