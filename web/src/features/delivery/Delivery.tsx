import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Destination, type DestinationSpec, destinations } from '../../api/delivery';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { Collection } from '../../ui/Collection';
import { Dialog, Drawer } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Notice } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { toast } from '../../ui/toast';
import { Deliveries } from './Deliveries';
import { DestinationForm } from './DestinationForm';
import { kindOf, placeOf } from './words';

/** Where reports and alerts go, and what became of each. */
export function DeliveryPage() {
  const [search, set] = useAddress();
  return (
    <Page
      title={t('Destinations')}
      lead={t('Where reports and alerts can be sent, and what was sent. Nothing leaves before a destination is named here.')}
    >
      <Tabs
        label={t('Destinations')}
        value={search.tab ?? 'destinations'}
        onChange={(tab) => set({ tab: tab === 'destinations' ? undefined : tab, row: undefined, kind: undefined })}
        tabs={[
          { id: 'destinations', title: t('Destinations'), content: () => <Destinations /> },
          { id: 'deliveries', title: t('Deliveries'), content: () => <Deliveries /> },
        ]}
      />
    </Page>
  );
}

const NEW = 'new';

function Destinations() {
  const client = useQueryClient();
  const list = useQuery(destinations());
  const [search, set] = useAddress();
  const chosen = list.data?.find((d) => d.id === search.row);
  const save = useMutation({
    mutationFn: (body: DestinationSpec) =>
      chosen
        ? unwrap(api.PUT('/api/v1/destinations/{id}', { params: { path: { id: chosen.id } }, body }))
        : unwrap(api.POST('/api/v1/destinations', { body })),
    onSuccess: async (_, body) => {
      await client.invalidateQueries({ queryKey: ['delivery'] });
      set({ row: undefined });
      toast(t('{{name}} is saved. Test it before you rely on it.', { name: body.name }));
    },
  });
  const close = () => {
    save.reset();
    set({ row: undefined });
  };
  return (
    <>
      <Collection
        title={t('Where can it be sent?')}
        subtitle={t('Passwords and keys are kept encrypted and are never shown again')}
        query={list}
        add={{ label: t('Add a destination'), onPress: () => set({ row: NEW }) }}
        empty={{
          title: t('There is no destination yet'),
          text: t('Name a mail server, a folder, a bucket or a webhook. Notices in the program need none.'),
        }}
      >
        {(d) => <One destination={d} onEdit={() => set({ row: d.id })} />}
      </Collection>
      {search.row === NEW || chosen ? (
        <Drawer open onClose={close} title={chosen ? t('Change {{name}}', { name: chosen.name }) : t('New destination')}>
          <DestinationForm key={search.row} saved={chosen} fault={save.error} busy={save.isPending} onSave={save.mutate} onCancel={close} />
        </Drawer>
      ) : null}
    </>
  );
}

function One({ destination: d, onEdit }: { destination: Destination; onEdit: () => void }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<'test' | 'remove'>();
  const [to, setTo] = useState('');
  const test = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/destinations/{id}/test', { params: { path: { id: d.id } }, body: d.kind === 'email' ? { to: to.trim() } : {} }),
      ),
    onSuccess: () => setAsking(undefined),
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/destinations/{id}', { params: { path: { id: d.id } } })),
    onSuccess: async () => {
      setAsking(undefined);
      toast(t('{{name}} was removed. What waited for it is canceled.', { name: d.name }));
      await client.invalidateQueries({ queryKey: ['delivery'] });
    },
  });
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="spread">
        <h3>{d.name}</h3>
        <Badge>{kindOf(d.kind)}</Badge>
      </div>
      <p className="muted small">
        {placeOf(d)} · {t('since {{at}}', { at: instant(d.created_at) })}
      </p>
      <div aria-live="polite">
        {test.isSuccess ? (
          <Notice>{test.data.place ? t('The test arrived: {{place}}', { place: test.data.place }) : t('The test was taken.')}</Notice>
        ) : null}
        {test.isError && asking !== 'test' ? <Notice tone="bad">{messageOf(test.error)}</Notice> : null}
      </div>
      <div className="row">
        <Button
          isDisabled={test.isPending}
          onPress={() => {
            test.reset();
            if (d.kind === 'email') setAsking('test');
            else test.mutate();
          }}
          aria-label={t('Test {{name}}', { name: d.name })}
        >
          {test.isPending ? t('Testing…') : t('Test')}
        </Button>
        <Button onPress={onEdit} aria-label={t('Edit {{name}}', { name: d.name })}>
          {t('Edit')}
        </Button>
        <Button kind="danger" onPress={() => setAsking('remove')} aria-label={t('Remove {{name}}', { name: d.name })}>
          {t('Remove…')}
        </Button>
      </div>
      <Dialog open={asking === 'test'} onClose={() => setAsking(undefined)} title={t('Send a test by {{name}}', { name: d.name })}>
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            test.mutate();
          }}
        >
          {test.isError ? <Notice tone="bad">{messageOf(test.error)}</Notice> : null}
          <TextField
            label={t('E-mail address')}
            type="email"
            value={to}
            onChange={setTo}
            hint={t('The message says that it is a test.')}
            autoFocus
          />
          <div className="row">
            <Button kind="primary" type="submit" isDisabled={test.isPending || !/^\S+@\S+$/.test(to.trim())}>
              {t('Send')}
            </Button>
          </div>
        </form>
      </Dialog>
      <Dialog open={asking === 'remove'} onClose={() => setAsking(undefined)} title={t('Remove {{name}}?', { name: d.name })}>
        <p>
          {t(
            'What waits for it is canceled, schedules and alerts that use it say so, and its password is forgotten. It cannot be brought back.',
          )}
        </p>
        {remove.isError ? <Notice tone="bad">{messageOf(remove.error)}</Notice> : null}
        <div className="row">
          <Button kind="danger" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
            {t('Remove it')}
          </Button>
          <Button onPress={() => setAsking(undefined)}>{t('Keep it')}</Button>
        </div>
      </Dialog>
    </div>
  );
}
