export interface Message {
  text: string;
  action?: { label: string; run: () => void } | undefined;
}

let show: ((message: Message) => void) | undefined;
const early: Message[] = [];

/** Says that something happened; with an action (undo) it stays for 10 s. */
export function toast(text: string, action?: Message['action']): void {
  const message = { text, action };
  if (show) show(message);
  else early.push(message);
}

/** Where messages go; those from before it are handed over. */
export function onToast(f: (message: Message) => void): void {
  show = f;
  for (const m of early.splice(0)) f(m);
}
