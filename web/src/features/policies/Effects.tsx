import type { Effect } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useRights } from '../../metrics/rights';
import css from './policies.module.css';
import { byRole, effectWords } from './words';

/** What a change gives and takes, by role. */
export function Effects({ list, lines = [] }: { list: readonly Effect[]; lines?: readonly string[] | undefined }) {
  const all = useRights()?.all ?? [];
  if (list.length === 0 && lines.length === 0) return <p className="muted small">{t('No role gains or loses anything.')}</p>;
  return (
    <div className={css.effects}>
      {byRole(list).map(([role, effects]) => (
        <div key={role}>
          <strong>{role}</strong>
          <ul>
            {effects.map((e) => (
              <li key={`${e.kind} ${e.what}`} data-gained={e.gained}>
                <span aria-hidden="true">{e.gained ? '+' : '−'}</span> <span className="sr">{e.gained ? t('gains') : t('loses')}</span>{' '}
                {effectWords(e, all)}
              </li>
            ))}
          </ul>
        </div>
      ))}
      {lines.length > 0 ? (
        <pre className={css.code} data-diff>
          {lines.join('\n')}
        </pre>
      ) : null}
    </div>
  );
}
