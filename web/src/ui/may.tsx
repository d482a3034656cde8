import { createContext, type ReactNode, useContext } from 'react';

/** Whether an action is allowed; the shell says it. The server refuses by itself: hiding spares the try. */
export const MayContext = createContext<(action: string) => boolean>(() => true);

export const useMay = (action: string): boolean => useContext(MayContext)(action);

/** Shown only to those who may. */
export function May({ action, children }: { action: string; children: ReactNode }) {
  return useMay(action) ? children : null;
}
