// Which features are used, counted on this installation only; the server never passes it
// on. Calls are gathered so that counting costs nothing.
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let send: (features: string[]) => void = () => undefined;

export function onUsage(f: (features: string[]) => void): void {
  send = f;
}

export function used(feature: string): void {
  waiting.push(feature);
  timer ??= setTimeout(() => {
    timer = undefined;
    const all = waiting.slice(0, 50);
    waiting = [];
    send(all);
  }, 3000);
}
