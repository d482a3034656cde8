import { Download, FileChartColumn } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { type Ask, parameters } from '../api/queries';
import { t } from '../lib/i18n';
import { IconButton } from '../ui/Button';
import { useMay } from '../ui/may';

const ExportDialog = lazy(() => import('./ExportDialog'));

/** Saves the answer to a question as a file; the same figures as on the page. */
export function ExportMenu({ ask }: { ask: Ask }) {
  return <ExportButton url={(format) => `/api/v1/query/export?${new URLSearchParams({ ...parameters(ask), format })}`} />;
}

/** Opens the one dialog of exports: the file of a table where there is one, and reports. */
export function ExportButton({
  url,
  formats,
  label = t('Export'),
  report,
}: {
  url?: (format: string) => string;
  /** What the table can be saved as; everything unless said. */
  formats?: readonly string[];
  label?: string;
  /** Of a whole page: reports only. */
  report?: boolean;
}) {
  const may = useMay('figures.export');
  const [open, setOpen] = useState(false);
  if (!may) return null;
  return (
    <>
      <IconButton label={label} onPress={() => setOpen(true)}>
        {report ? <FileChartColumn size={16} /> : <Download size={16} />}
      </IconButton>
      {open ? (
        <Suspense>
          <ExportDialog url={url} formats={formats} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
