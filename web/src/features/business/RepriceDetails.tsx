import type { Reprice } from '../../api/queries';
import { change, day, format, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Grade, intervalText } from '../../metrics/Grade';
import facts from '../../metrics/metrics.module.css';
import { moved, titled } from '../../metrics/words';
import { DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import css from './business.module.css';
import { missingOf, moneyOf } from './Reprice';

const METHODS: Record<string, string> = {
  margin: t('By margin'),
  efficiency: t('By efficiency'),
  hourly_rate: t('By hourly rate'),
};

/** An agreement's whole reckoning: its prices, what they rest on, and what moved its work. */
export function RepriceDetails({ item: r, onClose }: { item: Reprice | undefined; onClose: () => void }) {
  return (
    <Drawer open={r !== undefined} onClose={onClose} title={r?.agreement ?? ''} subtitle={r?.client}>
      {r ? (
        <div className={css.drawer}>
          <Facts r={r} />
          <section>
            <h3>{t('What should it cost a month?')}</h3>
            <Prices r={r} />
          </section>
          <section>
            <h3>{t('What moved its labor cost?')}</h3>
            {r.labor_change ? (
              <p className="muted small">
                {t('{{change}} a month, from the earlier to the later half of the months', { change: change(r.labor_change, moneyOf(r)) })}
              </p>
            ) : null}
            <Drivers r={r} />
          </section>
          {(r.notes ?? []).length > 0 ? (
            <section>
              <h3>{t('Mind')}</h3>
              {(r.notes ?? []).map((n) => (
                <p key={n}>{sentence(n)}.</p>
              ))}
            </section>
          ) : null}
        </div>
      ) : null}
    </Drawer>
  );
}

function Facts({ r }: { r: Reprice }) {
  const money = moneyOf(r);
  return (
    <dl className={facts.facts}>
      <dt>{t('Fee now')}</dt>
      <dd>{format(r.fee, money)}</dd>
      <dt>{t('Missing to the margin')}</dt>
      <dd>{change(missingOf(r), money)}</dd>
      <dt>{t('Proposed')}</dt>
      <dd>
        {r.proposed ? `${format(r.proposed, money)} (${format(r.proposed_uplift, 'ratio', { signed: true })})` : t('none')}
        {r.capped ? `, ${t('held down by the cap')}` : ''}
      </dd>
      <dt>{t('Not before')}</dt>
      <dd>
        {day(r.earliest)}: {r.earliest_why}
      </dd>
      <dt>{t('Margin as it is')}</dt>
      <dd>{format(r.margin, 'ratio')}</dd>
      <dt>{t('Hours a month')}</dt>
      <dd>
        {format(r.hours, 'hours')} <span className="muted small">{intervalText(r.hours_interval, 'hours')}</span>
      </dd>
      <dt>{t('Labor a month')}</dt>
      <dd>
        {format(r.labor, money)} <span className="muted small">{intervalText(r.labor_interval, money)}</span>
      </dd>
      <dt>{t('Products a month')}</dt>
      <dd>{t('cost {{cost}}, worth {{value}}', { cost: format(r.product_cost, money), value: format(r.product_value, money) })}</dd>
      <dt>{t('Break-even')}</dt>
      <dd>
        {t('at {{price}} a month, or at {{hours}} for the present fee', {
          price: format(r.break_even, money),
          hours: format(r.break_even_hours, 'hours'),
        })}
      </dd>
      <dt>{t('How sure')}</dt>
      <dd>
        <Grade confidence={r.confidence} long /> <span className="muted small">{t('from {{count}} months', { count: r.months })}</span>
      </dd>
    </dl>
  );
}

function Prices({ r }: { r: Reprice }) {
  const money = moneyOf(r);
  return (
    <DataTable
      caption={t('Prices by method')}
      rows={r.prices ?? []}
      rowKey={(p) => p.method}
      columns={[
        {
          id: 'method',
          head: t('Method'),
          cell: (p) => (
            <>
              {METHODS[p.method] ?? titled(p.method)}{' '}
              <small className="muted">
                {p.method === 'hourly_rate' ? (Number(p.target) > 0 ? format(p.target, money) : '') : format(p.target, 'ratio')}
              </small>
            </>
          ),
        },
        { id: 'price', head: t('Price'), right: true, cell: (p) => format(p.price, money) },
        { id: 'uplift', head: t('Uplift'), right: true, cell: (p) => format(p.uplift, 'ratio', { signed: true }) },
        {
          id: 'range',
          head: t('Perhaps'),
          cell: (p) => (
            <span style={{ whiteSpace: 'normal' }} className="small">
              {p.low && p.high
                ? t('{{low}} to {{high}}', { low: format(p.low, money), high: format(p.high, money) })
                : sentence(p.reason ?? '')}
            </span>
          ),
        },
      ]}
    />
  );
}

function Drivers({ r }: { r: Reprice }) {
  const list = moved(r.drivers ?? [], moneyOf(r));
  if (list.length === 0) return <p>{t('Nothing of note, or too few months to tell.')}</p>;
  return (
    <DataTable
      caption={t('What moved the labor cost')}
      rows={list}
      rowKey={(d) => d.name}
      columns={[
        { id: 'name', head: t('Cause'), cell: (d) => titled(d.name) },
        { id: 'from', head: t('Before'), right: true, cell: (d) => format(d.from, '') },
        { id: 'to', head: t('Since'), right: true, cell: (d) => format(d.to, '') },
        { id: 'by', head: t('Moved it by'), right: true, cell: (d) => change(d.contribution, moneyOf(r)) },
      ]}
    />
  );
}
