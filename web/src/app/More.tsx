import { Link } from '@tanstack/react-router';
import { t } from '../lib/i18n';
import { carried, useAddress } from '../lib/state';
import { allows, useRights } from '../metrics/rights';
import { Dialog } from '../ui/Dialog';
import { needOf, PLACES } from './nav';
import css from './shell.module.css';

/** Every page, for screens without room for the side bar. */
export function More({ onClose }: { onClose: () => void }) {
  const [search] = useAddress();
  const rights = useRights();
  return (
    <Dialog open onClose={onClose} title={t('All pages')}>
      <div className={css.more}>
        {PLACES.flatMap((g) => g.places)
          .filter((p) => allows(rights, needOf(p.to)))
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
