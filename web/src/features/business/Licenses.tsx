export function Licenses() { return null; }
