import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Eye } from 'lucide-react';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import type { RoleOf } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { namesOf } from './words';

/** The chosen role: what it is for, whose rows, and what can be done with it. */
export function RoleCard({ role, onEdit }: { role: RoleOf; onEdit: () => void }) {
  const [dialog, setDialog] = useState<'look' | 'remove' | undefined>();
  const list = (label: string, names: string[] | null) =>
    names && names.length > 0 ? <p className="small">{t('{{label}}: {{names}}', { label, names: names.join(', ') })}</p> : null;
  return (
    <Card
      title={role.label}
      subtitle={role.for}
      actions={<Badge {...(role.custom ? { tone: 'accent' as const } : {})}>{role.custom ? t('made here') : t('built in')}</Badge>}
    >
      <div className="stack">
        {role.needs_clients ? <p className="small">{t('An account of this role sees nothing until it names clients.')}</p> : null}
        {role.needs_teams ? <p className="small">{t('An account of this role sees nothing until it names teams.')}</p> : null}
        {list(t('Only these clients'), role.clients)}
        {list(t('Only these teams'), role.teams)}
        <div className="row">
          <Button kind="primary" onPress={() => setDialog('look')}>
            <Eye size={16} aria-hidden="true" /> {t('Look as this role')}
          </Button>
          <Button onPress={onEdit}>{role.custom ? t('Change') : t('New role based on it')}</Button>
          {role.custom ? <Button onPress={() => setDialog('remove')}>{t('Remove')}</Button> : null}
        </div>
      </div>
      {dialog === 'look' ? <Look role={role} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'remove' ? <Remove role={role} onClose={() => setDialog(undefined)} /> : null}
    </Card>
  );
}

function Look({ role, onClose }: { role: RoleOf; onClose: () => void }) {
  const [clients, setClients] = useState('');
  const [teams, setTeams] = useState('');
  const begin = useMutation({
    mutationFn: () => {
      const [c, m] = [namesOf(clients), namesOf(teams)];
      return unwrap(
        api.POST('/api/v1/view-as', {
          body: { role: role.name, ...(c.length > 0 ? { clients: c } : {}), ...(m.length > 0 ? { teams: m } : {}) },
        }),
      );
    },
    onSuccess: () => location.assign('/'), // everything is asked for anew
  });
  return (
    <Dialog open onClose={onClose} title={t('Look as {{role}}', { role: role.label })}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          begin.mutate();
        }}
      >
        <p>
          {t(
            'For an hour the app shows what this role may see, never more than you may. Nothing can be changed meanwhile; it is on the audit record.',
          )}
        </p>
        {begin.isError ? <Notice tone="bad">{messageOf(begin.error)}</Notice> : null}
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
        <div className="row">
          <Button type="submit" kind="primary" isDisabled={begin.isPending}>
            {t('Look')}
          </Button>
          <Button onPress={onClose}>{t('Cancel')}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Remove({ role, onClose }: { role: RoleOf; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/roles/{name}', { params: { path: { name: role.name }, query: { reason } } })),
    onSuccess: async (v) => {
      await client.invalidateQueries({ queryKey: ['policies'] });
      toast(v.waits ? t('It waits for {{who}}.', { who: v.waits }) : t('{{role}} is removed.', { role: role.label }));
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title={t('Remove {{role}}?', { role: role.label })}>
      <div className="stack">
        {remove.isError ? <Notice tone="bad">{messageOf(remove.error)}</Notice> : null}
        <TextField label={t('Why')} value={reason} onChange={setReason} hint={t('For those who approve or read it later.')} />
        <div className="row">
          <Button kind="danger" onPress={() => remove.mutate()} isDisabled={remove.isPending}>
            {t('Remove')}
          </Button>
          <Button onPress={onClose}>{t('Cancel')}</Button>
        </div>
      </div>
    </Dialog>
  );
}
