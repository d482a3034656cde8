// Runs before the first paint: the theme, and the one policy for trusted types. ECharts
// empties nodes with innerHTML = '', and the service worker's address is a script URL;
// nothing else passes.
(() => {
  try {
    const saved = JSON.parse(localStorage.getItem('moat.look') || '{}');
    const root = document.documentElement;
    if (saved.theme === 'light' || saved.theme === 'dark') root.dataset.theme = saved.theme;
    if (saved.density === 'compact') root.dataset.density = 'compact';
  } catch {}
  if (window.trustedTypes) {
    window.trustedTypes.createPolicy('default', {
      createHTML: (s) => (s === '' ? s : null),
      createScriptURL: (s) => (new URL(s, location.href).href === `${location.origin}/sw.js` ? s : null),
      createScript: () => null,
    });
  }
})();
