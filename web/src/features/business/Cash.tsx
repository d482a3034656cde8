export function Cash() { return null; }
