import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, unwrap } from '../../api/client';
import type { Rule, RuleDraft } from '../../api/queries';
import { t } from '../../lib/i18n';
import { choices, type Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { memberDimensions, restOf, useRefresh } from './definitions';
import { FormulaField } from './FormulaField';
import css from './kpis.module.css';

type Then = NonNullable<RuleDraft['then']>;

/** What may happen when a rule begins to hold. */
export const THEN: readonly (readonly [Then, string])[] = [
  ['finding', t('a finding')],
  ['review', t('a finding and a question')],
  ['notice', t('a finding and a notice')],
];

const FIELDS = ['name', 'condition', 'measure', 'dimension', 'where', 'months', 'then', 'money', 'description', 'owner'];
const MONTHS = ['1', '2', '3', '6', '12', '24', '36'];

function draftOf(r: Rule | undefined): RuleDraft {
  return {
    name: r?.name ?? '',
    condition: r?.condition ?? '',
    measure: r?.measure ?? '',
    dimension: r ? r.dimension : 'client',
    where: r?.where ?? '',
    months: r?.months ?? 3,
    // biome-ignore lint/suspicious/noThenProperty: the API's name for it; a text, so nothing waits for it
    then: (r?.then as Then) ?? 'finding',
    money: r?.money ?? '',
    description: r?.description ?? '',
    owner: r?.owner ?? '',
  };
}

/** A rule as a form. */
export function RuleForm({ names, saved, onDone }: { names: Names; saved: Rule | undefined; onDone: () => void }) {
  const refresh = useRefresh();
  const [draft, setDraft] = useState<RuleDraft>(() => draftOf(saved));
  const set = (part: Partial<RuleDraft>) => setDraft((d) => ({ ...d, ...part }));
  const save = useMutation({
    mutationFn: () => {
      const { name = '', ...rest } = draft;
      if (saved) return unwrap(api.PUT('/api/v1/rules/{name}', { params: { path: { name: saved.name } }, body: rest }));
      return unwrap(api.POST('/api/v1/rules', { body: { ...rest, name: name.trim() } }));
    },
    onSuccess: async (r) => {
      await refresh();
      toast(t('{{name}} is saved.', { name: r.name }));
      onDone();
    },
  });
  const wrong = (path: string) => faultOf(save.error, path);
  const rest = restOf(save.error, ...FIELDS);
  const months = String(draft.months ?? 1);
  const group = (text: string) => [{ group: t('Unless chosen'), options: [['', text] as const] }];
  const money = choices({ ...names, measures: names.measures.filter((m) => m.unit === 'money') });
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {rest ? <Notice tone="bad">{rest}</Notice> : null}
      {saved ? null : (
        <TextField
          label={t('Name')}
          value={draft.name ?? ''}
          onChange={(name) => set({ name })}
          autoFocus
          placeholder={t('Thin clients')}
          fault={wrong('name')}
        />
      )}
      <FormulaField
        label={t('Condition')}
        value={draft.condition}
        onChange={(condition) => set({ condition })}
        names={names}
        fault={wrong('condition')}
        hint={t('On measures, such as gross_margin < 20% and revenue > $1000.')}
      />
      <div className={css.fields}>
        <Select
          label={t('For each')}
          value={draft.dimension ?? ''}
          onChange={(dimension) => set({ dimension })}
          options={[['', t('the firm as a whole')] as const, ...memberDimensions(names)]}
          fault={wrong('dimension')}
        />
        <Select
          label={t('Over')}
          value={months}
          onChange={(m) => set({ months: Number(m) })}
          options={[...new Set([...MONTHS, months])].map(
            (m) => [m, m === '1' ? t('the last complete month') : t('the last {{n}} complete months', { n: m })] as const,
          )}
          fault={wrong('months')}
        />
        <Select label={t('Then')} value={draft.then ?? 'finding'} onChange={(then) => set({ then })} options={THEN} fault={wrong('then')} />
        <TextField
          label={t('Only rows where')}
          value={draft.where ?? ''}
          onChange={(where) => set({ where })}
          placeholder={'industry = "Legal"'}
          fault={wrong('where')}
        />
        <Select
          label={t('Measure shown')}
          value={draft.measure ?? ''}
          onChange={(measure) => set({ measure })}
          options={[...group(t('the first of the condition')), ...choices(names)]}
          fault={wrong('measure')}
        />
        <Select
          label={t('Money at stake')}
          value={draft.money ?? ''}
          onChange={(m) => set({ money: m })}
          options={[...group(t('none')), ...money]}
          fault={wrong('money')}
        />
      </div>
      <TextField
        label={t('What to do about it')}
        value={draft.description ?? ''}
        onChange={(description) => set({ description })}
        fault={wrong('description')}
      />
      <TextField label={t('Owner')} value={draft.owner ?? ''} onChange={(owner) => set({ owner })} fault={wrong('owner')} />
      <div className="row">
        <Button
          type="submit"
          kind="primary"
          isDisabled={save.isPending || draft.condition.trim() === '' || (!saved && (draft.name ?? '').trim() === '')}
        >
          {t('Save')}
        </Button>
        <Button onPress={onDone}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}
