import { type UseQueryResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { download } from '../../api/files';
import type { AuditState } from '../../api/queries';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './audit.module.css';

/** How many checkpoints are listed; the API has the others. */
const SHOWN = 5;

const save = (seq: number) =>
  download(`/api/v1/audit/checkpoints/${seq}`).then(
    (name) => toast(t('{{name}} is saved. Keep it where nobody who can change the database can write.', { name })),
    (e) => toast(messageOf(e)),
  );

/** The signed ends of the chain, to be kept elsewhere. */
export function Checkpoints({ state }: { state: UseQueryResult<AuditState> }) {
  const client = useQueryClient();
  const sign = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/audit/checkpoints')),
    onSuccess: (c) => {
      client.invalidateQueries({ queryKey: ['audit'] });
      save(c.seq);
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('What can be kept elsewhere?')}
      subtitle={t('A checkpoint is the signed end of the chain. One is made every day; a copy off this machine proves what stood here')}
    >
      <div className="stack">
        <div>
          <Button isDisabled={sign.isPending} onPress={() => sign.mutate()}>
            {sign.isPending ? t('Signing …') : t('Sign one now and save it')}
          </Button>
        </div>
        <Loaded query={state} height={120}>
          {(s) => (
            <>
              {(s.checkpoints ?? []).length === 0 ? <p className="muted">{t('None yet.')}</p> : null}
              <ul className={css.list}>
                {(s.checkpoints ?? []).slice(0, SHOWN).map((c) => (
                  <li key={c.seq}>
                    <span>
                      {t('Up to entry {{entry}}', { entry: c.seq })} <span className="muted small">{instant(c.at)}</span>
                    </span>
                    <Button
                      kind="quiet"
                      onPress={() => save(c.seq)}
                      aria-label={t('Save the checkpoint at entry {{entry}}', { entry: c.seq })}
                    >
                      {t('Save')}
                    </Button>
                  </li>
                ))}
              </ul>
              {s.key.public ? (
                <p className="muted small">
                  {t('Public key (Ed25519):')} <code className={css.hash}>{s.key.public}</code>
                </p>
              ) : null}
            </>
          )}
        </Loaded>
      </div>
    </Card>
  );
}
