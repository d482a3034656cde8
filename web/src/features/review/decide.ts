import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import type { Review, ReviewKind, Verdict } from '../../api/reviews';
import { t } from '../../lib/i18n';
import { toast } from '../../ui/toast';

export interface Answer {
  verdict: string;
  choice?: string;
  reason?: string;
}

/** The verdict of a kind that approves, rejects or corrects. */
export function verdictOf(kinds: ReviewKind[], kind: string, sense: string): Verdict | undefined {
  return kinds.find((k) => k.name === kind)?.verdicts?.find((v) => v.sense === sense);
}

/** What was decided, in words. */
export function decisionText(kinds: ReviewKind[], r: Review, d: { verdict: string; choice: string }): string {
  const done = kinds.find((k) => k.name === r.kind)?.verdicts?.find((v) => v.name === d.verdict)?.done ?? d.verdict;
  const choice = r.evidence?.candidates?.find((c) => c.entity === d.choice)?.name ?? d.choice;
  return choice ? `${done}: ${choice}` : done;
}

/** Decisions of the queue; after each, all figures are read anew. */
export function useDecide() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['data'] });
  const undo = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/reviews/{id}/undo', { params: { path: { id } } })),
    onSuccess: () => toast(t('The decision is taken back: the question is open again.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  const decide = useMutation({
    mutationFn: ({ id, answer }: { id: string; answer: Answer }) =>
      unwrap(api.POST('/api/v1/reviews/{id}/decide', { params: { path: { id } }, body: answer })),
    onSuccess: (r) => {
      if (r.status === 'open') toast(t('Kept as the first of two decisions: another person must decide the same.'));
      else toast(t('Decided: {{label}}', { label: r.label || r.title }), { label: t('Undo'), run: () => undo.mutate(r.id) });
    },
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  const many = useMutation({
    mutationFn: ({ ids, answer }: { ids: string[]; answer: Answer }) =>
      unwrap(api.POST('/api/v1/reviews/decide', { body: { ids, ...answer } })),
    onSuccess: (all) => {
      const items = all.items ?? [];
      const failed = items.filter((x) => x.status === 'failed');
      const text = t('{{done}} of {{all}} decided.', { done: items.length - failed.length, all: items.length });
      toast(failed[0] ? `${text} ${failed[0].message}` : text);
    },
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  return { decide, undo, many };
}
