import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import { messageOf } from '../api/client';
import { download } from '../api/files';
import { reportTemplates } from '../api/reports';
import { t } from '../lib/i18n';
import { useView } from '../lib/state';
import { used } from '../lib/usage';
import { Button, Segmented } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Select } from '../ui/Field';
import { useMay } from '../ui/may';
import { Empty, Loaded, Notice } from '../ui/States';
import { toast } from '../ui/toast';
import { MakeReport } from './MakeReport';
import { fitting, lastFormats, rememberFormats } from './reporting';

const FORMATS = [
  ['xlsx', 'Excel (.xlsx)'],
  ['csv', 'CSV'],
  ['json', 'JSON'],
] as const;

/** What a view shows as a file: its table now, or a report now or again and again. */
export default function ExportDialog({
  url,
  formats,
  onClose,
}: {
  url: ((format: string) => string) | undefined;
  formats: readonly string[] | undefined;
  onClose: () => void;
}) {
  const mayReport = useMay('boards.read');
  const both = Boolean(url) && mayReport;
  const [part, setPart] = useState<'table' | 'report'>(() =>
    !url ? 'report' : mayReport && lastFormats().part === 'report' ? 'report' : 'table',
  );
  return (
    <Dialog open onClose={onClose} title={t('Export or schedule')} subtitle={t('The same figures as on the page, as a file.')}>
      {both ? (
        <Segmented
          label={t('What is exported')}
          value={part}
          options={[
            ['table', t('This table')],
            ['report', t('As a report')],
          ]}
          onChange={(next) => {
            setPart(next);
            rememberFormats({ part: next });
          }}
        />
      ) : null}
      {part === 'table' && url ? (
        <TablePart url={url} formats={FORMATS.filter(([id]) => formats?.includes(id) ?? true)} onClose={onClose} />
      ) : (
        <ReportPart onClose={onClose} />
      )}
    </Dialog>
  );
}

function TablePart({
  url,
  formats,
  onClose,
}: {
  url: (format: string) => string;
  formats: readonly (readonly [string, string])[];
  onClose: () => void;
}) {
  const [format, setFormat] = useState(() => {
    const last = lastFormats().table;
    return formats.some(([id]) => id === last) ? last : (formats[0]?.[0] ?? '');
  });
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const save = async () => {
    used(`export.${format}`);
    rememberFormats({ table: format });
    setBusy(true);
    setFailed(undefined);
    try {
      const name = await download(url(format));
      toast(t('{{name}} was saved. It is also under Downloads, offline too.', { name }));
      onClose();
    } catch (error) {
      setFailed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        save();
      }}
    >
      {failed ? <Notice tone="bad">{messageOf(failed)}</Notice> : null}
      <Select
        label={t('Format')}
        value={format}
        onChange={setFormat}
        options={formats}
        hint={t('All rows with exact values, and what they mean.')}
      />
      <div className="row">
        <Button kind="primary" type="submit" isDisabled={busy}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

function ReportPart({ onClose }: { onClose: () => void }) {
  const path = useLocation({ select: (l) => l.pathname });
  const { days } = useView();
  const list = useQuery(reportTemplates());
  return (
    <Loaded
      query={list}
      height={240}
      isEmpty={(x) => x.items.length === 0}
      empty={<Empty title={t('There is no report for your role')}>{t('Reports that show what you may see appear here.')}</Empty>}
    >
      {(x) => {
        const { template, client } = fitting(path, x.items);
        return <MakeReport templates={x.items} formats={x.formats} template={template} client={client} page={days} onLeave={onClose} />;
      }}
    </Loaded>
  );
}
