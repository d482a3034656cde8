import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FileUp } from 'lucide-react';
import { useState } from 'react';
import { DropZone, FileTrigger, isDirectoryDropItem, isFileDropItem, Text } from 'react-aria-components';
import { messageOf } from '../api/client';
import { sendFile, startBatch } from '../api/upload';
import { bytes, percent } from '../lib/format';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { Notice, Progress } from '../ui/States';
import css from './metrics.module.css';

const ACCEPTED = ['.csv', '.tsv', '.txt', '.xlsx', '.xlsm', '.jsonl', '.ndjson', '.json', '.parquet', '.gz', '.zip'];
const SHOWN = '.csv, .tsv, .txt, .xlsx, .jsonl, .parquet, .gz, .zip';

/** Drop or choose files or folders; what importing them would do opens next. */
export function DropFiles() {
  const navigate = useNavigate();
  const [sent, setSent] = useState(0);
  const [files, setFiles] = useState<File[]>([]);
  const start = useMutation({
    mutationFn: async (list: File[]) => {
      const uploads = [];
      let before = 0;
      for (const file of list) {
        uploads.push(await sendFile(file, (n) => setSent(before + n)));
        before += file.size;
      }
      return startBatch(
        uploads.map((u) => ({ upload: u.id })),
        { dryRun: true },
      );
    },
    onSuccess: (batch) => navigate({ to: '/import/batch/$batch', params: { batch: batch.id } }),
  });
  const take = (list: File[]) => {
    if (list.length === 0) return;
    setFiles(list);
    setSent(0);
    start.mutate(list);
  };
  const size = files.reduce((sum, f) => sum + f.size, 0);
  return (
    <div className="stack">
      <DropZone
        className={css.drop ?? ''}
        getDropOperation={() => 'copy'}
        isDisabled={start.isPending}
        onDrop={async (e) => take(await filesOf(e.items))}
      >
        <FileUp size={28} aria-hidden="true" />
        <Text slot="label">{t('Drop files or folders here')}</Text>
        <FileTrigger allowsMultiple acceptedFileTypes={ACCEPTED} onSelect={(list) => take(list ? [...list] : [])}>
          <Button kind="primary" isDisabled={start.isPending}>
            {t('Choose files')}
          </Button>
        </FileTrigger>
        <span className="muted small">{SHOWN}</span>
        <span className="muted small">{t('Nothing is stored before you have seen what it would change.')}</span>
      </DropZone>
      {start.isPending ? (
        <div className="stack" style={{ gap: 6 }} role="status">
          <span>{t('Sending {{size}}: {{share}}', { size: bytes(size), share: percent(size ? sent / size : 1) })}</span>
          <Progress value={size ? sent / size : 1} label={t('Sent')} />
        </div>
      ) : null}
      {start.isError ? (
        <Notice tone="bad">
          {messageOf(start.error)}{' '}
          <Button kind="quiet" onPress={() => take(files)}>
            {t('Go on sending')}
          </Button>
        </Notice>
      ) : null}
    </div>
  );
}

type Items = Parameters<NonNullable<React.ComponentProps<typeof DropZone>['onDrop']>>[0]['items'];

/** The files of what was dropped, those in folders too; hidden ones are left out. */
async function filesOf(items: Iterable<Items[number]> | AsyncIterable<Items[number]>): Promise<File[]> {
  const out: File[] = [];
  for await (const item of items) {
    if (isFileDropItem(item)) out.push(await item.getFile());
    else if (isDirectoryDropItem(item)) out.push(...(await filesOf(item.getEntries())));
  }
  return out.filter((f) => !f.name.startsWith('.'));
}
