import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Rule, type RuleDraft, ruleHits, rules } from '../../api/queries';
import { t } from '../../lib/i18n';
import type { Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Drawer } from '../../ui/Dialog';
import { Empty, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useRefresh } from './definitions';
import { RuleForm } from './RuleForm';
import { RuleHistory } from './RuleHistory';
import { RuleList } from './RuleList';
import { RuleReviews } from './RuleReviews';

/** Conditions that are watched, what they found and when. */
export function Rules({ names }: { names: Names }) {
  const list = useQuery(rules());
  const hits = useQuery(ruleHits());
  const refresh = useRefresh();
  const [open, setOpen] = useState<Rule | 'new'>();
  const run = useMutation({
    mutationFn: (rule: string | undefined) => unwrap(api.POST('/api/v1/rules/evaluate', { params: { query: rule ? { rule } : {} } })),
    onSuccess: async (r) => {
      toast(
        t('{{found}} found, {{began}} of them new, {{ended}} ended.', {
          found: (r.findings ?? []).length,
          began: (r.began ?? []).length,
          ended: (r.ended ?? []).length,
        }),
      );
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  const restore = useMutation({
    mutationFn: ({ name, condition, measure, dimension, where, months, money, description, owner, ...r }: Rule) => {
      const then = r.then as NonNullable<RuleDraft['then']>;
      return unwrap(
        api.POST('/api/v1/rules', { body: { name, condition, measure, dimension, where, months, then, money, description, owner } }),
      );
    },
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (r: Rule) => unwrap(api.DELETE('/api/v1/rules/{name}', { params: { path: { name: r.name } } })),
    onSuccess: async (_, r) => {
      toast(t('{{name}} was removed.', { name: r.name }), { label: t('Undo'), run: () => restore.mutate(r) });
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  const some = (list.data ?? []).length > 0;
  return (
    <div className="stack">
      <Card
        title={t('Rules')}
        subtitle={t('Evaluated after each import: what holds becomes a finding, a question or a notice')}
        actions={
          <>
            {some ? (
              <Button need="definitions.write" isDisabled={run.isPending} onPress={() => run.mutate(undefined)}>
                {t('Run all now')}
              </Button>
            ) : null}
            <Button kind="primary" need="definitions.write" onPress={() => setOpen('new')}>
              {t('New rule')}
            </Button>
          </>
        }
      >
        {(run.data?.problems ?? []).map((p) => (
          <Notice key={p} tone="bad">
            {p}
          </Notice>
        ))}
        <Loaded
          query={list}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty title={t('None yet')}>
              {t('Say what must not be, such as gross_margin < 20% by client, and hear of it when it is.')}
            </Empty>
          }
        >
          {(all) => (
            <RuleList
              all={all}
              hits={hits.data ?? []}
              names={names}
              busy={run.isPending}
              onOpen={setOpen}
              onRun={(r) => run.mutate(r.name)}
              onRemove={(r) => remove.mutate(r)}
            />
          )}
        </Loaded>
      </Card>
      <RuleReviews />
      {some || (hits.data ?? []).length > 0 ? <RuleHistory query={hits} rules={list.data ?? []} names={names} /> : null}
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title={open === 'new' ? t('New rule') : (open?.name ?? '')}
        subtitle={t('Judged over the last complete months')}
      >
        {open ? (
          <RuleForm
            key={open === 'new' ? '' : open.name}
            names={names}
            saved={open === 'new' ? undefined : open}
            onDone={() => setOpen(undefined)}
          />
        ) : null}
      </Drawer>
    </div>
  );
}
