import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { t } from '../lib/i18n';
import { IconButton } from './Button';
import css from './ui.module.css';

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  subtitle?: ReactNode;
  children: ReactNode;
  /** Of a panel: with room for a page beside. */
  wide?: boolean;
}

function Frame({ open, onClose, title, subtitle, children, className, wide }: Props & { className: string }) {
  return (
    <ModalOverlay isOpen={open} onOpenChange={(next) => !next && onClose()} isDismissable className={css.overlay ?? ''}>
      <Modal className={className} {...(wide ? { 'data-wide': true } : {})}>
        <AriaDialog className={css.dialog ?? ''}>
          <div className={css.dialogHead}>
            <div>
              <Heading slot="title" level={2}>
                {title}
              </Heading>
              {subtitle ? <p className="muted small">{subtitle}</p> : null}
            </div>
            <IconButton label={t('Close')} onPress={onClose}>
              <X size={18} />
            </IconButton>
          </div>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A dialog in the middle of the page. */
export function Dialog(props: Props) {
  return <Frame {...props} className={css.modal ?? ''} />;
}

/** A panel at the right edge, the whole screen on a phone. */
export function Drawer(props: Props) {
  return <Frame {...props} className={css.drawer ?? ''} />;
}

/** A dialog without a head, near the top: the command palette. */
export function Overlay({ open, onClose, label, children }: { open: boolean; onClose: () => void; label: string; children: ReactNode }) {
  return (
    <ModalOverlay isOpen={open} onOpenChange={(next) => !next && onClose()} isDismissable className={css.overlay ?? ''}>
      <Modal className={css.modal ?? ''} data-place="top">
        <AriaDialog aria-label={label} style={{ outline: 'none' }}>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
