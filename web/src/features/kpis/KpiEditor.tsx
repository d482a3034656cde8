import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, faultOf, unwrap } from '../../api/client';
import { type Kpi, type KpiDraft, kpiPreview } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useSettled } from '../../lib/settled';
import type { Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import { restOf, useRefresh } from './definitions';
import { FormulaField } from './FormulaField';
import { KpiPreview } from './KpiPreview';
import { KpiVersions } from './KpiVersions';
import css from './kpis.module.css';
import { RemoveKpi } from './RemoveKpi';
import { Users } from './Users';

const DIRECTIONS = [
  ['up_good', t('higher')],
  ['down_good', t('lower')],
  ['two_sided', t('near its target')],
] as const;

type Direction = (typeof DIRECTIONS)[number][0];

const FIELDS = ['name', 'label', 'formula', 'direction', 'description', 'owner'];

/** A KPI as a form, and beside it what it would say. */
export function KpiEditor({ names, saved }: { names: Names; saved?: Kpi }) {
  const navigate = useNavigate();
  const refresh = useRefresh();
  const [first] = useState<KpiDraft>(() => ({
    name: saved?.name ?? '',
    label: saved?.label ?? '',
    formula: saved?.formula ?? '',
    direction: (saved?.direction as Direction) ?? 'up_good',
    description: saved?.description ?? '',
    owner: saved?.owner ?? '',
  }));
  const [draft, setDraft] = useState(first);
  const leaving = useUnsaved(JSON.stringify(draft) !== JSON.stringify(first));
  const set = (part: Partial<KpiDraft>) => setDraft((d) => ({ ...d, ...part }));
  const asked = useSettled(draft.formula.trim());
  const preview = useQuery({ ...kpiPreview({ formula: asked, ...(saved ? { name: saved.name } : {}) }), enabled: asked !== '' });
  const save = useMutation({
    mutationFn: () => {
      const { name = '', ...rest } = draft;
      if (saved) return unwrap(api.PUT('/api/v1/kpis/{name}', { params: { path: { name: saved.name } }, body: rest }));
      return unwrap(api.POST('/api/v1/kpis', { body: { ...rest, name: name.trim() } }));
    },
    onSuccess: async (k) => {
      await refresh();
      toast(t('{{name}} is saved.', { name: k.label }));
      await navigate({ to: '/kpis/edit/$name', params: { name: k.name }, ignoreBlocker: true });
    },
  });
  const rest = restOf(save.error, ...FIELDS);
  const typing = asked !== draft.formula.trim();
  const wrong = typing || asked === '' ? undefined : (faultOf(preview.error, 'formula') ?? faultOf(save.error, 'formula'));
  return (
    <Page
      title={saved?.label ?? t('New KPI')}
      lead={t('A measure of your own, computed from others by a formula.')}
      actions={
        <>
          {saved ? (
            <Link to="/explore" search={{ measures: [saved.name] } as never}>
              {t('Explore it')}
            </Link>
          ) : null}
          {saved ? <RemoveKpi kpi={saved} /> : null}
          <Link to="/kpis">{t('All KPIs')}</Link>
        </>
      }
    >
      {leaving}
      <div className={css.sides}>
        <Card title={t('How is it defined?')}>
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
                  placeholder="profit_per_endpoint"
                  hint={t('Small letters, digits and _; formulas and addresses use it.')}
                  fault={faultOf(save.error, 'name')}
                />
              )}
              <TextField
                label={t('Label')}
                value={draft.label ?? ''}
                onChange={(label) => set({ label })}
                hint={t('As people read it; the name in words unless given.')}
                fault={faultOf(save.error, 'label')}
              />
            </div>
            <FormulaField
              label={t('Formula')}
              value={draft.formula}
              onChange={(formula) => set({ formula })}
              names={names}
              fault={wrong}
              hint={t('Such as gross_profit / endpoints or rolling(gross_margin, 12).')}
            />
            <div className={css.fields}>
              <Select
                label={t('Good when')}
                value={draft.direction ?? 'up_good'}
                onChange={(direction) => set({ direction })}
                options={DIRECTIONS}
                fault={faultOf(save.error, 'direction')}
              />
              <TextField
                label={t('Owner')}
                value={draft.owner ?? ''}
                onChange={(owner) => set({ owner })}
                fault={faultOf(save.error, 'owner')}
              />
            </div>
            <TextField
              label={t('Description')}
              multiline
              value={draft.description ?? ''}
              onChange={(description) => set({ description })}
              fault={faultOf(save.error, 'description')}
            />
            <div className="row">
              <Button
                type="submit"
                kind="primary"
                isDisabled={save.isPending || draft.formula.trim() === '' || (!saved && (draft.name ?? '').trim() === '')}
              >
                {t('Save')}
              </Button>
              <Button onPress={() => navigate({ to: '/kpis', ignoreBlocker: true })}>{t('Cancel')}</Button>
            </div>
          </form>
        </Card>
        <div className="stack">
          <KpiPreview query={preview} asked={asked} wrong={wrong} names={names} />
          {saved ? (
            <Card title={t('What uses it?')} level={3}>
              <Users of={saved.used_by ?? []} />
            </Card>
          ) : null}
          {saved ? <KpiVersions name={saved.name} /> : null}
        </div>
      </div>
    </Page>
  );
}
