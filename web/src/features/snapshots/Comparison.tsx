export function Comparison({ id, onClose }: { id: number; onClose: () => void }) { void id; void onClose; return null; }
