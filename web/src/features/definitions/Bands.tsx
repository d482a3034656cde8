import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { definitionOf, type Threshold } from '../../api/queries';
import { shifted } from '../../lib/decimal';
import { day, format, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';

const KINDS: Record<Threshold['kind'], string> = {
  S: t('from a source'),
  A: t('assumed by this product'),
  own: t('your own'),
};

/** What values of a measure are held to be, what it needs, and what is known to be wrong with it. */
export function Bands({ measure, unit }: { measure: string; unit: string }) {
  const query = useQuery(definitionOf(measure));
  return (
    <Loaded query={query} height={200}>
      {(m) => (
        <div className="stack" style={columns(380)}>
          <Card title={t('What to mind')}>
            <p>
              {m.needs.length > 0
                ? t('Without {{tables}} it has no value: none of them is taken for zero.', { tables: m.needs.map(words).join(t(' or ')) })
                : t('It needs no table besides the rows that it is made of.')}
            </p>
            {m.caveats.length > 0 ? (
              <ul>
                {m.caveats.map((c) => (
                  <li key={c}>{sentence(c)}</li>
                ))}
              </ul>
            ) : (
              <p className="muted">{t('No gap is known.')}</p>
            )}
          </Card>
          {m.thresholds.map((x) => (
            <One key={`${x.id} ${x.changed_at ?? ''}`} threshold={x} unit={unit} />
          ))}
        </div>
      )}
    </Loaded>
  );
}

function One({ threshold: x, unit }: { threshold: Threshold; unit: string }) {
  const [edit, setEdit] = useState(false);
  return (
    <Card
      title={t('What is a good value? Advice, not truth')}
      subtitle={sentence(x.population)}
      actions={<Badge {...(x.kind === 'own' ? { tone: 'accent' as const } : {})}>{KINDS[x.kind]}</Badge>}
    >
      <DataTable
        caption={t('Bands: {{population}}', { population: x.population })}
        rows={x.bands.map((b, i) => ({ ...b, from: x.bands[i - 1]?.up_to }))}
        rowKey={(b) => `${b.from ?? ''} ${b.up_to ?? ''}`}
        columns={[
          {
            id: 'range',
            head: t('Value'),
            cell: (b) =>
              b.up_to === undefined
                ? b.from === undefined
                  ? t('any')
                  : t('from {{edge}}', { edge: format(b.from, unit) })
                : t('below {{edge}}', { edge: format(b.up_to, unit) }),
          },
          { id: 'label', head: t('Held to be'), cell: (b) => sentence(b.label) },
          {
            id: 'verdict',
            head: '',
            cell: (b) => <Badge tone={b.verdict === 'fair' ? 'warn' : b.verdict}>{words(b.verdict)}</Badge>,
          },
        ]}
      />
      <p className="muted small" style={{ marginTop: 8 }}>
        {t('{{source}}, {{date}}', { source: x.source, date: /^\d{4}-\d\d-\d\d/.test(x.date) ? day(x.date) : x.date })}
      </p>
      {edit ? (
        <Edges threshold={x} unit={unit} onDone={() => setEdit(false)} />
      ) : (
        <div className="row" style={{ marginTop: 8 }}>
          <Button need="settings.write" onPress={() => setEdit(true)}>
            {t('Set own edges …')}
          </Button>
          {x.changed_at ? <Reset id={x.id} /> : null}
        </div>
      )}
    </Card>
  );
}

function Edges({ threshold: x, unit, onDone }: { threshold: Threshold; unit: string; onDone: () => void }) {
  const client = useQueryClient();
  const places = unit === 'ratio' ? 2 : 0;
  const [texts, setTexts] = useState(() => x.bands.slice(0, -1).map((b) => shifted(b.up_to ?? '', places) ?? ''));
  const [source, setSource] = useState(x.kind === 'own' ? x.source : '');
  const edges = texts.map((text) => shifted(text, -places));
  const save = useMutation({
    mutationFn: () =>
      unwrap(
        api.PUT('/api/v1/thresholds/{id}', {
          params: { path: { id: x.id } },
          body: { edges: edges.flatMap((e) => e ?? []), ...(source.trim() ? { source: source.trim() } : {}) },
        }),
      ),
    onSuccess: async () => {
      toast(t('Your own edges hold from now on.'));
      onDone();
      await client.invalidateQueries({ queryKey: ['data'] });
    },
  });
  return (
    <form
      className="stack"
      style={{ marginTop: 8 }}
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      <div className="stack" style={columns(160)}>
        {texts.map((text, i) => (
          <TextField
            // biome-ignore lint/suspicious/noArrayIndexKey: an edge has no name but its place
            key={i}
            label={t('{{below}} ends at{{unit}}', { below: sentence(x.bands[i]?.label ?? ''), unit: places ? t(', in percent') : '' })}
            value={text}
            onChange={(next) => setTexts(texts.map((old, n) => (n === i ? next : old)))}
            fault={edges[i] === undefined ? t('This is not a number.') : undefined}
          />
        ))}
        <TextField label={t('Where they are from')} value={source} onChange={setSource} placeholder={t('our own aim')} />
      </div>
      {save.isError ? <Notice tone="bad">{messageOf(save.error)}</Notice> : null}
      <div className="row">
        <Button type="submit" kind="primary" isDisabled={save.isPending || edges.includes(undefined)}>
          {t('Save the edges')}
        </Button>
        <Button kind="quiet" onPress={onDone}>
          {t('Cancel')}
        </Button>
      </div>
    </form>
  );
}

function Reset({ id }: { id: string }) {
  const client = useQueryClient();
  const reset = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/thresholds/{id}/reset', { params: { path: { id } } })),
    onSuccess: () => toast(t('The built-in edges hold again.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data'] }),
  });
  return (
    <Button kind="quiet" need="settings.write" onPress={() => reset.mutate()} isDisabled={reset.isPending}>
      {t('Back to the built-in edges')}
    </Button>
  );
}
