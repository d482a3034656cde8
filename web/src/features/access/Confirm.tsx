import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, faultOf, unwrap } from '../../api/client';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Refused } from './Door';

/**
 * Runs something that changes how one signs in: at once when it was shown lately who it is,
 * otherwise after the password.
 */
export function useConfirmed(confirmed: boolean) {
  const [next, setNext] = useState<(() => void) | undefined>();
  return {
    after: (run: () => void) => (confirmed ? run() : setNext(() => run)),
    dialog: next ? <Confirm onClose={() => setNext(undefined)} onDone={next} /> : null,
  };
}

function Confirm({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const send = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/session/confirm', { body: { password } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['own'] });
      onClose();
      onDone();
    },
    onError: () => setPassword(''),
  });
  return (
    <Dialog open onClose={onClose} title={t('Is it you?')} subtitle={t('Give your password again. It holds for 15 minutes.')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          send.mutate();
        }}
      >
        <TextField
          label={t('Password')}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          fault={faultOf(send.error, 'password')}
          autoFocus
        />
        <Refused error={send.error} />
        <div>
          <Button type="submit" kind="primary" isDisabled={send.isPending || !password}>
            {t('Go on')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
