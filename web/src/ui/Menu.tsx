import type { ReactNode } from 'react';
import { Menu as AriaMenu, Header, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import { t } from '../lib/i18n';
import css from './ui.module.css';

export interface Action {
  id: string;
  label: string;
  hint?: string;
  icon?: ReactNode;
  onAction: () => void;
  disabled?: boolean;
  checked?: boolean;
}

/** A button that opens a list of actions; sections have a head. */
export function Menu({
  trigger,
  label,
  sections,
}: {
  trigger: ReactNode;
  label: string;
  sections: { head?: string; actions: Action[] }[];
}) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={css.popover ?? ''} placement="bottom start" offset={4}>
        <AriaMenu aria-label={label}>
          {sections
            .filter((s) => s.actions.length > 0)
            .map((s, i) => (
              <MenuSection key={s.head ?? i} {...(s.head ? {} : { 'aria-label': label })}>
                {s.head ? <Header className={css.menuHead ?? ''}>{s.head}</Header> : null}
                {s.actions.map((a) => (
                  <MenuItem
                    key={a.id}
                    id={`${i}-${a.id}`}
                    textValue={a.label}
                    isDisabled={a.disabled ?? false}
                    onAction={a.onAction}
                    className={css.menuItem ?? ''}
                  >
                    {a.icon}
                    <span>
                      {a.label}
                      {a.checked ? <span className="sr"> {t('(chosen)')}</span> : null}
                    </span>
                    {a.checked ? <small aria-hidden="true">✓</small> : a.hint ? <small>{a.hint}</small> : null}
                  </MenuItem>
                ))}
              </MenuSection>
            ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
