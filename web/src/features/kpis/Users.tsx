import { Link } from '@tanstack/react-router';
import type { DefinitionUser } from '../../api/queries';
import { t } from '../../lib/i18n';

/** What uses a definition, each with the way to it. */
export function Users({ of }: { of: DefinitionUser[] }) {
  if (of.length === 0) return <span className="muted">{t('nothing yet')}</span>;
  return (
    <span className="row">
      {of.map((u) =>
        u.kind === 'kpi' ? (
          <Link key={`kpi ${u.name}`} to="/kpis/edit/$name" params={{ name: u.name }}>
            {u.name}
          </Link>
        ) : (
          <Link key={`${u.kind} ${u.name}`} to="/kpis" search={{ tab: u.kind === 'rule' ? 'rules' : 'segments' } as never}>
            {u.kind === 'rule' ? t('rule {{name}}', { name: u.name }) : t('segment {{name}}', { name: u.name })}
          </Link>
        ),
      )}
    </span>
  );
}
