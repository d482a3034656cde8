import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { compared } from '../../api/queries';
import { Page } from '../../app/Page';
import { change, format, inCurrency } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { type Column, DataTable } from '../../ui/DataTable';
import { Empty, Loaded, Notice } from '../../ui/States';
import { lineOf } from './Outcome';

/** Saved what-ifs side by side, line by line. */
export function Compare() {
  const [search] = useAddress();
  const ids = search.ids ?? [];
  const all = useQuery({ ...compared(ids), enabled: ids.length > 0 });
  return (
    <Page title={t('What-ifs side by side')} lead={t('Each beside the period as it was; the change stands below the value.')}>
      {ids.length === 0 ? (
        <Empty title={t('Choose some')} action={<Link to="/scenarios">{t('Saved what-ifs')}</Link>} />
      ) : (
        <Loaded query={all} height={400}>
          {(list) => <Side list={list} />}
        </Loaded>
      )}
    </Page>
  );
}

type One = { id: string; name: string; result: Parameters<typeof lineOf>[0] };
type Line = NonNullable<One['result']['lines']>[number];

function Side({ list }: { list: One[] }) {
  const first = list[0]?.result;
  if (!first) return null;
  const unit = (l: Line) => inCurrency(l.unit, first.currency);
  const period = periodText(first.definition.period);
  const others = list.filter((x) => periodText(x.result.definition.period) !== period);
  const columns: Column<Line>[] = [
    { id: 'measure', head: t('Measure'), cell: (l) => l.label },
    { id: 'was', head: t('As it was'), right: true, cell: (l) => format(l.baseline, unit(l)) },
    ...list.map(
      (x): Column<Line> => ({
        id: x.id,
        head: x.name,
        right: true,
        cell: (l) => {
          const own = lineOf(x.result, l.measure);
          return (
            <>
              {format(own?.scenario, unit(l))}
              <br />
              <small className="muted">{Number(own?.change ?? 0) === 0 ? '·' : change(own?.change, unit(l))}</small>
            </>
          );
        },
      }),
    ),
  ];
  return (
    <>
      {others.length > 0 ? (
        <Notice tone="warn">
          {t('“As it was” is {{period}}; {{names}} is about another period.', { period, names: others.map((x) => x.name).join(', ') })}
        </Notice>
      ) : null}
      <Card title={t('Line by line')} subtitle={period}>
        <DataTable caption={t('What-ifs side by side')} rows={first.lines ?? []} rowKey={(l) => l.measure} columns={columns} />
      </Card>
    </>
  );
}
