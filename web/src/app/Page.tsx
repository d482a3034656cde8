import { type ReactNode, useEffect } from 'react';
import { t } from '../lib/i18n';
import ui from '../ui/ui.module.css';
import css from './shell.module.css';

/** The frame of a page: title, one line that says what it answers, then its parts. */
export function Page({ title, lead, actions, children }: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = t('{{title}} · MoatMetrics', { title });
  }, [title]);
  return (
    <>
      <div className={css.head}>
        <div>
          <h1>{title}</h1>
          {lead ? <p>{lead}</p> : null}
        </div>
        {actions ? (
          <div className="row" data-no-print>
            {actions}
          </div>
        ) : null}
      </div>
      {children}
      <p className={ui.nothing}>{t('Your role sees none of the figures of this page.')}</p>
    </>
  );
}
