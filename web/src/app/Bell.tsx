import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Bell as BellIcon } from 'lucide-react';
import { api, messageOf, unwrap } from '../api/client';
import { type NoticeOf, noticeCount, notices } from '../api/reviews';
import { instant } from '../lib/format';
import { t } from '../lib/i18n';
import { useNamed } from '../metrics/names';
import { Button } from '../ui/Button';
import { PopoverButton } from '../ui/PopoverButton';
import { Loaded } from '../ui/States';
import { toast } from '../ui/toast';
import css from './bell.module.css';

/** How many notices wait, and the notices. */
export function Bell() {
  const count = useQuery({ ...noticeCount(), refetchInterval: 60_000 }).data ?? 0;
  const label = count === 0 ? t('Notices') : t('Notices: {{count}} not read', { count });
  return (
    <PopoverButton
      label={t('Notices')}
      trigger={
        <Button kind="quiet" aria-label={label}>
          <span className={css.bell}>
            <BellIcon size={18} aria-hidden="true" />
            {count > 0 ? <span className={css.count}>{count > 99 ? '99+' : count}</span> : null}
          </span>
        </Button>
      }
    >
      {(close) => <List onGo={close} />}
    </PopoverButton>
  );
}

function List({ onGo }: { onGo: () => void }) {
  const list = useQuery(notices(false));
  const named = useNamed();
  const client = useQueryClient();
  const navigate = useNavigate();
  const done = () => client.invalidateQueries({ queryKey: ['data', 'notices'] });
  const read = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/notices/{id}/read', { params: { path: { id } } })),
    onSettled: done,
  });
  const all = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/notices/read')),
    onError: (e) => toast(messageOf(e)),
    onSettled: done,
  });
  const open = (n: NoticeOf) => {
    if (!n.read_at) read.mutate(n.id);
    onGo();
    if (n.link) navigate({ href: n.link });
  };
  return (
    <div className={css.list}>
      <div className="spread">
        <h2>{t('Notices')}</h2>
        <Button kind="quiet" isDisabled={all.isPending || (list.data ?? []).every((n) => n.read_at)} onPress={() => all.mutate()}>
          {t('All read')}
        </Button>
      </div>
      <Loaded
        query={list}
        height={80}
        isEmpty={(x) => x.length === 0}
        empty={<p className="muted">{t('Nothing needs you. Mentions, decisions of yours, and what became overdue come here.')}</p>}
      >
        {(x) => (
          <ul>
            {x.map((n) => (
              <li key={n.id}>
                <button type="button" onClick={() => open(n)} data-unread={n.read_at ? undefined : true}>
                  <span>{named(n.message)}</span>
                  <span className="muted small">
                    {instant(n.created_at)}
                    {n.read_at ? '' : ` · ${t('new')}`}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </div>
  );
}
