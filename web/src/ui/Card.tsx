import { type ReactNode, useId } from 'react';
import css from './ui.module.css';

/** A titled part of a page: the title asks the question, the subtitle gives unit and period. */
export function Card({
  title,
  subtitle,
  actions,
  children,
  level = 2,
  id,
}: {
  title?: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  level?: 2 | 3;
  id?: string;
}) {
  const own = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className={css.card} id={id} {...(title ? { 'aria-labelledby': own } : {})}>
      {title ? (
        <div className={css.cardHead}>
          <div>
            <Heading id={own}>{title}</Heading>
            {subtitle ? <p>{subtitle}</p> : null}
          </div>
          {actions ? <div className={css.cardActions}>{actions}</div> : null}
        </div>
      ) : null}
      {children}
    </section>
  );
}

export function Badge({ tone, children, title }: { tone?: 'good' | 'bad' | 'warn' | 'accent'; children: ReactNode; title?: string }) {
  return (
    <span className={css.badge} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

export function Chip({ children, label, onRemove }: { children: ReactNode; label: string; onRemove: () => void }) {
  return (
    <span className={css.chip}>
      <span>{children}</span>
      <button type="button" aria-label={label} onClick={onRemove}>
        ✕
      </button>
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className={css.kbd}>{children}</kbd>;
}
