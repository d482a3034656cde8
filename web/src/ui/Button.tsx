import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Tooltip as AriaTooltip,
  Link,
  type LinkProps,
  TooltipTrigger,
} from 'react-aria-components';
import { useMay } from './may';
import css from './ui.module.css';

type Kind = 'primary' | 'plain' | 'quiet' | 'danger';

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style'> {
  kind?: Kind;
  pressed?: boolean;
  /** The action that it does; it is not there for those who may not. */
  need?: string;
}

export function Button({ kind = 'plain', pressed, need = '', ...rest }: ButtonProps) {
  const may = useMay(need);
  if (!may) return null;
  return (
    <AriaButton {...rest} {...(pressed === undefined ? {} : { 'aria-pressed': pressed })} className={css.button ?? ''} data-kind={kind} />
  );
}

/** A button with only an icon; its label is read out and shown on hover and focus. */
export function IconButton({ label, kind = 'quiet', children, pressed, need = '', ...rest }: ButtonProps & { label: string }) {
  const may = useMay(need);
  if (!may) return null;
  return (
    <TooltipTrigger delay={500}>
      <AriaButton
        {...rest}
        {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
        aria-label={label}
        className={css.button ?? ''}
        data-kind={kind}
        data-icon
      >
        {children as ReactNode}
      </AriaButton>
      <AriaTooltip className={css.tooltip ?? ''} offset={6}>
        {label}
      </AriaTooltip>
    </TooltipTrigger>
  );
}

/** A link that looks like a button: a download or another address. */
export function ButtonLink({
  kind = 'plain',
  ...rest
}: Omit<LinkProps, 'className' | 'style'> & { kind?: Kind; download?: boolean | string }) {
  return <Link {...rest} className={css.button ?? ''} data-kind={kind} />;
}

/** More about something on hover or focus; the trigger must be focusable. */
export function Hint({ text, children }: { text: string; children: ReactNode }) {
  return (
    <TooltipTrigger delay={300}>
      {children}
      <AriaTooltip className={css.tooltip ?? ''} offset={6}>
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}

/** A few exclusive choices side by side. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (next: T) => void;
}) {
  return (
    <fieldset className={css.segmented} style={{ margin: 0, padding: 0 }}>
      <legend className="sr">{label}</legend>
      {options.map(([id, text]) => (
        <button type="button" key={id} aria-pressed={value === id} onClick={() => onChange(id)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
