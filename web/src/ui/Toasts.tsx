import {
  UNSTABLE_Toast as AriaToast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components';
import { t } from '../lib/i18n';
import { type Message, onToast } from './toast';
import css from './ui.module.css';

const queue = new ToastQueue<Message>({ maxVisibleToasts: 3 });

onToast((message) => queue.add(message, { timeout: message.action ? 10_000 : 6_000 }));

export function Toasts() {
  return (
    <ToastRegion queue={queue} className={css.toasts ?? ''} aria-label={t('Messages')}>
      {({ toast: one }) => (
        <AriaToast toast={one} className={css.toast ?? ''}>
          <ToastContent>{one.content.text}</ToastContent>
          {one.content.action ? (
            <button
              type="button"
              onClick={() => {
                one.content.action?.run();
                queue.close(one.key);
              }}
            >
              {one.content.action.label}
            </button>
          ) : null}
          <button type="button" aria-label={t('Dismiss')} onClick={() => queue.close(one.key)}>
            ✕
          </button>
        </AriaToast>
      )}
    </ToastRegion>
  );
}
