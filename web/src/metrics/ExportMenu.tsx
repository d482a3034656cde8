import { Download } from 'lucide-react';
import { messageOf } from '../api/client';
import { download } from '../api/files';
import { type Ask, parameters } from '../api/queries';
import { t } from '../lib/i18n';
import { used } from '../lib/usage';
import { IconButton } from '../ui/Button';
import { Menu } from '../ui/Menu';
import { useMay } from '../ui/may';
import { toast } from '../ui/toast';

const FORMATS = [
  ['xlsx', 'Excel (.xlsx)'],
  ['csv', 'CSV'],
  ['json', 'JSON'],
] as const;

/** Saves the answer to a question as a file; the same figures as on the page. */
export function ExportMenu({ ask }: { ask: Ask }) {
  const may = useMay('figures.export');
  const save = (format: string) => {
    used(`export.${format}`);
    return download(`/api/v1/query/export?${new URLSearchParams({ ...parameters(ask), format })}`)
      .then((name) => toast(t('{{name}} was saved. It is also under Downloads, offline too.', { name })))
      .catch((error) => toast(messageOf(error)));
  };
  if (!may) return null;
  return (
    <Menu
      label={t('Export')}
      trigger={
        <IconButton label={t('Export')}>
          <Download size={16} />
        </IconButton>
      }
      sections={[{ head: t('Export as'), actions: FORMATS.map(([id, label]) => ({ id, label, onAction: () => save(id) })) }]}
    />
  );
}
