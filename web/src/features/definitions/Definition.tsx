import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { catalog } from '../../api/queries';
import { Page } from '../../app/Page';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { columns } from '../../metrics/grid';
import { Kpi } from '../../metrics/Kpi';
import css from '../../metrics/metrics.module.css';
import { Trend } from '../../metrics/Trend';
import { Card } from '../../ui/Card';
import { Empty } from '../../ui/States';
import { Bands } from './Bands';

/** One measure: definition, formula, what it is made of and what is made of it. */
export function Definition() {
  const { measure } = useParams({ from: '/definitions/$measure' });
  const names = useQuery(catalog()).data;
  const { days, where, search } = useView();
  const list = useMemo(() => [measure], [measure]);
  const m = names?.measure.get(measure);
  if (names && !m) {
    return (
      <Page title={measure}>
        <Empty title={t('There is no measure of this name')} action={<Link to="/definitions">{t('See all measures')}</Link>} />
      </Page>
    );
  }
  if (!m || !names) return null;
  const usedBy = names.measures.filter((x) => x.inputs?.includes(m.name));
  const link = (name: string) => (
    <Link key={name} to="/definitions/$measure" params={{ measure: name }} search={carried(search) as never}>
      {names.measure.get(name)?.label ?? name}
    </Link>
  );
  return (
    <Page title={m.label} lead={sentence(m.formula)}>
      <div className="stack" style={columns(380)}>
        <Card title={t('Definition')}>
          <dl className={css.facts}>
            <dt>{t('Name')}</dt>
            <dd>
              <code>{m.name}</code>
            </dd>
            <dt>{t('Unit')}</dt>
            <dd>{words(m.unit)}</dd>
            <dt>{t('Good when')}</dt>
            <dd>{m.direction === 'up_good' ? t('higher') : m.direction === 'down_good' ? t('lower') : t('near its target')}</dd>
            <dt>{t('Version')}</dt>
            <dd>{m.version}</dd>
            <dt>{t('Reference')}</dt>
            <dd>{m.source}</dd>
            <dt>{t('Made of')}</dt>
            <dd className="row">
              {(m.inputs ?? []).length > 0
                ? (m.inputs ?? []).map((n) => (names.measure.has(n) ? link(n) : words(n)))
                : t('a sum over stored rows')}
            </dd>
            <dt>{t('Stored in')}</dt>
            <dd>{(m.tables ?? []).map(words).join(', ')}</dd>
            <dt>{t('Used by')}</dt>
            <dd className="row">{usedBy.length > 0 ? usedBy.map((x) => link(x.name)) : t('no other measure')}</dd>
            <dt>{t('Can be cut by')}</dt>
            <dd>{(m.dimensions ?? []).map((d) => names.dimension.get(d)?.label ?? d).join(', ')}</dd>
          </dl>
          <p style={{ marginTop: 12 }}>
            <Link to="/explore" search={{ ...carried(search), measures: [m.name] } as never}>
              {t('Explore it')}
            </Link>
          </p>
        </Card>
        <div className="stack" style={{ alignContent: 'start' }}>
          <Kpi measure={m.name} where={where} days={days} course={false} />
          {m.dimensions?.includes('month') ? (
            <Card title={t('By month')}>
              <Trend measures={list} where={where} days={days} label={t('{{measure}} by month', { measure: m.label })} height={220} />
            </Card>
          ) : null}
        </div>
      </div>
      <Bands measure={m.name} unit={m.unit} />
    </Page>
  );
}
