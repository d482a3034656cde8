import { useQuery } from '@tanstack/react-query';
import { type Correlation, correlationsOf } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { choices, type Names, SPLITS } from '../../metrics/choices';
import { Badge, Card, Chip } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Select } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import css from './trends.module.css';

const MOST = 12;
const FIRST: Record<string, string[]> = {
  client: ['gross_margin', 'hours_worked', 'ticket_count', 'revenue'],
  month: ['revenue', 'hours_worked', 'ticket_count', 'labor_cost'],
};

/** Every pair of a few measures, over the members of a dimension or over months. */
export function Correlations({ names }: { names: Names }) {
  const { search, set, where, days, status } = useView();
  const by = search.by?.[0] || 'client';
  const fits = (m: string) => (names.measure.get(m)?.dimensions ?? []).includes(by);
  const chosen = (search.measures ?? FIRST[by] ?? []).filter(fits);
  const query = useQuery({
    ...correlationsOf({ measures: chosen, by, where, period: by === 'month' ? undefined : days }),
    enabled: chosen.length > 1 && status !== undefined && !status.empty,
  });
  const label = (m: string) => names.measure.get(m)?.label ?? m;
  return (
    <div className="stack">
      <div className={css.pick}>
        <Select
          label={t('Over')}
          value={by}
          onChange={(next) => set({ by: [next], measures: undefined })}
          options={[...SPLITS.map((d) => [d as string, names.dimension.get(d)?.label ?? d] as const), ['month', t('Month')] as const]}
        />
        <Select
          label={t('Add a measure')}
          value=""
          onChange={(m) => m && set({ measures: [...chosen.filter((x) => x !== m), m].slice(-MOST) })}
          options={[{ group: '', options: [['', t('choose …')] as const] }, ...choices(names, by)]}
        />
      </div>
      <div className="row">
        {chosen.map((m) => (
          <Chip key={m} label={t('Remove {{what}}', { what: label(m) })} onRemove={() => set({ measures: chosen.filter((x) => x !== m) })}>
            {label(m)}
          </Chip>
        ))}
      </div>
      <Card title={t('What goes together?')} subtitle={t('The clearest first; q is adjusted for all pairs that are shown')}>
        {chosen.length < 2 ? (
          <Empty title={t('Choose two measures or more')} />
        ) : (
          <Loaded query={query} height={240}>
            {(r) => (
              <>
                <DataTable
                  caption={t('Pairs of measures')}
                  rows={r.pairs ?? []}
                  rowKey={(p) => `${p.x} ${p.y}`}
                  columns={[
                    { id: 'pair', head: t('Pair'), cell: (p) => `${label(p.x)} · ${label(p.y)}` },
                    {
                      id: 'clear',
                      head: '',
                      cell: (p) => (p.clear ? <Badge tone="accent">{t('clear')}</Badge> : <Badge>{t('not clear')}</Badge>),
                    },
                    { id: 'rank', head: t('Rank (90%)'), right: true, sort: (p) => p.spearman?.value ?? 0, cell: (p) => text(p.spearman) },
                    {
                      id: 'linear',
                      head: t('Linear (90%)'),
                      right: true,
                      sort: (p) => p.pearson?.value ?? 0,
                      cell: (p) => text(p.pearson),
                    },
                    { id: 'n', head: t('Points'), right: true, sort: (p) => p.n, cell: (p) => String(p.n) },
                    { id: 'q', head: 'q', right: true, sort: (p) => p.q, cell: (p) => p.q.toFixed(3) },
                    {
                      id: 'mind',
                      head: t('Mind'),
                      cell: (p) => (
                        <span style={{ whiteSpace: 'normal' }} className="small">
                          {p.reason || (p.warnings ?? []).map((w) => w.text).join('; ')}
                        </span>
                      ),
                    },
                  ]}
                />
                <p className="muted small">{r.note}</p>
              </>
            )}
          </Loaded>
        )}
      </Card>
    </div>
  );
}

function text(c: Correlation | null | undefined): string {
  if (!c) return '—';
  const n = (v: number) => v.toFixed(2).replace('-', '\u2212');
  return t('{{value}} ({{low}} to {{high}})', { value: n(c.value), low: n(c.low), high: n(c.high) });
}
