import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { toast } from '../../ui/toast';
import css from './access.module.css';

/** A link that was made: shown once, to be sent by whoever made it. */
export function GivenLink({ path, email, onClose }: { path: string; email: string; onClose: () => void }) {
  const address = location.origin + path;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('The link')}
      subtitle={t('Shown this once. Whoever has it can use it: send it to {{email}} only.', { email })}
    >
      <div className="stack">
        <code className={css.once}>{address}</code>
        <div className="row">
          <Button onPress={() => navigator.clipboard.writeText(address).then(() => toast(t('The link is copied.')))}>{t('Copy')}</Button>
          <Button kind="primary" onPress={onClose}>
            {t('Done')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
