import { useQuery } from '@tanstack/react-query';
import {
  BellRing,
  BookCheck,
  BookOpen,
  Camera,
  ChartNoAxesCombined,
  ChartSpline,
  CircleHelp,
  Clock,
  Download,
  FileChartColumn,
  FileSignature,
  FolderSync,
  Gauge,
  House,
  KeyRound,
  LayoutDashboard,
  Link2,
  ListChecks,
  type LucideIcon,
  MessageCircleQuestionMark,
  MessageSquareHeart,
  Receipt,
  Ruler,
  ScrollText,
  Search,
  Send,
  Settings,
  ShieldCheck,
  ShieldUser,
  Shuffle,
  SquareFunction,
  Ticket,
  TriangleAlert,
  Upload,
  UserLock,
  UserRound,
  Users,
  UsersRound,
  Wallet,
} from 'lucide-react';
import { session } from '../api/accounts';
import { t } from '../lib/i18n';
import { allows, useRights } from '../metrics/rights';

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Words that the palette finds it by. */
  words?: string;
  /** Whether the global period and filter bar matters there. */
  filtered?: boolean;
  /** Whether only its period does. */
  timed?: boolean;
  /** The action without which it shows nothing; reading figures unless said. */
  need?: string;
  /** Whether it is for those who are signed in with an account. */
  account?: boolean;
}

export const PLACES: { head: string; places: Place[] }[] = [
  {
    head: t('Business'),
    places: [
      { to: '/', label: t('Overview'), icon: House, words: 'home findings', filtered: true },
      { to: '/questions', label: t('Questions'), icon: MessageCircleQuestionMark, words: 'ask answers standing', timed: true },
      { to: '/clients', label: t('Clients'), icon: Users, words: 'profit margin ranking losing money probability', filtered: true },
      { to: '/agreements', label: t('Agreements'), icon: FileSignature, words: 'contracts reprice mrr', filtered: true },
      { to: '/licenses', label: t('Licenses'), icon: KeyRound, words: 'waste seats reclaim calendar', filtered: true },
      { to: '/team', label: t('Team'), icon: Clock, words: 'utilization capacity staff hours', filtered: true },
      { to: '/service', label: t('Service'), icon: Ticket, words: 'tickets sla satisfaction', filtered: true },
      { to: '/cash', label: t('Cash'), icon: Wallet, words: 'receivables dso payments', filtered: true },
      { to: '/spend', label: t('Spend'), icon: Receipt, words: 'vendors expenses cost', filtered: true },
      {
        to: '/risk',
        label: t('Risk'),
        icon: TriangleAlert,
        words: 'concentration late payment dependence project overrun budget burn',
        filtered: true,
      },
      { to: '/books', label: t('Books'), icon: BookCheck, words: 'reconcile ledger payroll psa ties differ accounting', timed: true },
    ],
  },
  {
    head: t('Analyze'),
    places: [
      { to: '/explore', label: t('Explore'), icon: Search, words: 'pivot query cut', filtered: true },
      { to: '/trends', label: t('Trends'), icon: ChartSpline, words: 'season anomalies correlation change point unusual', filtered: true },
      { to: '/benchmarks', label: t('Benchmarks'), icon: Ruler, words: 'peers bands compare industry percentile privacy', filtered: true },
      {
        to: '/scenarios',
        label: t('What if'),
        icon: Shuffle,
        words: 'scenario price levers churn hire break even plan',
        timed: true,
        need: 'boards.read',
      },
      {
        to: '/kpis',
        label: t('KPIs & rules'),
        icon: SquareFunction,
        words: 'formula own measures segments fiscal calendar alerts',
        need: 'boards.read',
      },
      {
        to: '/reports',
        label: t('Reports'),
        icon: FileChartColumn,
        words: 'pdf excel powerpoint templates schedules send files qbr business review brand logo',
        need: 'figures.read',
      },
      {
        to: '/alerts',
        label: t('Alerts'),
        icon: BellRing,
        words: 'notify threshold routes quiet hours acknowledge push e-mail',
        need: 'boards.read',
      },
      { to: '/dashboards', label: t('Dashboards'), icon: LayoutDashboard, words: 'boards tiles wall', need: 'boards.read' },
    ],
  },
  {
    head: t('Data'),
    places: [
      { to: '/import', label: t('Import'), icon: Upload, words: 'upload files csv excel rejects', need: 'data.import' },
      {
        to: '/sources',
        label: t('Sources'),
        icon: FolderSync,
        words: 'schedule automatic watched folder sftp s3 mail quarantine',
        need: 'data.read',
      },
      {
        to: '/matching',
        label: t('Matching'),
        icon: Link2,
        words: 'review names duplicates clients same different aliases',
        need: 'reviews.read',
      },
      {
        to: '/review',
        label: t('Review'),
        icon: ListChecks,
        words: 'queue decide approve reject proposals comments due assigned',
        need: 'reviews.read',
      },
      { to: '/quality', label: t('Data quality'), icon: ShieldCheck, words: 'score completeness what to fix first', need: 'data.read' },
      { to: '/snapshots', label: t('Snapshots'), icon: Camera, words: 'history roll back versions', need: 'boards.read' },
      {
        to: '/governance',
        label: t('Governance'),
        icon: UserLock,
        words: 'personal data privacy gdpr erase retention legal hold requests inventory',
        need: 'governance.manage',
      },
      { to: '/definitions', label: t('Definitions'), icon: BookOpen, words: 'measures catalog formula dimensions' },
      {
        to: '/audit',
        label: t('Audit record'),
        icon: ScrollText,
        words: 'who did what when log chain verify checkpoint history security',
        need: 'audit.read',
      },
      { to: '/system', label: t('System'), icon: Gauge, words: 'health storage jobs cache version', need: 'system.read' },
    ],
  },
  {
    head: t('More'),
    places: [
      { to: '/files', label: t('Downloads'), icon: Download, words: 'exports offline files' },
      { to: '/feedback', label: t('Feedback'), icon: MessageSquareHeart, words: 'nps comment adoption' },
      {
        to: '/users',
        label: t('Users'),
        icon: UsersRound,
        words: 'accounts invite roles api keys sign in owner',
        need: 'accounts.manage',
      },
      { to: '/profile', label: t('Profile'), icon: UserRound, words: 'password passkey devices sign out me', account: true },
      {
        to: '/destinations',
        label: t('Destinations'),
        icon: Send,
        words: 'deliveries e-mail smtp server folder bucket s3 webhook send outbox',
        need: 'destinations.manage',
      },
      { to: '/settings', label: t('Settings'), icon: Settings, words: 'theme currency dark density' },
      {
        to: '/policies',
        label: t('Roles & policies'),
        icon: ShieldUser,
        words: 'rights permissions access denied cedar view as who may',
        need: 'policies.manage',
      },
      { to: '/help', label: t('Help'), icon: CircleHelp, words: 'keyboard shortcuts guide' },
    ],
  },
];

/** The places that whoever looks may use. */
export function usePlaces(): typeof PLACES {
  const rights = useRights();
  const account = Boolean(useQuery(session()).data?.account);
  const may = (p: Place) => allows(rights, needOf(p.to)) && (!p.account || account);
  return PLACES.map((g) => ({ ...g, places: g.places.filter(may) })).filter((g) => g.places.length > 0);
}

export const chartIcon = ChartNoAxesCombined;

/** The action that a page needs, "" when anybody may open it. */
export function needOf(path: string): string {
  const place = PLACES.flatMap((g) => g.places).find((p) => leads(p.to, path));
  if (!place) return '';
  return place.need ?? (ANYBODY.includes(place.to) ? '' : 'figures.read');
}

/** Pages that show no figures. */
const ANYBODY = ['/settings', '/help', '/files'];

const leads = (to: string, path: string) => (to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`));

/** Whether the period and the filter matter on a page. */
export function isFiltered(path: string): boolean {
  return PLACES.some((g) => g.places.some((p) => p.filtered && leads(p.to, path)));
}

/** Whether the period does. */
export function isTimed(path: string): boolean {
  return PLACES.some((g) => g.places.some((p) => (p.filtered || p.timed) && leads(p.to, path)));
}
