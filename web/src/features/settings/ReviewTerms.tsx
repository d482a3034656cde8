import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type ReviewKind, reviewKinds, topics } from '../../api/reviews';
import { instant, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Checkbox, TextField } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';

/** How long questions may wait, who decides them, and what was rejected again and again. */
export function ReviewTerms() {
  const kinds = useQuery(reviewKinds());
  return (
    <>
      <Card title={t('Decisions')} subtitle={t('For questions that come up from now on; 0 days is never')}>
        <Loaded query={kinds} height={240}>
          {(all) => (
            <div className="stack">
              {all.map((k) => (
                <Terms key={k.name} k={k} />
              ))}
            </div>
          )}
        </Loaded>
      </Card>
      <Insistence />
    </>
  );
}

function Terms({ k }: { k: ReviewKind }) {
  const client = useQueryClient();
  const [due, setDue] = useState(String(k.terms.due_days));
  const [expire, setExpire] = useState(String(k.terms.expire_days));
  useEffect(() => {
    setDue(String(k.terms.due_days));
    setExpire(String(k.terms.expire_days));
  }, [k]);
  const save = useMutation({
    mutationFn: (body: ReviewKind['terms']) =>
      unwrap(api.PUT('/api/v1/reviews/kinds/{kind}', { params: { path: { kind: k.name } }, body })),
    onSuccess: () => toast(t('{{kind}}: saved.', { kind: k.label })),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data', 'reviews', 'kinds'] }),
  });
  const now = { due_days: Number(due), expire_days: Number(expire), four_eyes: k.terms.four_eyes };
  const changed = now.due_days !== k.terms.due_days || now.expire_days !== k.terms.expire_days;
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate(now);
      }}
    >
      <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
        <legend style={{ fontWeight: 600, padding: 0 }}>{k.label}</legend>
        <div className="row" style={{ alignItems: 'end' }}>
          <div style={{ width: 92 }}>
            <TextField label={t('Due, days')} type="number" value={due} onChange={setDue} />
          </div>
          <div style={{ width: 92 }}>
            <TextField label={t('Expires, days')} type="number" value={expire} onChange={setExpire} />
          </div>
          <Checkbox label={t('Two people')} checked={k.terms.four_eyes} onChange={(four_eyes) => save.mutate({ ...k.terms, four_eyes })} />
          {changed ? (
            <Button type="submit" isDisabled={save.isPending}>
              {t('Save')}
            </Button>
          ) : null}
        </div>
      </fieldset>
    </form>
  );
}

/** What was rejected three times in a row comes last, until it is reset. */
function Insistence() {
  const client = useQueryClient();
  const list = useQuery(topics());
  const reset = useMutation({
    mutationFn: (topic: string) => unwrap(api.POST('/api/v1/reviews/topics/reset', { body: { topic } })),
    onSuccess: () => toast(t('It is as insistent as it was.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data'] }),
  });
  return (
    <Card title={t('What is less insistent?')} subtitle={t('Rejected three times in a row: such findings come last')}>
      <Loaded
        query={list}
        height={80}
        isEmpty={(all) => all.every((x) => x.rejected === 0)}
        empty={<p className="muted">{t('Nothing was rejected.')}</p>}
      >
        {(all) => (
          <DataTable
            caption={t('Rejected kinds of findings and rules')}
            rows={all.filter((x) => x.rejected > 0)}
            rowKey={(x) => x.topic}
            columns={[
              {
                id: 'topic',
                head: t('What'),
                cell: (x) => (
                  <>
                    {sentence(words(x.topic))} {x.quiet ? <Badge>{t('comes last')}</Badge> : null}
                  </>
                ),
              },
              { id: 'n', head: t('Rejected in a row'), right: true, cell: (x) => x.rejected },
              { id: 'at', head: t('Last'), cell: (x) => instant(x.last_at) },
              {
                id: 'reset',
                head: '',
                cell: (x) => (
                  <Button
                    kind="quiet"
                    isDisabled={reset.isPending}
                    aria-label={t('Reset {{topic}}', { topic: words(x.topic) })}
                    onPress={() => reset.mutate(x.topic)}
                  >
                    {t('Reset')}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
