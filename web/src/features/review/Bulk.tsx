import { useState } from 'react';
import type { Review, ReviewKind } from '../../api/reviews';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import type { Answer } from './decide';
import css from './review.module.css';

/** Decides the same on all that is selected; each has its own result. */
export function Bulk({
  picked,
  kinds,
  busy,
  onDecide,
  onClear,
}: {
  picked: Review[];
  kinds: ReviewKind[];
  busy: boolean;
  onDecide: (answer: Answer) => void;
  onClear: () => void;
}) {
  const [reason, setReason] = useState('');
  const kind = picked.every((r) => r.kind === picked[0]?.kind) ? kinds.find((k) => k.name === picked[0]?.kind) : undefined;
  return (
    <section className={css.bulk} aria-label={t('What is selected')}>
      <strong>{t('{{count}} selected', { count: picked.length })}</strong>
      {kind ? (
        <>
          <TextField label={t('Why')} hideLabel placeholder={t('Why, for all of them')} value={reason} onChange={setReason} />
          {(kind.verdicts ?? []).map((v) => (
            <Button
              key={v.name}
              isDisabled={busy || (v.reason && reason.trim() === '')}
              onPress={() => onDecide({ verdict: v.name, ...(reason.trim() ? { reason: reason.trim() } : {}) })}
            >
              {v.label}
            </Button>
          ))}
        </>
      ) : (
        <span className="muted">{t('These are of several kinds: select questions of one kind to decide them at once.')}</span>
      )}
      <Button kind="quiet" onPress={onClear}>
        {t('Select none')}
      </Button>
    </section>
  );
}
