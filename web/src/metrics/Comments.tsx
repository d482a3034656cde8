import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useId, useState } from 'react';
import { api, messageOf, unwrap } from '../api/client';
import { type Comment, comments, type On, people } from '../api/reviews';
import { instant } from '../lib/format';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { Loaded } from '../ui/States';
import { toast } from '../ui/toast';
import css from './comments.module.css';

/** What was said on something, and a field to say more; @name tells somebody. */
export function Comments({ on }: { on: On }) {
  const list = useQuery(comments(on));
  const client = useQueryClient();
  const done = () => client.invalidateQueries({ queryKey: ['data', 'comments'] });
  const add = useMutation({
    mutationFn: (text: string) => unwrap(api.POST('/api/v1/comments', { body: { ...on, text } })),
    onSuccess: done,
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <section aria-label={t('Comments')} className={css.thread}>
      <Loaded query={list} height={60}>
        {(all) => (
          <>
            {all.length === 0 ? <p className="muted small">{t('Nothing was said yet. @name tells somebody.')}</p> : null}
            <ul>
              {all.map((c) => (
                <li key={c.id}>
                  <One c={c} onDone={done} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      <Write label={t('Say something')} busy={add.isPending} onSend={(text) => add.mutateAsync(text).then(() => undefined)} />
    </section>
  );
}

function One({ c, onDone }: { c: Comment; onDone: () => void }) {
  const [editing, setEditing] = useState(false);
  const edit = useMutation({
    mutationFn: (text: string) => unwrap(api.PUT('/api/v1/comments/{id}', { params: { path: { id: c.id } }, body: { text } })),
    onSuccess: () => {
      setEditing(false);
      onDone();
    },
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/comments/{id}', { params: { path: { id: c.id } } })),
    onError: (e) => toast(messageOf(e)),
    onSettled: onDone,
  });
  if (editing) {
    return (
      <Write
        label={t('Change the comment')}
        start={c.text}
        busy={edit.isPending}
        onSend={(text) => edit.mutateAsync(text).then(() => undefined)}
        onCancel={() => setEditing(false)}
      />
    );
  }
  return (
    <>
      <p className="small">
        <strong>{c.name}</strong>{' '}
        <span className="muted">
          {instant(c.created_at)}
          {c.edited_at ? ` · ${t('changed')}` : ''}
        </span>
      </p>
      <p className={css.text}>{c.text}</p>
      {c.editable_until ? (
        <p className={css.own}>
          <Button kind="quiet" onPress={() => setEditing(true)}>
            {t('Change')}
          </Button>
          <Button kind="quiet" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
            {t('Delete')}
          </Button>
        </p>
      ) : null}
    </>
  );
}

/** A field with those whose name is begun after an @; Ctrl Enter sends. */
function Write({
  label,
  start = '',
  busy,
  onSend,
  onCancel,
}: {
  label: string;
  start?: string;
  busy: boolean;
  onSend: (text: string) => Promise<void>;
  onCancel?: () => void;
}) {
  const id = useId();
  const [text, setText] = useState(start);
  const begun = /(?:^|\s)@([\p{L}\p{N}_.-]*)$/u.exec(text)?.[1];
  const all = useQuery({ ...people(), enabled: begun !== undefined }).data ?? [];
  const fits = begun === undefined ? [] : all.filter((p) => p.handle.startsWith(begun.toLowerCase()) && p.handle !== begun).slice(0, 5);
  const send = () => {
    if (!busy && text.trim() !== '')
      onSend(text.trim()).then(
        () => setText(''),
        () => {},
      );
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      send();
    }
    if (e.key === 'Escape' && onCancel) onCancel();
  };
  return (
    <div className={css.write}>
      <label htmlFor={id} className="sr">
        {label}
      </label>
      <textarea id={id} rows={2} value={text} placeholder={label} onChange={(e) => setText(e.target.value)} onKeyDown={onKey} />
      {fits.length > 0 ? (
        <ul className={css.people} aria-label={t('People')}>
          {fits.map((p) => (
            <li key={p.actor}>
              <Button kind="quiet" onPress={() => setText(text.replace(/@[\p{L}\p{N}_.-]*$/u, `@${p.handle} `))}>
                {p.name}
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
      <div className="row">
        <Button isDisabled={busy || text.trim() === ''} onPress={send}>
          {t('Comment')}
        </Button>
        {onCancel ? (
          <Button kind="quiet" onPress={onCancel}>
            {t('Cancel')}
          </Button>
        ) : null}
      </div>
    </div>
  );
}
