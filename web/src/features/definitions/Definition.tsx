export function Definition() { return null; }
