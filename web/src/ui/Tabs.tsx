import type { ReactNode } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';
import css from './ui.module.css';

/** Tabs; the chosen one belongs to the address, so the page holds it. */
export function Tabs({
  label,
  value,
  onChange,
  tabs,
}: {
  label: string;
  value: string;
  onChange: (id: string) => void;
  tabs: { id: string; title: string; content: () => ReactNode }[];
}) {
  const chosen = tabs.some((x) => x.id === value) ? value : (tabs[0]?.id ?? '');
  return (
    <AriaTabs selectedKey={chosen} onSelectionChange={(k) => onChange(String(k))}>
      <TabList aria-label={label} className={css.tabs ?? ''}>
        {tabs.map((x) => (
          <Tab key={x.id} id={x.id} className={css.tab ?? ''}>
            {x.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((x) => (
        <TabPanel key={x.id} id={x.id} className={css.tabPanel ?? ''}>
          {x.id === chosen ? x.content() : null}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
