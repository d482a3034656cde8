export function Snapshots() { return null; }
