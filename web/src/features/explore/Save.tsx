import type { Ask } from '../../api/queries';
export function SaveMenu(_: { ask: Ask; show: string }) { return null; }
