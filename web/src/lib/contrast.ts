// Contrast of two colors as WCAG 2.2 defines it: what is printed must be readable on paper.

/** The least contrast of text on paper. */
export const READABLE = 4.5;

/** Red, green and blue of a color written as six hex digits; undefined for any other text. */
export function rgb(color: string): [number, number, number] | undefined {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  return found
    ? [Number.parseInt(found[1] ?? '', 16), Number.parseInt(found[2] ?? '', 16), Number.parseInt(found[3] ?? '', 16)]
    : undefined;
}

function luminance([r, g, b]: [number, number, number]): number {
  const linear = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** The contrast of a color with white, 1 to 21; undefined for what is no color. */
export function onWhite(color: string): number | undefined {
  const parts = rgb(color);
  return parts ? 1.05 / (luminance(parts) + 0.05) : undefined;
}
