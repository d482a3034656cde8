import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { messageOf } from '../../api/client';
import { knowsPush, PushRefused, pushDevices, subscribePush, unsubscribePush } from '../../api/delivery';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { deviceOf } from './device';

/** Messages of the program in the browser: asked for by a click, ended device by device. */
export function PushMessages() {
  const client = useQueryClient();
  const list = useQuery(pushDevices());
  const refresh = () => client.invalidateQueries({ queryKey: pushDevices().queryKey });
  const add = useMutation({
    mutationFn: () =>
      subscribePush(deviceOf(navigator.userAgent), {
        denied: t('The browser does not allow messages from this site. Allow them in its settings for this page, then try again.'),
        none: t('The app is not ready for messages here. Load the page again, then try once more.'),
      }),
    onSuccess: async () => {
      toast(t('Messages come to this browser from now on.'));
      await refresh();
    },
  });
  const end = useMutation({
    mutationFn: unsubscribePush,
    onSuccess: async () => {
      toast(t('No more messages go to that device.'));
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Messages in the browser')}
      subtitle={t('Alerts reach you while the app is closed; what they say is encrypted on the way')}
    >
      <div className="stack">
        {add.isError ? <Notice tone="bad">{add.error instanceof PushRefused ? add.error.message : messageOf(add.error)}</Notice> : null}
        <Loaded
          query={list}
          height={60}
          isEmpty={(all) => all.length === 0}
          empty={<p className="muted">{t('No device gets messages.')}</p>}
        >
          {(all) => (
            <ul className="stack" style={{ gap: 8 }}>
              {all.map((d) => (
                <li key={d.id} className="spread">
                  <span>
                    {d.device || t('a browser')}{' '}
                    <span className="muted small">
                      {d.used_at ? t('last message {{at}}', { at: instant(d.used_at) }) : t('since {{at}}', { at: instant(d.created_at) })}
                    </span>
                  </span>
                  <Button
                    kind="quiet"
                    isDisabled={end.isPending}
                    onPress={() => end.mutate(d.id)}
                    aria-label={t('End messages on {{device}}', { device: d.device || t('a browser') })}
                  >
                    {t('End')}
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
        {knowsPush() ? (
          <div className="row">
            <Button isDisabled={add.isPending} onPress={() => add.mutate()}>
              {t('Get messages in this browser')}
            </Button>
          </div>
        ) : (
          <p className="muted small">{t('This browser cannot take messages, or the connection is not encrypted.')}</p>
        )}
      </div>
    </Card>
  );
}
