import { type ChangeEvent, type ReactNode, useId } from 'react';
import css from './ui.module.css';

interface Base {
  label: string;
  hint?: ReactNode;
  fault?: string | undefined;
  hideLabel?: boolean;
}

function Frame({ id, label, hint, fault, hideLabel, children }: Base & { id: string; children: ReactNode }) {
  return (
    <div className={css.field}>
      <label htmlFor={id} className={hideLabel ? 'sr' : ''}>
        {label}
      </label>
      {children}
      {hint ? (
        <p className={css.hint} id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {fault ? (
        <p className={css.fault} id={`${id}-fault`} role="alert">
          {fault}
        </p>
      ) : null}
    </div>
  );
}

function described(id: string, { hint, fault }: Base) {
  const ids = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ');
  return { 'aria-invalid': Boolean(fault), ...(ids ? { 'aria-describedby': ids } : {}) };
}

export function TextField({
  value,
  onChange,
  placeholder,
  multiline,
  autoFocus,
  type = 'text',
  autoComplete,
  inputMode,
  name,
  ...base
}: Base & {
  value: string;
  onChange: (next: string) => void;
  placeholder?: string;
  multiline?: boolean;
  autoFocus?: boolean;
  type?: 'text' | 'search' | 'month' | 'date' | 'number' | 'password' | 'email' | 'time';
  /** What a password manager or the browser may fill in. */
  autoComplete?: string;
  inputMode?: 'numeric' | 'email';
  name?: string;
}) {
  const id = useId();
  const shared = {
    id,
    value,
    placeholder,
    autoComplete,
    inputMode,
    name,
    className: css.input,
    onChange: (e: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onChange(e.target.value),
    ...described(id, base),
  };
  return (
    <Frame id={id} {...base}>
      {/* biome-ignore lint/a11y/noAutofocus: only in dialogs that the user has just opened */}
      {multiline ? <textarea rows={4} {...shared} /> : <input type={type} autoFocus={autoFocus} {...shared} />}
    </Frame>
  );
}

/** The browser's own select: it is the best one on every device. */
export function Select<T extends string>({
  value,
  onChange,
  options,
  ...base
}: Base & {
  value: T;
  onChange: (next: T) => void;
  options: readonly (readonly [T, string])[] | readonly { group: string; options: readonly (readonly [T, string])[] }[];
}) {
  const id = useId();
  const option = ([v, text]: readonly [T, string]) => (
    <option key={v} value={v}>
      {text}
    </option>
  );
  return (
    <Frame id={id} {...base}>
      <select id={id} className={css.input} value={value} onChange={(e) => onChange(e.target.value as T)} {...described(id, base)}>
        {options.map((o) =>
          'group' in o ? (
            <optgroup key={o.group} label={o.group}>
              {o.options.map(option)}
            </optgroup>
          ) : (
            option(o)
          ),
        )}
      </select>
    </Frame>
  );
}

export function Checkbox({
  label,
  checked,
  onChange,
  trailing,
}: {
  label: ReactNode;
  checked: boolean;
  onChange: (next: boolean) => void;
  trailing?: ReactNode;
}) {
  return (
    <label className={css.check}>
      <input type="checkbox" checked={checked} onChange={(e) => onChange(e.target.checked)} />
      <span>{label}</span>
      {trailing ? (
        <span className="muted small" style={{ marginLeft: 'auto' }}>
          {trailing}
        </span>
      ) : null}
    </label>
  );
}

/** Fields that belong together, framed, with what they are about. */
export function Group({ legend, children }: { legend: string; children: ReactNode }) {
  return (
    <fieldset className={css.group}>
      <legend>{legend}</legend>
      {children}
    </fieldset>
  );
}
