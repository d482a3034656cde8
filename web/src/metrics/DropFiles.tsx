import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FileUp } from 'lucide-react';
import { useState } from 'react';
import { DropZone, FileTrigger, Text } from 'react-aria-components';
import { messageOf } from '../api/client';
import { type ImportAnswer, importFiles } from '../api/upload';
import { bytes, percent } from '../lib/format';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { Notice, Progress } from '../ui/States';
import { toast } from '../ui/toast';
import css from './metrics.module.css';

const ACCEPTED = ['.csv', '.tsv', '.txt', '.xlsx', '.gz', '.zip'];

/** Drop or choose files; afterwards the page of what became of them opens. */
export function DropFiles({ onDone }: { onDone?: (answer: ImportAnswer) => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [sent, setSent] = useState(0);
  const [files, setFiles] = useState<File[]>([]);
  const send = useMutation({
    mutationFn: (list: File[]) => importFiles(list, setSent),
    onSuccess: (answer) => {
      client.invalidateQueries({ queryKey: ['data'] });
      onDone?.(answer);
      const only = answer.results?.length === 1 ? answer.results[0] : undefined;
      if (answer.problem) toast(answer.problem.detail);
      else if (only?.import_id) navigate({ to: '/import/$id', params: { id: String(only.import_id) } });
      else if (!onDone) navigate({ to: '/import' });
    },
  });
  const take = (list: File[]) => {
    if (list.length === 0) return;
    setFiles(list);
    setSent(0);
    send.mutate(list);
  };
  const size = files.reduce((sum, f) => sum + f.size, 0);
  return (
    <div className="stack">
      <DropZone
        className={css.drop ?? ''}
        getDropOperation={() => 'copy'}
        isDisabled={send.isPending}
        onDrop={async (e) => {
          const list: File[] = [];
          for (const item of e.items) if (item.kind === 'file') list.push(await item.getFile());
          take(list);
        }}
      >
        <FileUp size={28} aria-hidden="true" />
        <Text slot="label">{t('Drop files here')}</Text>
        <FileTrigger allowsMultiple acceptedFileTypes={ACCEPTED} onSelect={(list) => take(list ? [...list] : [])}>
          <Button kind="primary" isDisabled={send.isPending}>
            {t('Choose files')}
          </Button>
        </FileTrigger>
        <span className="muted small">{ACCEPTED.join(', ')}</span>
      </DropZone>
      {send.isPending ? (
        <div className="stack" style={{ gap: 6 }} role="status">
          <span>
            {sent < 1
              ? t('Sending {{size}}: {{share}}', { size: bytes(size), share: percent(sent) })
              : t('Reading, checking and storing {{count}} files', { count: files.length })}
          </span>
          <Progress value={sent} label={t('Sent')} />
        </div>
      ) : null}
      {send.isError ? <Notice tone="bad">{messageOf(send.error)}</Notice> : null}
    </div>
  );
}
