/** Colors as the page has them now; ECharts needs them resolved, not as light-dark(). */
export interface Palette {
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  good: string;
  bad: string;
  warn: string;
  series: string[];
}

export function palette(): Palette {
  const probe = document.createElement('span');
  probe.style.transition = 'none'; // otherwise the color read is the one before
  document.body.append(probe);
  const color = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const out = {
    text: color('text'),
    muted: color('text-2'),
    line: color('line'),
    surface: color('surface'),
    accent: color('accent'),
    good: color('good'),
    bad: color('bad'),
    warn: color('warn'),
    series: [1, 2, 3, 4, 5, 6].map((n) => color(`series-${n}`)),
  };
  probe.remove();
  return out;
}

/** The same color, see-through. */
export function faint(rgb: string, alpha: number): string {
  const parts = rgb.match(/[\d.]+/g) ?? [];
  return `rgba(${parts.slice(0, 3).join(',')},${alpha})`;
}
