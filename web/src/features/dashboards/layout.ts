import type { Tile } from '../../api/queries';

export const COLUMNS = 12;
export const LEAST = { w: 2, h: 2 };

const overlap = (a: Tile, b: Tile) => a.id !== b.id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Changes a tile's place or size, pushes what it lands on down, and closes the gaps. */
export function placed(tiles: Tile[], id: string, change: Partial<Pick<Tile, 'x' | 'y' | 'w' | 'h'>>): Tile[] {
  const next = tiles.map((x) => (x.id === id ? clamped({ ...x, ...change }) : x));
  const moved = next.find((x) => x.id === id);
  if (!moved) return tiles;
  const done: Tile[] = [moved];
  for (const one of next.filter((x) => x.id !== id).sort(inOrder)) {
    let at = one;
    for (let hit = done.find((d) => overlap(d, at)); hit; hit = done.find((d) => overlap(d, at))) at = { ...at, y: hit.y + hit.h };
    done.push(at);
  }
  return compact(done);
}

/** Moves every tile up as far as nothing is in its way. */
export function compact(tiles: Tile[]): Tile[] {
  const done: Tile[] = [];
  for (const one of [...tiles].sort(inOrder)) {
    let at = one;
    while (at.y > 0) {
      const higher = { ...at, y: at.y - 1 };
      if (done.some((d) => overlap(d, higher))) break;
      at = higher;
    }
    for (let hit = done.find((d) => overlap(d, at)); hit; hit = done.find((d) => overlap(d, at))) at = { ...at, y: hit.y + hit.h };
    done.push(at);
  }
  return done;
}

export function inOrder(a: Tile, b: Tile): number {
  return a.y - b.y || a.x - b.x;
}

function clamped(x: Tile): Tile {
  const w = Math.max(LEAST.w, Math.min(COLUMNS, x.w));
  return { ...x, w, h: Math.max(LEAST.h, Math.min(40, x.h)), x: Math.max(0, Math.min(COLUMNS - w, x.x)), y: Math.max(0, x.y) };
}

/** Where a new tile goes: below everything. */
export function below(tiles: Tile[]): number {
  return tiles.reduce((most, x) => Math.max(most, x.y + x.h), 0);
}

export function newId(): string {
  return crypto.randomUUID().slice(0, 8);
}
