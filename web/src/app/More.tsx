import { Link } from '@tanstack/react-router';
import { t } from '../lib/i18n';
import { carried, useAddress } from '../lib/state';
import { Dialog } from '../ui/Dialog';
import { usePlaces } from './nav';
import css from './shell.module.css';

/** Every page, for screens without room for the side bar. */
export function More({ onClose }: { onClose: () => void }) {
  const [search] = useAddress();
  const places = usePlaces();
  return (
    <Dialog open onClose={onClose} title={t('All pages')}>
      <div className={css.more}>
        {places
          .flatMap((g) => g.places)
          .map((p) => (
            <Link key={p.to} to={p.to} search={carried(search) as never} className={css.moreLink} onClick={onClose}>
              <p.icon size={18} aria-hidden="true" />
              {p.label}
            </Link>
          ))}
      </div>
    </Dialog>
  );
}
