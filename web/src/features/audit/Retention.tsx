import { type UseQueryResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import type { AuditState } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './audit.module.css';

const kept = (days: number) => (days === 0 ? t('for ever') : t('{{count}} days', { count: days }));

/** How long entries keep their content. */
export function Retention({ state }: { state: UseQueryResult<AuditState> }) {
  const [editing, setEditing] = useState(false);
  return (
    <Card
      title={t('How long do contents stay?')}
      subtitle={t('Older entries lose who, what and why, and keep a seal: the chain stays whole and says that it was policy')}
    >
      <Loaded query={state} height={120}>
        {({ retention: r }) =>
          editing ? (
            <Form days={r.days} readDays={r.read_days} onDone={() => setEditing(false)} />
          ) : (
            <div className="stack">
              <p>
                {t('All entries: {{days}}. Entries that somebody read something: {{reads}}.', {
                  days: kept(r.days),
                  reads: kept(r.read_days),
                })}
              </p>
              {r.held ? <p className="muted">{t('A legal hold stands: until it is lifted nothing goes.')}</p> : null}
              {r.due > 0 ? <p className="muted">{t('{{count}} contents go with the next daily run.', { count: r.due })}</p> : null}
              <div>
                <Button onPress={() => setEditing(true)}>{t('Change …')}</Button>
              </div>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

function Form({ days, readDays, onDone }: { days: number; readDays: number; onDone: () => void }) {
  const client = useQueryClient();
  const [all, setAll] = useState(String(days));
  const [reads, setReads] = useState(String(readDays));
  const [reason, setReason] = useState('');
  const body = { days: Number(all), read_days: Number(reads) };
  const preview = useMutation({
    mutationFn: () => unwrap(api.GET('/api/v1/audit/retention', { params: { query: body } })),
  });
  const set = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/audit/retention', { body: { ...body, reason } })),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: ['audit'] });
      toast(t('The retention is set, and that is recorded.'));
      onDone();
    },
  });
  const failed = set.error ?? preview.error;
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        set.mutate();
      }}
    >
      <div className={css.two}>
        <TextField label={t('Days for all entries')} type="number" hint={t('at least 90; 0 is for ever')} value={all} onChange={setAll} />
        <TextField label={t('Days for reads')} type="number" hint={t('at least 90; 0 is for ever')} value={reads} onChange={setReads} />
      </div>
      <TextField label={t('Why, for the record')} value={reason} onChange={setReason} />
      {preview.data ? (
        <Notice>
          {preview.data.held
            ? t('A legal hold stands: until it is lifted nothing goes.')
            : t('{{count}} contents would go now.', { count: preview.data.due })}
        </Notice>
      ) : null}
      {failed ? <Notice tone="bad">{messageOf(failed)}</Notice> : null}
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={set.isPending}>
          {t('Set it')}
        </Button>
        <Button isDisabled={preview.isPending} onPress={() => preview.mutate()}>
          {t('What would go?')}
        </Button>
        <Button kind="quiet" onPress={onDone}>
          {t('Cancel')}
        </Button>
      </div>
    </form>
  );
}
