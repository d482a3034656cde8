export function ImportRecord() { return null; }
