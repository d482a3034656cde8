import type { AuditEntry } from '../../api/queries';
import { instant, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import metrics from '../../metrics/metrics.module.css';
import { useNames } from '../../metrics/names';
import { Dialog } from '../../ui/Dialog';
import css from './audit.module.css';
import { changes, said, saidSource } from './said';

/** Everything that an entry says. */
export function Details({ entry: e, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const { changed, rest } = changes(e.detail);
  const name = useNames();
  return (
    <Dialog open onClose={onClose} title={said(e)} subtitle={t('Entry {{entry}} of the record', { entry: e.seq })}>
      <div className="stack">
        <dl className={metrics.facts}>
          <dt>{t('When')}</dt>
          <dd>
            {instant(e.at)}
            <br />
            <span className="muted small">{e.at.slice(0, 23).replace('T', ' ')} UTC</span>
          </dd>
          {e.removed_by ? null : (
            <>
              <dt>{t('Who')}</dt>
              <dd>
                {name(e.actor)} {name(e.actor) === e.actor ? null : <span className="muted small">{e.actor}</span>}
              </dd>
              <dt>{t('From')}</dt>
              <dd>{saidSource(e)}</dd>
              <dt>{t('Action')}</dt>
              <dd>{e.action}</dd>
              <dt>{t('About')}</dt>
              <dd>{`${e.subject.kind} ${e.subject.id}`.trim() || '—'}</dd>
              <dt>{t('Why')}</dt>
              <dd>{e.reason || t('nobody said')}</dd>
              {e.snapshot ? (
                <>
                  <dt>{t('Snapshot')}</dt>
                  <dd>{e.snapshot}</dd>
                </>
              ) : null}
              {rest.map(([name, value]) => [
                <dt key={name}>{name ? sentence(words(name)) : t('Detail')}</dt>,
                <dd key={`${name} value`}>{value}</dd>,
              ])}
            </>
          )}
        </dl>
        {changed.length > 0 ? (
          <table className={css.changes}>
            <caption className="sr">{t('What changed')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('Field')}</th>
                <th scope="col">{t('Before')}</th>
                <th scope="col">{t('After')}</th>
              </tr>
            </thead>
            <tbody>
              {changed.map((c) => (
                <tr key={c.field}>
                  <th scope="row">{c.field ? sentence(words(c.field)) : t('Value')}</th>
                  <td>{c.before}</td>
                  <td>{c.after}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : null}
        {e.removed_by ? (
          <p className="muted">
            {t('The content was removed by the retention policy; entry {{entry}} says so. Its seal keeps the chain whole.', {
              entry: e.removed_by,
            })}
          </p>
        ) : null}
        <details>
          <summary>{t('Hashes')}</summary>
          <dl className={css.hashes}>
            <dt>{t('Hash of this entry')}</dt>
            <dd>{e.hash}</dd>
            <dt>{t('Hash of the entry before')}</dt>
            <dd>{e.prev_hash || t('none, it is the first')}</dd>
            {e.content ? (
              <>
                <dt>{t('Seal of the removed content')}</dt>
                <dd>{e.content}</dd>
              </>
            ) : null}
          </dl>
        </details>
      </div>
    </Dialog>
  );
}
