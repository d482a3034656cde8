import { Link } from '@tanstack/react-router';
import type { Tile } from '../../api/queries';
import { both } from '../../lib/filters';
import { t } from '../../lib/i18n';
import { type Period, resolve } from '../../lib/period';
import { carried, useView } from '../../lib/state';
import { BarsOf } from '../../metrics/BarsOf';
import { Findings } from '../../metrics/Findings';
import { useFindings } from '../../metrics/fit';
import { Kpi } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Empty, Loaded } from '../../ui/States';
import css from './dashboards.module.css';

/** What a tile shows: its own period and filter narrow those of the page. */
export function TileView({ tile, period, where }: { tile: Tile; period: string; where: string }) {
  const { complete, search } = useView();
  const days = resolve(tile.period || period, complete);
  const condition = both(where, tile.where);
  const measures = tile.measures ?? [];
  const by = tile.by ?? [];
  const ask = {
    measures,
    by,
    where: condition,
    period: days,
    order: tile.order ?? (measures[0] ? [`-${measures[0]}`] : []),
    ...(tile.limit ? { limit: tile.limit } : {}),
  };
  const link = (client: string) => (
    <Link to="/clients/$name" params={{ name: client }} search={carried(search) as never}>
      {client}
    </Link>
  );
  if (tile.kind === 'note') return <p className={css.note}>{tile.text || t('An empty note: edit the tile to write it.')}</p>;
  if (tile.kind === 'findings') return <FindingsTile days={days} where={condition} limit={tile.limit ?? 5} />;
  if (measures.length === 0) return <Empty title={t('No measure yet')}>{t('Edit the tile and choose one.')}</Empty>;
  switch (tile.kind) {
    case 'kpi':
      return (
        <div className={css.kpi}>
          {measures.map((m) => (
            <Kpi
              key={m}
              measure={m}
              where={condition}
              days={days}
              {...(tile.title && measures.length === 1 ? { label: tile.title } : {})}
            />
          ))}
        </div>
      );
    case 'trend':
      return (
        <Trend
          measures={measures}
          where={condition}
          days={days}
          label={tile.title || measures.join(', ')}
          height={Math.max(120, tile.h * ROW - 132)}
        />
      );
    case 'bar':
      return by.length > 0 ? (
        <BarsOf ask={ask} height={Math.max(140, tile.h * ROW - 96)} />
      ) : (
        <Empty title={t('No dimension yet')}>{t('Edit the tile and choose what to cut by.')}</Empty>
      );
    default:
      return (
        <MeasureTable
          ask={ask}
          caption={tile.title || t('Table')}
          bar={measures[0] ?? ''}
          maxHeight={Math.max(140, tile.h * ROW - 80)}
          {...(by[0] === 'client' ? { name: link } : {})}
        />
      );
  }
}

/** Pixels of a grid row and the gap below it. */
export const ROW = 48;

export function tileSubtitle(tile: Tile, days: Period | undefined): string {
  return tile.kind === 'note' || tile.kind === 'kpi' ? '' : periodText(days);
}

function FindingsTile({ days, where, limit }: { days: Period | undefined; where: string; limit: number }) {
  const { query: list, note } = useFindings(days, where);
  return (
    <>
      {note ? <p className="muted small">{note}</p> : null}
      <Loaded query={list} height={200} isEmpty={(all) => all.length === 0} empty={<Empty title={t('Nothing stands out')} />}>
        {(all) => <Findings list={all.slice(0, limit)} />}
      </Loaded>
    </>
  );
}
