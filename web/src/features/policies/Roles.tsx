import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { type Rights, type RoleOf, roles } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useRights } from '../../metrics/rights';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Drawer } from '../../ui/Dialog';
import { Select } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import css from './policies.module.css';
import { RoleCard } from './RoleCard';
import { RoleForm } from './RoleForm';
import { CLASSES } from './words';

/** The roles side by side, and the chosen one below. */
export function Roles() {
  const query = useQuery(roles());
  const known = useRights();
  const [search, set] = useAddress();
  return (
    <Loaded query={query} height={480}>
      {(list) => {
        const chosen = list.find((r) => r.name === search.row);
        const forming = search.edit === 1;
        return (
          <div className="stack">
            <Card
              title={t('What may each role do and see?')}
              subtitle={t('Before the limits of a single account')}
              actions={
                <Button onPress={() => set({ edit: 1, row: undefined })}>
                  <Plus size={16} aria-hidden="true" /> {t('New role')}
                </Button>
              }
            >
              <div className={css.pick}>
                <Select
                  label={t('Role')}
                  value={chosen?.name ?? list[0]?.name ?? ''}
                  onChange={(row) => set({ row }, { replace: true })}
                  options={list.map((r) => [r.name, r.label] as const)}
                />
              </div>
              <Grid list={list} all={known?.all ?? []} chosen={chosen?.name ?? list[0]?.name ?? ''} onChoose={(row) => set({ row })} />
            </Card>
            {chosen ? <RoleCard role={chosen} onEdit={() => set({ edit: 1 })} /> : null}
            <Drawer
              open={forming}
              onClose={() => set({ edit: undefined })}
              title={chosen?.custom ? t('Change {{role}}', { role: chosen.label }) : t('New role')}
              subtitle={t('It may do what is chosen here and nothing else.')}
            >
              {forming ? <RoleForm list={list} from={chosen} onDone={(row) => set({ edit: undefined, row }, { sure: true })} /> : null}
            </Drawer>
          </div>
        );
      }}
    </Loaded>
  );
}

function Grid({ list, all, chosen, onChoose }: { list: RoleOf[]; all: Rights['all']; chosen: string; onChoose: (name: string) => void }) {
  const row = (id: string, label: string, cell: (r: RoleOf) => boolean | string) => (
    <tr key={id}>
      <th scope="row">{label}</th>
      {list.map((r) => {
        const v = cell(r);
        return (
          <td key={r.name} data-chosen={r.name === chosen} data-yes={v === true}>
            {v === true ? (
              <>
                <span aria-hidden="true">✓</span>
                <span className="sr">{t('yes')}</span>
              </>
            ) : v === false ? (
              <>
                <span aria-hidden="true">–</span>
                <span className="sr">{t('no')}</span>
              </>
            ) : (
              v
            )}
          </td>
        );
      })}
    </tr>
  );
  const head = (text: string) => (
    <tr>
      <th scope="colgroup" colSpan={list.length + 1} className={css.part}>
        {text}
      </th>
    </tr>
  );
  const whose = (of: string[] | null) => (of === null ? t('all') : of.length === 0 ? t('named') : String(of.length));
  return (
    <section className={css.scroll} tabIndex={0} aria-label={t('Roles side by side')}>
      <table className={css.grid}>
        <caption className="sr">{t('What each role may do and see')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="sr">{t('What')}</span>
            </th>
            {list.map((r) => (
              <th scope="col" key={r.name} data-chosen={r.name === chosen}>
                <button type="button" onClick={() => onChoose(r.name)} aria-pressed={r.name === chosen}>
                  {r.label}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {head(t('Sees'))}
          {CLASSES.map(([name, label]) => row(name, label, (r) => r.actions.includes('figures.read') && !r.hidden.includes(name)))}
          {row('clients', t('Rows of clients'), (r) => whose(r.clients))}
          {row('teams', t('Rows of teams'), (r) => whose(r.teams))}
        </tbody>
        <tbody>
          {head(t('May'))}
          {all.map((a) => row(a.action, a.label, (r) => r.actions.includes(a.action)))}
        </tbody>
      </table>
      <p className="muted small">{t('named: only those that the account names, and none when it names none.')}</p>
    </section>
  );
}
