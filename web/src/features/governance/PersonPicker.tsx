import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { people } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Loaded } from '../../ui/States';

/** Finds a person by a part of a name or an address; the value is the key. */
export function PersonPicker({ value, onChange }: { value: string; onChange: (key: string) => void }) {
  const [text, setText] = useState('');
  const found = useQuery(people(text));
  return (
    <div className="stack" style={{ gap: 8 }}>
      <TextField label={t('Who')} type="search" value={text} onChange={setText} placeholder={t('Name or e-mail address')} autoFocus />
      {text.trim().length > 1 ? (
        <Loaded
          query={found}
          height={40}
          isEmpty={(all) => all.length === 0}
          empty={<p className="muted small">{t('Nobody of that name is stored. Try another spelling or the e-mail address.')}</p>}
        >
          {(all) => (
            <ul className="stack" style={{ gap: 4 }} aria-label={t('Persons found')}>
              {all.map((p) => (
                <li key={p.key}>
                  <Button pressed={p.key === value} onPress={() => onChange(p.key)}>
                    {[p.names?.join(', '), p.emails?.join(', ')].filter(Boolean).join(' · ') || p.key}
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      ) : null}
    </div>
  );
}
