import { useMutation } from '@tanstack/react-query';
import { Eye } from 'lucide-react';
import { api, messageOf, type Schemas, unwrap } from '../api/client';
import { instant } from '../lib/format';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { toast } from '../ui/toast';
import css from './shell.module.css';

/** Says on every page that this is a look as another role, and ends it. */
export function Looking({ view, label }: { view: Schemas['AccessView']; label: string }) {
  const end = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/view-as')),
    onSuccess: () => location.assign('/policies'), // nothing of the look stays in memory
    onError: (e) => toast(messageOf(e)),
  });
  const names = [...(view.clients ?? []), ...(view.teams ?? [])];
  return (
    <div className={css.looking} role="status">
      <Eye size={16} aria-hidden="true" />
      <span>
        {t('You look as {{role}}{{names}} until {{at}}. Nothing can be changed meanwhile.', {
          role: label || view.role,
          names: names.length > 0 ? t(' ({{names}})', { names: names.join(', ') }) : '',
          at: instant(view.until),
        })}
      </span>
      <Button onPress={() => end.mutate()} isDisabled={end.isPending}>
        {t('End the look')}
      </Button>
    </div>
  );
}
