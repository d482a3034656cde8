import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { decision, roles, type WhyAsk } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useRights } from '../../metrics/rights';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import css from './policies.module.css';
import { CLASSES, namesOf } from './words';

const KINDS = [
  ['tenant', t('at all')],
  ...CLASSES.map(([c, label]) => [`class:${c}`, t('figures of: {{class}}', { class: label })] as const),
  ['client', t('rows of a client')],
  ['team', t('rows of a team')],
] as const;

/** Whether a role may do something, which policy says so, and who may. */
export function WhyTool() {
  const [search, set] = useAddress();
  const list = useQuery(roles()).data ?? [];
  const all = useRights()?.all ?? [];
  const asked = search.why as WhyAsk | undefined;
  const [draft, setDraft] = useState<WhyAsk>(asked ?? { role: 'viewer', action: 'figures.read', resource: 'class:pay' });
  const [clients, setClients] = useState((asked?.clients ?? []).join('\n'));
  const [teams, setTeams] = useState((asked?.teams ?? []).join('\n'));
  const put = (part: Partial<WhyAsk>) => setDraft((d) => ({ ...d, ...part }));
  const [kind, ...rest] = (draft.resource ?? 'tenant').split(':');
  const name = rest.join(':');
  const chosen = kind === 'class' ? `class:${name}` : (kind ?? 'tenant');
  return (
    <div className={css.sides}>
      <Card title={t('May a role do this?')} subtitle={t('And which policy says so')}>
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            const [c, m] = [namesOf(clients), namesOf(teams)];
            set({
              why: {
                role: draft.role,
                action: draft.action,
                ...(draft.action === 'figures.read' && chosen !== 'tenant' ? { resource: draft.resource } : {}),
                ...(c.length > 0 ? { clients: c } : {}),
                ...(m.length > 0 ? { teams: m } : {}),
              },
            });
          }}
        >
          <Select
            label={t('Role')}
            value={draft.role}
            onChange={(role) => put({ role })}
            options={list.map((r) => [r.name, r.label] as const)}
          />
          <Select
            label={t('Action')}
            value={draft.action}
            onChange={(action) => put({ action })}
            options={all.map((a) => [a.action, a.label] as const)}
          />
          {draft.action === 'figures.read' ? (
            <Select
              label={t('What of it')}
              value={chosen}
              onChange={(next) => put({ resource: next === 'client' || next === 'team' ? `${next}:` : next })}
              options={KINDS}
            />
          ) : null}
          {draft.action === 'figures.read' && (kind === 'client' || kind === 'team') ? (
            <TextField
              label={kind === 'client' ? t('Client') : t('Team')}
              value={name}
              onChange={(next) => put({ resource: `${kind}:${next}` })}
            />
          ) : null}
          <details open={clients !== '' || teams !== ''}>
            <summary>{t('For an account that is limited')}</summary>
            <div className="stack">
              <TextField
                label={t('Limited to clients')}
                value={clients}
                onChange={setClients}
                multiline
                hint={t('One name a line; nothing for no limit.')}
              />
              <TextField
                label={t('Limited to teams')}
                value={teams}
                onChange={setTeams}
                multiline
                hint={t('One name a line; nothing for no limit.')}
              />
            </div>
          </details>
          <div>
            <Button type="submit" kind="primary">
              {t('Explain')}
            </Button>
          </div>
        </form>
      </Card>
      {asked ? <Answer ask={asked} /> : null}
    </div>
  );
}

function Answer({ ask }: { ask: WhyAsk }) {
  const query = useQuery(decision(ask));
  return (
    <Loaded query={query} height={200}>
      {(why) => (
        <Card
          title={why.allowed ? t('Yes, it may') : t('No, it may not')}
          actions={<Badge tone={why.allowed ? 'good' : 'bad'}>{why.allowed ? t('allowed') : t('refused')}</Badge>}
        >
          <div className="stack" role="status">
            <p>{why.words}</p>
            <p className="small">
              {why.who.length > 0 ? t('Roles that may: {{roles}}.', { roles: why.who.join(', ') }) : t('No role may.')}
            </p>
            {why.policies.map((p) => (
              <pre key={p.id} className={css.code}>
                {p.text}
              </pre>
            ))}
          </div>
        </Card>
      )}
    </Loaded>
  );
}
