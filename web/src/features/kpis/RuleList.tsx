import type { Rule, RuleHit } from '../../api/queries';
import { t } from '../../lib/i18n';
import type { Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import css from './kpis.module.css';
import { THEN } from './RuleForm';

/** The rules, each with for how many it holds now. */
export function RuleList({
  all,
  hits,
  names,
  busy,
  onOpen,
  onRun,
  onRemove,
}: {
  all: Rule[];
  hits: RuleHit[];
  names: Names;
  busy: boolean;
  onOpen: (r: Rule) => void;
  onRun: (r: Rule) => void;
  onRemove: (r: Rule) => void;
}) {
  const holds = (r: Rule) => hits.filter((h) => h.rule === r.name && !h.ended_at).length;
  return (
    <DataTable
      caption={t('Rules')}
      rows={all}
      rowKey={(r) => r.name}
      columns={[
        {
          id: 'name',
          head: t('Name'),
          sort: (r) => r.name,
          cell: (r) => (
            <CellButton label={t('Change {{name}}', { name: r.name })} onPress={() => onOpen(r)}>
              {r.name}
            </CellButton>
          ),
        },
        {
          id: 'state',
          head: t('Now'),
          sort: holds,
          cell: (r) =>
            holds(r) > 0 ? (
              <Badge tone="warn">{r.dimension ? t('holds for {{n}}', { n: holds(r) }) : t('holds')}</Badge>
            ) : (
              <span className="muted">{t('does not hold')}</span>
            ),
        },
        { id: 'condition', head: t('Condition'), cell: (r) => <code className={css.code}>{r.condition}</code> },
        {
          id: 'scope',
          head: t('For'),
          cell: (r) => (
            <span>
              {r.dimension ? t('each {{member}}', { member: names.dimension.get(r.dimension)?.label ?? r.dimension }) : t('the firm')}
              {r.where ? (
                <>
                  {' '}
                  <code className={css.code}>{r.where}</code>
                </>
              ) : null}
            </span>
          ),
        },
        {
          id: 'months',
          head: t('Over'),
          cell: (r) => (r.months === 1 ? t('the last month') : t('the last {{n}} months', { n: r.months })),
        },
        { id: 'then', head: t('Then'), sort: (r) => r.then, cell: (r) => THEN.find(([id]) => id === r.then)?.[1] ?? r.then },
        {
          id: 'run',
          head: t('Run'),
          cell: (r) => (
            <Button kind="quiet" isDisabled={busy} aria-label={t('Run now: {{name}}', { name: r.name })} onPress={() => onRun(r)}>
              {t('Run now')}
            </Button>
          ),
        },
        {
          id: 'remove',
          head: t('Remove'),
          cell: (r) => (
            <Button kind="quiet" aria-label={t('Remove {{name}}', { name: r.name })} onPress={() => onRemove(r)}>
              {t('Remove')}
            </Button>
          ),
        },
      ]}
    />
  );
}
