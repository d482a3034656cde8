import type { UseQueryResult } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { Card } from './Card';
import { Empty, Loaded } from './States';
import css from './ui.module.css';

/**
 * Things that people keep, below each other. The button that adds one stands in the head, and
 * in the middle while there is none.
 */
export function Collection<T extends { id: string }>({
  title,
  subtitle,
  query,
  add,
  actions,
  empty,
  children,
}: {
  title: string;
  subtitle: string;
  query: UseQueryResult<T[]>;
  add?: { label: string; onPress: () => void };
  /** In the head, beside the button that adds. */
  actions?: ReactNode;
  /** What is said while there is none. */
  empty: { title: string; text: string };
  children: (item: T) => ReactNode;
}) {
  const button = add ? (
    <Button kind="primary" onPress={add.onPress}>
      <Plus size={16} aria-hidden="true" /> {add.label}
    </Button>
  ) : null;
  return (
    <Card
      title={title}
      subtitle={subtitle}
      actions={
        <>
          {actions}
          {query.data?.length ? button : null}
        </>
      }
    >
      <Loaded
        query={query}
        height={200}
        isEmpty={(all) => all.length === 0}
        empty={
          <Empty title={empty.title} action={button}>
            {empty.text}
          </Empty>
        }
      >
        {(all) => (
          <ul className={css.collection}>
            {all.map((x) => (
              <li key={x.id}>{children(x)}</li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}
