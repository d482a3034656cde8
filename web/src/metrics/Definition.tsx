import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { catalog, type Measure } from '../api/queries';
import { format, inCurrency, sentence, words } from '../lib/format';
import { t } from '../lib/i18n';
import { carried, type Panel, useAddress, useExplain } from '../lib/state';
import { Button } from '../ui/Button';
import css from './metrics.module.css';
import { titled } from './words';

/** What a number means and what it was computed from; each input leads on to its own panel. */
export function Definition({
  m,
  values,
  currency,
  panel,
}: {
  m: Measure;
  values: Record<string, string>;
  currency: string | undefined;
  panel: Panel;
}) {
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const [search] = useAddress();
  return (
    <div className="stack">
      <p className={css.words}>{sentence(m.formula)}.</p>
      <dl className={css.facts}>
        <dt>{t('Name')}</dt>
        <dd>
          <code>{m.name}</code>
        </dd>
        <dt>{t('Unit')}</dt>
        <dd>{words(m.unit)}</dd>
        <dt>{t('Good when')}</dt>
        <dd>{m.direction === 'up_good' ? t('higher') : m.direction === 'down_good' ? t('lower') : t('near its target')}</dd>
        <dt>{t('Reference')}</dt>
        <dd>{m.source}</dd>
        <dt>{t('Stored in')}</dt>
        <dd>{(m.tables ?? []).map(words).join(', ')}</dd>
      </dl>
      {Object.keys(values).length > 0 ? (
        <>
          <h3>{t('Inputs in this period')}</h3>
          <dl className={css.facts}>
            {Object.entries(values).map(([name, value]) => {
              const input = names?.measure.get(name);
              return [
                <dt key={name}>{input?.label ?? titled(name)}</dt>,
                <dd key={`${name}-value`}>
                  {input && name !== m.name ? (
                    <Button kind="quiet" onPress={() => explain(name, panel.where ?? '', panel.days)}>
                      {format(value, inCurrency(input.unit, currency))}
                    </Button>
                  ) : (
                    format(value, inCurrency(input?.unit ?? 'number', currency))
                  )}
                </dd>,
              ];
            })}
          </dl>
        </>
      ) : null}
      <Link to="/definitions/$measure" params={{ measure: m.name }} search={carried(search) as never}>
        {t('More about {{label}}', { label: m.label })}
      </Link>
    </div>
  );
}
