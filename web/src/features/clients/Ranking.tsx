import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type Ranked, type Ranking as Report, ranking } from '../../api/queries';
import { both, write } from '../../lib/filters';
import { format, percent, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useExplain, useView } from '../../lib/state';
import { useFit } from '../../metrics/fit';
import { intervalText } from '../../metrics/Grade';
import { periodText } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';

const MEASURE = 'gross_margin';

/** Clients by the probability that they lose money; one of few months does not lead by chance. */
export function Ranking() {
  const { days, where, search, status } = useView();
  const { explain } = useExplain();
  const fit = useFit([MEASURE], where);
  const nothing = status !== undefined && !status.complete.to;
  const query = useQuery({
    ...ranking({ measure: MEASURE, by: 'client', where: both(fit.where, 'client_status != "internal"'), period: days }),
    enabled: fit.ready && days !== undefined && !nothing,
  });
  const empty = (reason: string) => (
    <Empty title={t('Nothing to rank yet')} action={<Link to="/import">{t('Import files')}</Link>}>
      {reason}
    </Empty>
  );
  if (fit.unseen) return null;
  return (
    <Card
      title={t('Who loses money, most probably?')}
      subtitle={t('{{period}}; an estimate: what is known of few months is drawn towards the other clients', {
        period: periodText(query.data?.period ?? days),
      })}
      actions={<Badge tone="accent">{t('estimate')}</Badge>}
    >
      {fit.note ? <p className="muted small">{fit.note}</p> : null}
      {nothing ? (
        empty(t('Invoices and time entries of a whole month are the least.'))
      ) : (
        <Loaded
          query={query}
          height={400}
          isEmpty={(r) => (r.rows ?? []).length === 0}
          empty={empty(query.data?.empty_reason ? `${sentence(query.data.empty_reason)}.` : t('No client has a margin in these months.'))}
        >
          {(r) => (
            <>
              <p>{sentence(r.words)}</p>
              <DataTable
                caption={t('Clients by the probability of losing money')}
                rows={r.rows ?? []}
                rowKey={(x) => x.name}
                maxHeight={720}
                columns={columnsOf(
                  r,
                  (x) => (
                    <Link to="/clients/$name" params={{ name: x.name }} search={carried(search) as never}>
                      {x.name}
                    </Link>
                  ),
                  (x) => explain(MEASURE, both(fit.where, write([{ dimension: 'client', is: true, values: [x.name] }])), days),
                )}
              />
            </>
          )}
        </Loaded>
      )}
    </Card>
  );
}

function columnsOf({ unit, limit, rows }: Report, name: (x: Ranked) => ReactNode, onExplain: (x: Ranked) => void): Column<Ranked>[] {
  const number = (v: string | null) => (v === null ? null : Number(v));
  return [
    { id: 'name', head: t('Client'), sort: (x) => x.name, cell: name },
    {
      id: 'p',
      head: t('P(margin < {{limit}})', { limit: Number(limit) === 0 ? '0' : format(limit, unit) }),
      right: true,
      sort: (x) => x.probability,
      cell: (x) => format(x.probability, 'ratio'),
    },
    {
      id: 'shrunken',
      head: t('Estimated margin'),
      right: true,
      sort: (x) => number(x.shrunken),
      cell: (x) => format(x.shrunken, unit),
    },
    {
      id: 'range',
      head: t('Perhaps'),
      cell: (x) => <span className="muted small">{intervalText(x.interval, unit)}</span>,
    },
    {
      id: 'raw',
      head: t('Its own margin'),
      right: true,
      sort: (x) => number(x.raw),
      cell: (x) => (
        <CellButton
          label={t('{{label}} {{value}}. Explain', { label: x.name, value: format(x.raw, unit) })}
          negative={Number(x.raw) < 0}
          onPress={() => onExplain(x)}
        >
          {format(x.raw, unit)}
        </CellButton>
      ),
    },
    { id: 'weight', head: t('Own share'), right: true, sort: (x) => x.weight, cell: (x) => percent(x.weight) },
    {
      id: 'n',
      head: t('Months'),
      right: true,
      sort: (x) => x.n,
      cell: (x) => (
        <>
          {x.too_few ? <Badge tone="warn">{t('few')}</Badge> : null} {String(x.n)}
        </>
      ),
    },
    ...(rows?.some((x) => x.reason)
      ? [{ id: 'mind', head: t('Mind'), cell: (x: Ranked) => <span className="small">{x.reason ? sentence(x.reason) : ''}</span> }]
      : []),
  ];
}
