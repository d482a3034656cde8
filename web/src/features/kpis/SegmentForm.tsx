import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, unwrap } from '../../api/client';
import { type Segment, type SegmentDraft, table } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useSettled } from '../../lib/settled';
import { useView } from '../../lib/state';
import type { Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { memberDimensions, restOf, useRefresh } from './definitions';
import { FormulaField } from './FormulaField';
import css from './kpis.module.css';
import { Members, previewAsk } from './Members';

const FIELDS = ['name', 'dimension', 'where', 'months', 'description', 'owner'];
const SPANS = ['0', '1', '3', '6', '12', '24', '36'];

/** A segment as a form, with who meets the condition. */
export function SegmentForm({ names, saved, onDone }: { names: Names; saved: Segment | undefined; onDone: () => void }) {
  const refresh = useRefresh();
  const { days, complete } = useView();
  const [draft, setDraft] = useState<SegmentDraft>(() => ({
    name: saved?.name ?? '',
    dimension: saved?.dimension ?? 'client',
    where: saved?.where ?? '',
    months: saved?.months ?? 0,
    description: saved?.description ?? '',
    owner: saved?.owner ?? '',
  }));
  const set = (part: Partial<SegmentDraft>) => setDraft((d) => ({ ...d, ...part }));
  const where = useSettled(draft.where.trim());
  const ask = previewAsk(names, draft.dimension, where, draft.months ?? 0, days, complete);
  const preview = useQuery({
    ...table(ask ?? { measures: [] }),
    enabled: ask !== undefined && where !== '' && days !== undefined,
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => {
      const { name = '', ...rest } = draft;
      if (saved) return unwrap(api.PUT('/api/v1/segments/{name}', { params: { path: { name: saved.name } }, body: rest }));
      return unwrap(api.POST('/api/v1/segments', { body: { ...rest, name: name.trim() } }));
    },
    onSuccess: async (s) => {
      await refresh();
      toast(t('{{name}} is saved.', { name: s.name }));
      onDone();
    },
  });
  const rest = restOf(save.error, ...FIELDS);
  const typing = where !== draft.where.trim();
  const wrong = typing || where === '' ? undefined : (faultOf(preview.error, 'where') ?? faultOf(save.error, 'where'));
  const months = String(draft.months ?? 0);
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {saved?.problem ? <Notice tone="bad">{saved.problem}</Notice> : null}
      {rest ? <Notice tone="bad">{rest}</Notice> : null}
      <div className={css.fields}>
        {saved ? null : (
          <TextField
            label={t('Name')}
            value={draft.name ?? ''}
            onChange={(name) => set({ name })}
            autoFocus
            placeholder={t('Key accounts')}
            fault={faultOf(save.error, 'name')}
          />
        )}
        <Select
          label={t('Of')}
          value={draft.dimension}
          onChange={(dimension) => set({ dimension })}
          options={memberDimensions(names)}
          fault={faultOf(save.error, 'dimension')}
        />
        <Select
          label={t('Measures are of')}
          value={months}
          onChange={(m) => set({ months: Number(m) })}
          options={[...new Set([...SPANS, months])].map(
            (m) => [m, m === '0' ? t('the period asked') : t('the last {{n}} months', { n: m })] as const,
          )}
          fault={faultOf(save.error, 'months')}
        />
      </div>
      <FormulaField
        label={t('Condition')}
        value={draft.where}
        onChange={(next) => set({ where: next })}
        names={names}
        fault={wrong}
        hint={t('Such as revenue > $50000, or industry = "Legal" and gross_margin < 20%.')}
      />
      <Members query={preview} dimension={draft.dimension} names={names} shown={where !== '' && ask !== undefined} wrong={wrong} />
      <TextField
        label={t('Description')}
        value={draft.description ?? ''}
        onChange={(description) => set({ description })}
        fault={faultOf(save.error, 'description')}
      />
      <TextField label={t('Owner')} value={draft.owner ?? ''} onChange={(owner) => set({ owner })} fault={faultOf(save.error, 'owner')} />
      <div className="row">
        <Button
          type="submit"
          kind="primary"
          isDisabled={save.isPending || draft.where.trim() === '' || (!saved && (draft.name ?? '').trim() === '')}
        >
          {t('Save')}
        </Button>
        <Button onPress={onDone}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}
