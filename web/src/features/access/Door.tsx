import { type ReactNode, useEffect } from 'react';
import { messageOf, RequestError } from '../../api/client';
import { t } from '../../lib/i18n';
import css from './access.module.css';

/** The frame of what stands before the app: a card in the middle. */
export function Door({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = t('{{title}} · MoatMetrics', { title });
  }, [title]);
  return (
    <main className={css.door}>
      <p className={css.doorBrand}>
        <img src="/icon.svg" alt="" />
        MoatMetrics
      </p>
      <div className={css.doorCard}>
        <div>
          <h1>{title}</h1>
          {lead ? <p className="muted">{lead}</p> : null}
        </div>
        {children}
      </div>
      <p className={css.foot}>{t('Everything stays on the machine that runs MoatMetrics. Nothing is sent anywhere else.')}</p>
    </main>
  );
}

/** What was refused, where it does not belong to one field. */
export function Refused({ error }: { error: unknown }) {
  if (!error || (error instanceof RequestError && error.problem.errors?.length)) return null;
  return (
    <p className={css.fault} role="alert">
      {messageOf(error)}
    </p>
  );
}
