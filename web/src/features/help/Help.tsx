import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Card, Kbd } from '../../ui/Card';
import css from './help.module.css';

const KEYS: [string[], string][] = [
  [['Ctrl', 'K'], t('Find a client, page, measure or action')],
  [['/'], t('The same')],
  [['['], t('One period earlier')],
  [[']'], t('One period later')],
  [['Tab'], t('From one thing to the next; every number is reachable')],
  [['Enter'], t('Open what is focused: a number opens its cause')],
  [['Esc'], t('Close the panel, menu or dialog')],
  [['?'], t('This page')],
];

/** Short answers, in the order in which they are needed. */
export function Help() {
  return (
    <Page title={t('Help')} lead={t('From files to the first answer, and what the words mean.')}>
      <div className="stack" style={columns(380)}>
        <Card title={t('The first ten minutes')}>
          <ol className={css.steps}>
            <li>
              {t(
                'Export invoices and time entries from your PSA (ConnectWise, Autotask, HaloPSA, Kaseya BMS, Syncro …) or accounting as CSV or Excel, and drop them on',
              )}{' '}
              <Link to="/import">{t('Import')}</Link>.
            </li>
            <li>
              {t(
                'Look at what was recognized, at what importing would change, and at what is wrong: most of it is put right by one click. Nothing is stored before you press Import, and any import can be undone.',
              )}
            </li>
            <li>
              <Link to="/">{t('Overview')}</Link>{' '}
              {t('names the clients, agreements, licenses and people that need you, with the money at stake.')}
            </li>
            <li>
              {t('Click a headline or any number: Why shows what drove it, Rows the stored rows, How sure the confidence and its reasons.')}
            </li>
          </ol>
        </Card>
        <Card title={t('How to read a number')}>
          <dl className={css.words}>
            <dt>{t('Change')}</dt>
            <dd>{t('Against the period of the same length before. Differences of percents are in percentage points (pp).')}</dd>
            <dt>{t('Expected (90%)')}</dt>
            <dd>
              {t(
                'Where the value of a coming period of the same kind falls nine times in ten, if months vary as they did. Sums of stored rows are exact and have none.',
              )}
            </dd>
            <dt>{t('Confidence')}</dt>
            <dd>
              {t('From the quality of the data behind the number and the width of its interval. What is missing lowers it, and says so.')}
            </dd>
            <dt>{t('At stake a year')}</dt>
            <dd>
              {t('Money that the finding is about, a year: what is missing to the target margin, the cost of unused seats, and so on.')}
            </dd>
            <dt>{t('Bridge')}</dt>
            <dd>
              {t('From the value before to the value now, input by input. The parts are exact Shapley values: they add up to the change.')}
            </dd>
            <dt>{t('Snapshot')}</dt>
            <dd>{t('The state of the data that a number belongs to. Any can be looked at and gone back to.')}</dd>
            <dt>—</dt>
            <dd>{t('Not known; the reason is on it. Never zero.')}</dd>
          </dl>
        </Card>
        <Card title={t('Keyboard')}>
          <dl className={css.keys}>
            {KEYS.map(([keys, what]) => [
              <dt key={what}>
                {keys.map((k) => (
                  <Kbd key={k}>{k}</Kbd>
                ))}
              </dt>,
              <dd key={`${what}d`}>{what}</dd>,
            ])}
          </dl>
        </Card>
        <Card title={t('Where is my data?')}>
          <p>
            {t(
              'In the data directory on this machine. Nothing is sent anywhere: no telemetry, no fonts, no maps, no updates check. Your browser keeps the last figures and your exports on this device so that they can be read offline.',
            )}
          </p>
          <p style={{ marginTop: 8 }}>
            <a href="/api/docs">{t('HTTP API')}</a> · <Link to="/definitions">{t('All definitions')}</Link> ·{' '}
            <Link to="/system">{t('System')}</Link>
          </p>
        </Card>
      </div>
    </Page>
  );
}
