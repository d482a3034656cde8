import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { download } from '../../api/files';
import { adoption, feedback } from '../../api/queries';
import { Page } from '../../app/Page';
import { day, instant, integer, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { TextField } from '../../ui/Field';
import { useMay } from '../../ui/may';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './feedback.module.css';

const SCORES = Array.from({ length: 11 }, (_, i) => i);
const DAYS = 90;

/** What people think, and which features they use. All of it stays on this machine. */
export function Feedback() {
  const client = useQueryClient();
  const runs = useMay('system.read');
  const list = useQuery({ ...feedback(), enabled: runs });
  const used = useQuery({ ...adoption(DAYS), enabled: runs });
  const [score, setScore] = useState<number>();
  const [comment, setComment] = useState('');
  const refresh = () => client.invalidateQueries({ queryKey: ['feedback'] });
  const send = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/v1/feedback', { body: { score: score ?? null, comment: comment.trim(), page: location.pathname } })),
    onSuccess: () => {
      setScore(undefined);
      setComment('');
      refresh();
      toast(t('Thank you. It was kept on this machine.'));
    },
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (id: number) => unwrap(api.DELETE('/api/v1/feedback/{id}', { params: { path: { id } } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Page
      title={t('Feedback')}
      lead={t('For the people who run this installation. Nothing leaves this machine unless you export it yourself.')}
    >
      <div className="stack" style={columns(420)}>
        <Card title={t('How likely are you to recommend MoatMetrics?')} subtitle={t('0 not at all, 10 very likely')}>
          <form
            className="stack"
            onSubmit={(e) => {
              e.preventDefault();
              send.mutate();
            }}
          >
            <fieldset className={css.scores}>
              <legend className="sr">{t('Score')}</legend>
              {SCORES.map((n) => (
                <label key={n}>
                  <input type="radio" name="score" checked={score === n} onChange={() => setScore(n)} />
                  <span>{n}</span>
                </label>
              ))}
            </fieldset>
            <TextField label={t('What should be better?')} multiline value={comment} onChange={(v) => setComment(v.slice(0, 4000))} />
            <div>
              <Button type="submit" kind="primary" isDisabled={send.isPending || (score === undefined && comment.trim() === '')}>
                {t('Keep it')}
              </Button>
            </div>
          </form>
        </Card>
        {runs ? (
          <Card title={t('Which features are used?')} subtitle={t('Last {{count}} days, counted on this machine', { count: DAYS })}>
            <Loaded
              query={used}
              height={200}
              isEmpty={(all) => all.length === 0}
              empty={<Empty title={t('Nothing counted yet')}>{t('Pages and actions are counted as they are used.')}</Empty>}
            >
              {(all) => (
                <DataTable
                  caption={t('Use of features')}
                  rows={all}
                  rowKey={(f) => f.feature}
                  initial={{ id: 'uses', descending: true }}
                  columns={[
                    { id: 'feature', head: t('Feature'), sort: (f) => f.feature, cell: (f) => words(f.feature.replaceAll('.', '_')) },
                    { id: 'uses', head: t('Uses'), right: true, sort: (f) => f.uses, cell: (f) => integer(f.uses) },
                    { id: 'people', head: t('People'), right: true, sort: (f) => f.people, cell: (f) => integer(f.people) },
                    { id: 'last', head: t('Last'), sort: (f) => f.last, cell: (f) => day(f.last) },
                  ]}
                />
              )}
            </Loaded>
          </Card>
        ) : null}
      </div>
      {runs ? (
        <Card
          title={t('What did people say?')}
          subtitle={
            list.data?.summary
              ? list.data.summary.nps === null || list.data.summary.nps === undefined
                ? t('No score yet')
                : t('Net promoter score {{nps}} of {{count}} scores', { nps: list.data.summary.nps, count: list.data.summary.scored })
              : ''
          }
          actions={
            <Button kind="quiet" onPress={() => download('/api/v1/feedback?format=csv').catch((e) => toast(messageOf(e)))}>
              {t('Export CSV')}
            </Button>
          }
        >
          <Loaded query={list} height={160} isEmpty={(x) => (x.items ?? []).length === 0} empty={<Empty title={t('Nothing yet')} />}>
            {(x) => (
              <DataTable
                caption={t('Feedback')}
                rows={x.items ?? []}
                rowKey={(f) => String(f.id)}
                columns={[
                  { id: 'at', head: t('When'), sort: (f) => f.at, cell: (f) => instant(f.at) },
                  {
                    id: 'score',
                    head: t('Score'),
                    right: true,
                    sort: (f) => f.score ?? null,
                    cell: (f) => (f.score === null || f.score === undefined ? '—' : f.score),
                  },
                  { id: 'comment', head: t('Comment'), cell: (f) => <span style={{ whiteSpace: 'pre-wrap' }}>{f.comment}</span> },
                  {
                    id: 'x',
                    head: '',
                    cell: (f) => (
                      <Button
                        kind="quiet"
                        aria-label={t('Delete the feedback of {{at}}', { at: instant(f.at) })}
                        onPress={() => remove.mutate(f.id)}
                      >
                        {t('Delete')}
                      </Button>
                    ),
                  },
                ]}
              />
            )}
          </Loaded>
        </Card>
      ) : null}
    </Page>
  );
}
