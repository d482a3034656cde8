import type { ReactNode } from 'react';
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import css from './ui.module.css';

/** A button that opens a small dialog beside it. */
export function PopoverButton({
  trigger,
  label,
  children,
}: {
  trigger: ReactNode;
  label: string;
  children: (close: () => void) => ReactNode;
}) {
  return (
    <DialogTrigger>
      {trigger}
      <Popover className={css.popover ?? ''} placement="bottom start" offset={4}>
        <Dialog aria-label={label} style={{ outline: 'none', padding: 8 }}>
          {({ close }) => children(close)}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
