export function Feedback() { return null; }
