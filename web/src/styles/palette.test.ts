// The palette, measured: contrast by WCAG 2.2, distance in OKLab, also as people with
// protan, deutan and tritan vision see it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');
const hex = /#[0-9a-f]{6}/i;

function token(name: string): { light: string; dark: string } {
  const found = new RegExp(`--${name}: light-dark\\((${hex.source}), (${hex.source})\\)`, 'i').exec(css);
  if (!found?.[1] || !found[2]) throw new Error(`no token ${name}`);
  return { light: found[1], dark: found[2] };
}

const themes = ['light', 'dark'] as const;

const linear = (color: string) =>
  [1, 3, 5]
    .map((i) => Number.parseInt(color.slice(i, i + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number];

function luminance(color: string): number {
  const [r, g, b] = linear(color);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

// Machado, Oliveira & Fernandes (2009), severity 1, in linear RGB.
const VISION: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

// Ottosson (2020), OKLab from linear sRGB.
function oklab([r, g, b]: number[]): number[] {
  const cube = (x: number) => Math.cbrt(Math.max(0, x));
  const l = cube(0.4122214708 * (r ?? 0) + 0.5363325363 * (g ?? 0) + 0.0514459929 * (b ?? 0));
  const m = cube(0.2119034982 * (r ?? 0) + 0.6806995451 * (g ?? 0) + 0.1073969566 * (b ?? 0));
  const s = cube(0.0883024619 * (r ?? 0) + 0.2817188376 * (g ?? 0) + 0.6299787005 * (b ?? 0));
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function seen(color: string, vision: string): number[] {
  const rgb = linear(color);
  return (VISION[vision] ?? []).map((row) => row.reduce((sum, k, i) => sum + k * (rgb[i] ?? 0), 0));
}

test.each(themes)('texts have a contrast of 4.5 on every ground, %s', (theme) => {
  for (const ground of ['bg', 'surface', 'sunken']) {
    for (const text of ['text', 'text-2', 'text-3', 'accent', 'good', 'bad', 'warn']) {
      expect(contrast(token(text)[theme], token(ground)[theme]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  }
  expect(contrast(token('on-accent')[theme], token('accent')[theme])).toBeGreaterThanOrEqual(4.5);
  for (const [text, ground] of [
    ['accent', 'accent-soft'],
    ['bad', 'bad-soft'],
    ['warn', 'warn-soft'],
    ['text', 'accent-soft'],
    ['text-2', 'accent-soft'],
  ] as const) {
    expect(contrast(token(text)[theme], token(ground)[theme]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
});

test.each(themes)('lines of controls and series have a contrast of 3, %s', (theme) => {
  expect(contrast(token('line-strong')[theme], token('surface')[theme])).toBeGreaterThanOrEqual(3);
  for (let i = 1; i <= 6; i++)
    expect(contrast(token(`series-${i}`)[theme], token('surface')[theme]), `series-${i}`).toBeGreaterThanOrEqual(3);
});

test.each(themes.flatMap((theme) => Object.keys(VISION).map((vision) => [theme, vision] as const)))(
  'any two series differ, %s, %s vision',
  (theme, vision) => {
    const colors = [1, 2, 3, 4, 5, 6].map((i) => oklab(seen(token(`series-${i}`)[theme], vision)));
    colors.forEach((a, i) => {
      colors.slice(0, i).forEach((b, j) => {
        const distance = 100 * Math.hypot(...a.map((x, k) => x - (b[k] ?? 0)));
        expect(distance, `series ${j + 1} and ${i + 1}`).toBeGreaterThanOrEqual(10);
      });
    });
  },
);
