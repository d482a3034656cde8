import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, faultOf, messageOf, unwrap } from '../../api/client';
import { type SettingsOf, settings } from '../../api/queries';
import { Page } from '../../app/Page';
import { format, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { look, setLook } from '../../lib/look';
import { columns } from '../../metrics/grid';
import { Button, Segmented } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { May, useMay } from '../../ui/may';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import { ReviewTerms } from './ReviewTerms';

const LOCALES = [
  ['en-US', '1,234.50 · Jun 30, 2026'],
  ['en-GB', '1,234.50 · 30 Jun 2026'],
  ['de-DE', '1.234,50 · 30.06.2026'],
  ['fr-FR', '1 234,50 · 30 juin 2026'],
  ['en-CA', '1,234.50 · Jun 30, 2026'],
  ['en-AU', '1,234.50 · 30 June 2026'],
] as const;

/** How this device shows things, and how the workspace writes numbers. */
export function Settings() {
  const found = useQuery(settings());
  const reviews = useMay('reviews.read');
  return (
    <Page title={t('Settings')}>
      <div className="stack" style={columns(380)}>
        <Look />
        <May action="policies.manage">
          <Card title={t('Roles & policies')} subtitle={t('Who may see and do what')}>
            <Link to="/policies">{t('Roles, policies, why something is refused, look as a role')}</Link>
          </Card>
        </May>
        <May action="settings.write">
          <Loaded query={found} height={240}>
            {(s) => <Workspace saved={s} />}
          </Loaded>
          {reviews ? <ReviewTerms /> : null}
        </May>
      </div>
    </Page>
  );
}

function Look() {
  const [now, setNow] = useState(look());
  const change = (next: Partial<typeof now>) => {
    setLook(next);
    setNow(look());
  };
  return (
    <Card title={t('This device')} subtitle={t('Kept in this browser')}>
      <div className="stack">
        <div className="row">
          <span style={{ minWidth: 80 }}>{t('Theme')}</span>
          <Segmented
            label={t('Theme')}
            value={now.theme}
            options={[
              ['system', t('System')],
              ['light', t('Light')],
              ['dark', t('Dark')],
            ]}
            onChange={(theme) => change({ theme })}
          />
        </div>
        <div className="row">
          <span style={{ minWidth: 80 }}>{t('Density')}</span>
          <Segmented
            label={t('Density')}
            value={now.density}
            options={[
              ['comfortable', t('Comfortable')],
              ['compact', t('Compact')],
            ]}
            onChange={(density) => change({ density })}
          />
        </div>
      </div>
    </Card>
  );
}

function Workspace({ saved }: { saved: SettingsOf }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(saved);
  useEffect(() => setDraft(saved), [saved]);
  const save = useMutation({
    mutationFn: (body: SettingsOf) => unwrap(api.PUT('/api/v1/settings', { body })),
    onSuccess: (next, _) => {
      const before = saved;
      client.setQueryData(settings().queryKey, next);
      toast(t('The settings are saved.'), { label: t('Undo'), run: () => save.mutate(before) });
    },
    onError: (e) => toast(messageOf(e)),
  });
  const wrong = (path: string) => faultOf(save.error, path);
  return (
    <Card title={t('This workspace')} subtitle={t('For everybody who uses it; on the audit trail')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate(draft);
        }}
      >
        <TextField
          label={t('Name of your firm')}
          value={draft.name}
          onChange={(name) => setDraft({ ...draft, name })}
          fault={wrong('name')}
        />
        <TextField
          label={t('Currency of amounts that name none')}
          value={draft.currency}
          onChange={(currency) => setDraft({ ...draft, currency: currency.toUpperCase() })}
          placeholder="USD"
          hint={t(
            'Three letters. Amounts that name their currency keep it; where all of these name the same, it counts for the rest, too.',
          )}
          fault={wrong('currency')}
        />
        <Select
          label={t('Numbers and dates')}
          value={LOCALES.some(([l]) => l === draft.locale) ? draft.locale : 'en-US'}
          onChange={(locale) => setDraft({ ...draft, locale })}
          options={LOCALES.map(([l, example]) => [l as string, `${l}: ${example}`] as const)}
        />
        <p className="muted small">
          {t('Now: {{number}}, {{instant}}', { number: format('1234567.5', 'money'), instant: instant(new Date().toISOString()) })}
        </p>
        <div>
          <Button type="submit" kind="primary" need="settings.write" isDisabled={save.isPending}>
            {t('Save')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
