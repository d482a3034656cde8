import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';
import { t } from '../lib/i18n';
import css from './ui.module.css';

/** Moves the mark to a part of the text. */
export interface CodeAreaHandle {
  mark: (from: number, to: number) => void;
}

/**
 * Text in lines with their numbers. Tab indents as in an editor; Esc gives the next Tab back
 * to the page, so that the keyboard alone leads out.
 */
export function CodeArea({
  label,
  value,
  onChange,
  wrong,
  readOnly = false,
  ref,
  describedBy,
}: {
  label: string;
  value: string;
  onChange: (next: string) => void;
  /** Numbers of lines that something is wrong with, from 1. */
  wrong: ReadonlySet<number>;
  readOnly?: boolean;
  ref?: Ref<CodeAreaHandle>;
  describedBy?: string | undefined;
}) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const [leaving, setLeaving] = useState(false);
  useImperativeHandle(ref, () => ({
    mark: (from, to) => {
      const box = area.current;
      if (!box) return;
      box.focus();
      box.setSelectionRange(from, to);
      const line = box.value.slice(0, from).split('\n').length;
      const height = box.scrollHeight / Math.max(1, box.value.split('\n').length);
      if (scroll.current) scroll.current.scrollTop = Math.max(0, (line - 5) * height);
    },
  }));
  const onKey = (e: KeyboardEvent<HTMLTextAreaElement>) => {
    if (e.key === 'Escape') {
      setLeaving(true);
      return;
    }
    if (e.key !== 'Tab' || leaving || readOnly || e.ctrlKey || e.altKey || e.metaKey) {
      if (e.key !== 'Shift') setLeaving(false);
      return;
    }
    e.preventDefault();
    const box = e.currentTarget;
    const changed = indented(box.value, box.selectionStart, box.selectionEnd, e.shiftKey);
    onChange(changed.text);
    requestAnimationFrame(() => box.setSelectionRange(changed.from, changed.to));
  };
  const lines = value.split('\n').length;
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <div className={css.code} ref={scroll}>
        <div className={css.codeScroll}>
          <ol aria-hidden="true">
            {Array.from({ length: lines }, (_, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the number is the line
              <li key={i} data-wrong={wrong.has(i + 1) || undefined}>
                {i + 1}
              </li>
            ))}
          </ol>
          <textarea
            id={id}
            ref={area}
            value={value}
            rows={lines}
            wrap="off"
            readOnly={readOnly}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            onChange={(e) => onChange(e.target.value)}
            onKeyDown={onKey}
            onBlur={() => setLeaving(false)}
            aria-invalid={wrong.size > 0}
            aria-describedby={[`${id}-keys`, describedBy].filter(Boolean).join(' ')}
          />
        </div>
      </div>
      <p className={css.hint} id={`${id}-keys`}>
        {leaving ? t('Tab now leaves the text.') : t('Tab indents; Esc, then Tab leaves the text.')}
      </p>
    </div>
  );
}

const STEP = '  ';

/** A text whose marked lines are indented, or less so; and what is marked then. */
export function indented(text: string, from: number, to: number, less: boolean): { text: string; from: number; to: number } {
  if (from === to && !less) return { text: text.slice(0, from) + STEP + text.slice(to), from: from + STEP.length, to: to + STEP.length };
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const lines = text.slice(start, to).split('\n');
  const changed = lines.map((l) => (less ? l.replace(/^ {1,2}/, '') : STEP + l));
  const first = (changed[0]?.length ?? 0) - (lines[0]?.length ?? 0);
  const all = changed.join('\n').length - (to - start);
  return {
    text: text.slice(0, start) + changed.join('\n') + text.slice(to),
    from: Math.max(start, from + first),
    to: Math.max(start, to + all),
  };
}
