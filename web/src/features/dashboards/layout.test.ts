import { expect, test } from 'vitest';
import type { Tile } from '../../api/queries';
import { compact, placed } from './layout';

const tile = (id: string, x: number, y: number, w: number, h: number): Tile => ({ id, x, y, w, h, kind: 'note' });

function overlaps(tiles: Tile[]): boolean {
  return tiles.some((a) => tiles.some((b) => a.id !== b.id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h));
}

test('no move or size makes tiles overlap or leave the grid', () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 16807) % 2147483647;
    return seed % n;
  };
  let tiles = compact(Array.from({ length: 12 }, (_, i) => tile(String(i), random(10), random(20), 2 + random(3), 2 + random(4))));
  for (let i = 0; i < 500; i++) {
    const change = { [['x', 'y', 'w', 'h'][random(4)] ?? 'x']: random(16) - 2 };
    tiles = placed(tiles, String(random(12)), change);
    expect(overlaps(tiles)).toBe(false);
    expect(tiles).toHaveLength(12);
    for (const x of tiles) {
      expect(x.x >= 0 && x.x + x.w <= 12 && x.y >= 0 && x.w >= 2 && x.h >= 2 && x.h <= 40).toBe(true);
    }
  }
});

test('gaps close upward', () => {
  expect(compact([tile('a', 0, 5, 4, 2), tile('b', 0, 9, 4, 2)]).map((x) => x.y)).toEqual([0, 2]);
});
