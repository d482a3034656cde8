import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Finding } from '../api/queries';
import { type Standing as Of, standings, topics } from '../api/reviews';
import { instant } from '../lib/format';
import { t } from '../lib/i18n';
import { useMay } from '../ui/may';
import { Notice } from '../ui/States';
import { useNames } from './names';

/** What people made of findings, and which kinds come last. */
export function useStandings() {
  const all = useQuery(standings()).data ?? [];
  const kinds = useQuery({ ...topics(), enabled: useMay('reviews.read') }).data ?? [];
  const of = new Map(all.map((s) => [s.subject, s]));
  return {
    of: (f: Finding): Of | undefined => of.get(f.identity),
    rejected: (f: Finding) => of.get(f.identity)?.decision?.verdict === 'rejected',
    quiet: (f: Finding) => kinds.some((k) => k.quiet && k.topic === f.kind),
  };
}

export function useJudged(): (s: Of) => string {
  const name = useNames();
  return (s) => judgedText(s, name);
}

function judgedText(s: Of, name: (actor: string) => string): string {
  const d = s.decision;
  if (!d) return '';
  const what: Record<string, string> = { accepted: t('Confirmed'), rejected: t('Rejected'), corrected: t('Corrected') };
  return t('{{what}} by {{who}} on {{at}}', { what: what[d.verdict] ?? d.verdict, who: name(d.by), at: instant(d.at) });
}

/** What a person decided on a finding, or that it waits for a decision. */
export function Standing({ f }: { f: Finding }) {
  const s = useStandings().of(f);
  const judged = useJudged();
  if (!s) return null;
  return (
    <Notice>
      {s.decision ? (
        <>
          {judged(s)}
          {s.decision.reason ? `: ${s.decision.reason}` : ''}{' '}
        </>
      ) : (
        `${t('Waits for a decision.')} `
      )}
      <Link to="/review" search={{ row: s.id, ...(s.decision ? { tab: 'decided' } : {}) } as never}>
        {t('Open under review')}
      </Link>
    </Notice>
  );
}
