import { useState } from 'react';
import { faultOf } from '../../api/client';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Refused } from './Door';

export interface Person {
  email: string;
  name: string;
  password: string;
}

/** Who somebody is and the password that they choose. A given address stays. */
export function PersonForm({
  email: given,
  action,
  busy,
  error,
  named = true,
  onDone,
}: {
  email?: string;
  action: string;
  busy: boolean;
  error: unknown;
  named?: boolean;
  onDone: (person: Person) => void;
}) {
  const [email, setEmail] = useState(given ?? '');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        onDone({ email, name, password });
      }}
    >
      {given === undefined ? (
        <TextField
          label={t('E-mail address')}
          type="email"
          name="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
          fault={faultOf(error, 'email')}
        />
      ) : (
        <input type="hidden" name="email" autoComplete="username" value={given} />
      )}
      {named ? (
        <TextField label={t('Name')} name="name" autoComplete="name" value={name} onChange={setName} fault={faultOf(error, 'name')} />
      ) : null}
      <TextField
        label={named ? t('Password') : t('New password')}
        type="password"
        name="password"
        autoComplete="new-password"
        value={password}
        onChange={setPassword}
        hint={t('At least 12 characters. Three or four words make a good one; nothing else is asked of it.')}
        fault={faultOf(error, 'password')}
      />
      <Refused error={error} />
      <div>
        <Button type="submit" kind="primary" isDisabled={busy || !password || (named && !name) || !email}>
          {action}
        </Button>
      </div>
    </form>
  );
}
