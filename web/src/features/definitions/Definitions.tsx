import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { catalog, type Measure } from '../../api/queries';
import { Page } from '../../app/Page';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useAddress } from '../../lib/state';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { TextField } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';

/** What every number means. */
export function Definitions() {
  const names = useQuery(catalog());
  const [search] = useAddress();
  const [text, setText] = useState('');
  const hit = (m: Measure) => `${m.name} ${m.label} ${m.formula}`.toLowerCase().includes(text.toLowerCase());
  return (
    <Page
      title={t('Definitions')}
      lead={t(
        'What every number means, how it is computed, and what it can be cut by. The same definition holds on pages, in exports, the API and the command line.',
      )}
    >
      <TextField
        label={t('Find a measure')}
        type="search"
        placeholder={t('margin, utilization, waste …')}
        value={text}
        onChange={setText}
      />
      <Loaded query={names} height={400}>
        {({ measures, dimensions }) => {
          const shown = measures.filter(hit);
          const topics = [...new Set(shown.map((m) => m.topic))];
          return (
            <>
              {topics.length === 0 ? <Empty title={t('No measure matches')}>{t('Try another word, or clear the search.')}</Empty> : null}
              {topics.map((topic) => (
                <Card key={topic} title={topic}>
                  <DataTable
                    caption={topic}
                    rows={shown.filter((m) => m.topic === topic)}
                    rowKey={(m) => m.name}
                    columns={[
                      {
                        id: 'label',
                        head: t('Measure'),
                        sort: (m) => m.label,
                        cell: (m) => (
                          <Link to="/definitions/$measure" params={{ measure: m.name }} search={carried(search) as never}>
                            {m.label}
                          </Link>
                        ),
                      },
                      { id: 'name', head: t('Name'), cell: (m) => <code>{m.name}</code> },
                      { id: 'unit', head: t('Unit'), sort: (m) => m.unit, cell: (m) => words(m.unit) },
                      {
                        id: 'formula',
                        head: t('What it is'),
                        cell: (m) => <span style={{ whiteSpace: 'normal' }}>{sentence(m.formula)}</span>,
                      },
                    ]}
                  />
                </Card>
              ))}
              {text === '' ? (
                <Card title={t('Dimensions')} subtitle={t('What measures can be cut and filtered by')}>
                  <DataTable
                    caption={t('Dimensions')}
                    rows={dimensions}
                    rowKey={(d) => d.name}
                    columns={[
                      { id: 'label', head: t('Dimension'), sort: (d) => d.label, cell: (d) => d.label },
                      { id: 'name', head: t('Name'), cell: (d) => <code>{d.name}</code> },
                      { id: 'help', head: t('What it is'), cell: (d) => <span style={{ whiteSpace: 'normal' }}>{sentence(d.help)}</span> },
                    ]}
                  />
                </Card>
              ) : null}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
