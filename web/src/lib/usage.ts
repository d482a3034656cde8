// Which features are used, counted on this installation only; the server never passes it
// on. Calls are gathered so that counting costs nothing.
let waiting: string[] = [];
let send: (features: string[]) => void = () => undefined;

export function onUsage(f: (features: string[]) => void): void {
  send = f;
}

const GATHERED = 3000; // ms
const MOST = 50;

export function used(feature: string): void {
  waiting.push(feature);
  if (waiting.length > 1) return; // a sending is on its way
  setTimeout(() => {
    const all = waiting.slice(0, MOST);
    waiting = [];
    send(all);
  }, GATHERED);
}
