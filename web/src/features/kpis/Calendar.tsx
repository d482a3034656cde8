import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, unwrap } from '../../api/client';
import { type FiscalCalendar, fiscalCalendar } from '../../api/queries';
import { sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { restOf, useRefresh } from './definitions';
import css from './kpis.module.css';

const MONTHS = [
  t('January'),
  t('February'),
  t('March'),
  t('April'),
  t('May'),
  t('June'),
  t('July'),
  t('August'),
  t('September'),
  t('October'),
  t('November'),
  t('December'),
];
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** How the tenant's year is cut. */
export function Calendar() {
  const query = useQuery(fiscalCalendar());
  return (
    <Card title={t('Fiscal calendar')} subtitle={t('What fiscal periods, quarters and years are, and where cumulative() begins')}>
      <Loaded query={query} height={200}>
        {(c) => <Form key={JSON.stringify(c)} saved={c} />}
      </Loaded>
    </Card>
  );
}

function Form({ saved }: { saved: FiscalCalendar }) {
  const client = useQueryClient();
  const refresh = useRefresh();
  const start: FiscalCalendar = { ...saved, start_month: saved.start_month || 1 };
  const [c, setC] = useState(start);
  const set = (part: Partial<FiscalCalendar>) => setC((before) => ({ ...before, ...part }));
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/calendar', { body: c })),
    onSuccess: async (kept) => {
      client.setQueryData(fiscalCalendar().queryKey, kept);
      toast(t('The fiscal calendar is saved.'));
      await refresh();
    },
  });
  const rest = restOf(save.error, 'start_month', 'weeks', 'ends_on', 'rule');
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {rest ? <Notice tone="bad">{rest}</Notice> : null}
      <div className={css.fields}>
        <Select
          label={t('The year begins in')}
          value={String(c.start_month)}
          onChange={(m) => set({ start_month: Number(m) })}
          options={MONTHS.map((m, i) => [String(i + 1), m] as const)}
          fault={faultOf(save.error, 'start_month')}
        />
        <Select
          label={t('It is made of')}
          value={c.weeks}
          onChange={(weeks) =>
            set(weeks === '' ? { weeks, ends_on: '', rule: '' } : { weeks, ends_on: c.ends_on || 'saturday', rule: c.rule || 'last' })
          }
          options={[
            ['', t('calendar months')],
            ['4-4-5', t('quarters of 4, 4 and 5 weeks')],
            ['4-5-4', t('quarters of 4, 5 and 4 weeks')],
            ['5-4-4', t('quarters of 5, 4 and 4 weeks')],
          ]}
          fault={faultOf(save.error, 'weeks')}
        />
        {c.weeks ? (
          <>
            <Select
              label={t('It ends on a')}
              value={c.ends_on}
              onChange={(ends_on) => set({ ends_on })}
              options={WEEKDAYS.map((d) => [d, sentence(d)] as const)}
              fault={faultOf(save.error, 'ends_on')}
            />
            <Select
              label={t('Which one')}
              value={c.rule}
              onChange={(rule) => set({ rule })}
              options={[
                ['last', t('the last of the month')],
                ['nearest', t('the nearest to the month’s end')],
              ]}
              fault={faultOf(save.error, 'rule')}
            />
          </>
        ) : null}
      </div>
      <p className="muted small">{inWords(c)}</p>
      <div className="row">
        <Button type="submit" kind="primary" isDisabled={save.isPending || JSON.stringify(c) === JSON.stringify(start)}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

function inWords(c: FiscalCalendar): string {
  const start = MONTHS[c.start_month - 1] ?? '';
  if (!c.weeks) return t('The fiscal year begins on the first day of {{month}}.', { month: start });
  const before = MONTHS[(c.start_month + 10) % 12] ?? '';
  const values = { day: sentence(c.ends_on), month: before };
  const end =
    c.rule === 'nearest'
      ? t('The fiscal year ends on the {{day}} nearest to the end of {{month}}.', values)
      : t('The fiscal year ends on the last {{day}} of {{month}}.', values);
  return `${end} ${t('It has 52 or 53 weeks; a 53rd belongs to the last period. Measures that are known by month only cannot be cut by such periods.')}`;
}
