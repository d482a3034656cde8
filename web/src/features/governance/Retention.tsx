import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Retained, retention } from '../../api/queries';
import { day, integer, month, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';

const WHAT: Record<string, string> = {
  rows: t('whole rows, amounts included'),
  private: t('free text; the amounts stay'),
  uploads: t('originals of imports'),
  rejects: t('rejected rows'),
  reports: t('reports that were made'),
};

const name = (r: Retained) => (r.dataset ? words(r.dataset) : t('Files'));
const called = (r: Retained) => `${name(r)}: ${WHAT[r.what] ?? r.what}`;
const kept = (r: Retained) => (Number(r.months) === 0 ? t('for ever') : t('{{n}} months', { n: r.months }));

/** How long what is kept, and what the next run deletes. */
export function Retention() {
  const client = useQueryClient();
  const list = useQuery(retention());
  const [changing, setChanging] = useState<Retained>();
  const [asking, setAsking] = useState(false);
  const due = (list.data ?? []).filter((r) => Number(r.rows) > 0);
  const apply = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/governance/retention/apply')),
    onSuccess: (done) => {
      toast(done.due?.length ? t('What was due is deleted.') : t('Nothing was due.'));
      return client.invalidateQueries();
    },
    onError: (e) => toast(messageOf(e)),
    onSettled: () => setAsking(false),
  });
  return (
    <Card
      title={t('How long is it kept?')}
      subtitle={t('Applied every day. Closed months keep their rows, and a legal hold keeps everything it covers.')}
      actions={
        <Button isDisabled={due.length === 0} onPress={() => setAsking(true)}>
          {t('Delete what is due now …')}
        </Button>
      }
    >
      <Loaded query={list} height={400}>
        {(all) => (
          <DataTable
            caption={t('Retention, and what is due')}
            rows={all}
            rowKey={(r) => `${r.dataset}/${r.what}`}
            columns={[
              {
                id: 'name',
                head: t('Of'),
                sort: name,
                cell: (r) => (
                  <CellButton label={t('Change: {{what}}', { what: called(r) })} onPress={() => setChanging(r)}>
                    {called(r)}
                  </CellButton>
                ),
              },
              { id: 'kept', head: t('Kept'), sort: (r) => Number(r.months), cell: kept },
              { id: 'from', head: t('From'), cell: (r) => (r.cutoff ? day(r.cutoff) : '—') },
              { id: 'due', head: t('Due now'), right: true, sort: (r) => Number(r.rows), cell: (r) => integer(Number(r.rows)) },
              {
                id: 'months',
                head: t('Of months'),
                cell: (r) => (r.months_due?.length === 2 ? r.months_due.map((m) => month(m)).join(' – ') : '—'),
              },
              {
                id: 'stays',
                head: t('Stays although old'),
                cell: (r) =>
                  [
                    Number(r.held) ? t('{{n}} held: {{by}}', { n: r.held, by: (r.holds ?? []).map((h) => h.label).join(', ') }) : '',
                    Number(r.closed) ? t('{{n}} in closed months', { n: r.closed }) : '',
                  ]
                    .filter(Boolean)
                    .join(' · ') || '—',
              },
            ]}
          />
        )}
      </Loaded>
      {changing ? <Change rule={changing} onClose={() => setChanging(undefined)} /> : null}
      {asking ? (
        <Dialog
          open
          onClose={() => setAsking(false)}
          title={t('Delete what is due now?')}
          subtitle={t('The daily run does the same by itself')}
        >
          <div className="stack">
            <ul className="stack" style={{ gap: 4 }}>
              {due.map((r) => (
                <li key={`${r.dataset}/${r.what}`}>{`${called(r)}: ${integer(Number(r.rows))}`}</li>
              ))}
            </ul>
            <p className="muted">
              {t(
                'Free text, files and rejected rows are gone for good; that a report was made stays in its history. Rows stay in older snapshots until those expire.',
              )}
            </p>
            <div className="row">
              <Button kind="danger" isDisabled={apply.isPending} onPress={() => apply.mutate()}>
                {t('Delete')}
              </Button>
              <Button kind="quiet" onPress={() => setAsking(false)}>
                {t('Cancel')}
              </Button>
            </div>
          </div>
        </Dialog>
      ) : null}
    </Card>
  );
}

function Change({ rule, onClose }: { rule: Retained; onClose: () => void }) {
  const client = useQueryClient();
  const [months, setMonths] = useState(String(rule.months));
  const wrong = !/^\d{1,3}$/.test(months);
  const save = useMutation({
    mutationFn: (reset: boolean) =>
      unwrap(
        api.PUT('/api/v1/governance/retention', {
          body: {
            what: rule.what as 'rows',
            ...(rule.dataset ? { dataset: rule.dataset } : {}),
            ...(reset ? {} : { months: Number(months) }),
          },
        }),
      ),
    onSuccess: () => {
      onClose();
      return client.invalidateQueries({ queryKey: ['governance'] });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={called(rule)}
      subtitle={t('Nothing is deleted before the next run; the list shows what would be')}
    >
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (!wrong) save.mutate(false);
        }}
      >
        <TextField
          label={t('Months to keep')}
          value={months}
          onChange={setMonths}
          autoFocus
          hint={t('Whole months before the current one. 0 keeps it for ever.')}
          fault={wrong ? t('Give a whole number.') : save.error ? messageOf(save.error) : undefined}
        />
        <div className="row">
          <Button kind="primary" type="submit" isDisabled={wrong || save.isPending}>
            {t('Save')}
          </Button>
          <Button isDisabled={rule.default || save.isPending} onPress={() => save.mutate(true)}>
            {t('Back to the default')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
