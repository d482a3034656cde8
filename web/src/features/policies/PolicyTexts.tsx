import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type PolicyOf, policies } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import { Effects } from './Effects';
import css from './policies.module.css';

/** The policies that hold, as they are evaluated, and the tenant's own as a text. */
export function PolicyTexts() {
  const query = useQuery(policies());
  return (
    <Loaded query={query} height={480}>
      {(now) => {
        const of = (from: PolicyOf['from']) => now.policies.filter((p) => p.from === from);
        return (
          <div className="stack">
            <Own saved={now.own} schema={now.schema} />
            <List title={t('From roles made here')} list={of('role')} />
            <List title={t('Built in')} list={of('built-in')} />
          </div>
        );
      }}
    </Loaded>
  );
}

function List({ title, list }: { title: string; list: PolicyOf[] }) {
  if (list.length === 0) return null;
  return (
    <Card title={title} subtitle={t('{{count}} policies', { count: list.length })}>
      <ul className={css.list}>
        {list.map((p) => (
          <li key={p.id}>
            <details>
              <summary>
                <span className={css.id}>{p.id}</span>
                {p.effect === 'forbid' ? <Badge tone="bad">{t('forbids')}</Badge> : <Badge>{t('permits')}</Badge>}
                <span className={css.says}>{p.says}</span>
              </summary>
              <pre className={css.code}>{p.text}</pre>
            </details>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Own({ saved, schema }: { saved: string; schema: string }) {
  const client = useQueryClient();
  const [text, setText] = useState(saved);
  const [reason, setReason] = useState('');
  useEffect(() => setText(saved), [saved]);
  const put = useMutation({
    mutationFn: (trying: boolean) => unwrap(api.PUT('/api/v1/policies', { params: { query: { try: trying } }, body: { text, reason } })),
    onSuccess: async (v, trying) => {
      if (trying) return;
      await client.invalidateQueries({ queryKey: ['policies'] });
      setReason('');
      toast(v.waits ? t('It waits for {{who}}.', { who: v.waits }) : t('The policies are saved and hold now.'));
    },
  });
  const changed = text.trim() !== saved.trim();
  const leaving = useUnsaved(changed, 'tab');
  return (
    <Card title={t('Your own policies')} subtitle={t('Cedar; a text replaces the one before')}>
      {leaving}
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          put.mutate(false);
        }}
      >
        <div className={css.editor}>
          <TextField
            label={t('Policies')}
            hideLabel
            value={text}
            onChange={(next) => {
              setText(next);
              put.reset();
            }}
            multiline
            placeholder={
              '@id("viewers.export")\n@says("Viewers may export.")\npermit (principal in Role::"viewer", action == Action::"figures.export", resource);'
            }
            fault={put.isError ? messageOf(put.error) : undefined}
          />
        </div>
        {put.isSuccess && put.variables ? <Effects list={put.data.effects} lines={put.data.lines} /> : null}
        {changed ? (
          <>
            <TextField label={t('Why')} value={reason} onChange={setReason} hint={t('For those who approve or read it later.')} />
            <div className="row">
              <Button type="submit" kind="primary" isDisabled={put.isPending}>
                {t('Save')}
              </Button>
              <Button onPress={() => put.mutate(true)} isDisabled={put.isPending}>
                {t('What would it change?')}
              </Button>
              <Button onPress={() => setText(saved)}>{t('Discard')}</Button>
            </div>
          </>
        ) : saved === '' ? (
          <Notice>{t('There are none: roles made here are mostly enough.')}</Notice>
        ) : null}
        <details>
          <summary>{t('What policies may speak about')}</summary>
          <pre className={css.code}>{schema}</pre>
        </details>
      </form>
    </Card>
  );
}
