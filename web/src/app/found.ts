import {
  AppWindow,
  FileChartColumn,
  FileSignature,
  KeyRound,
  LayoutDashboard,
  LayoutTemplate,
  Lightbulb,
  type LucideIcon,
  MessageCircleQuestionMark,
  Sigma,
  SquareFunction,
  UserRound,
  Users,
  Zap,
} from 'lucide-react';
import type { Schemas } from '../api/client';
import { t } from '../lib/i18n';

export type Hit = Schemas['SearchHit'];

/** Something that the palette leads to or does. */
export interface Entry {
  id: string;
  label: string;
  /** The head that it stands under. */
  kind: string;
  /** Words beside the label that it is found by. */
  words: string;
  note?: string;
  icon?: LucideIcon;
  run: () => void;
}

interface Scored extends Entry {
  score: number;
}

export interface Group {
  kind: string;
  entries: Entry[];
}

/** How many a group shows while there are others, and the most in all. */
const EACH = 6;
const ALL = 40;

const kinds: Record<Hit['kind'], string> = {
  client: t('Client'),
  staff: t('Person'),
  agreement: t('Agreement'),
  product: t('Product'),
  finding: t('Finding'),
  kpi: t('KPI'),
  board: t('Dashboard'),
  template: t('Report template'),
  report: t('Report'),
  question: t('Question'),
};

/** What stands before the entries of a kind; a page has its own. */
const icons: Record<string, LucideIcon> = {
  [kinds.client]: Users,
  [kinds.staff]: UserRound,
  [kinds.agreement]: FileSignature,
  [kinds.product]: KeyRound,
  [kinds.finding]: Lightbulb,
  [kinds.kpi]: SquareFunction,
  [kinds.board]: LayoutDashboard,
  [kinds.template]: LayoutTemplate,
  [kinds.report]: FileChartColumn,
  [kinds.question]: MessageCircleQuestionMark,
  [t('Measure')]: Sigma,
  [t('Action')]: Zap,
};

export const iconOf = (e: Entry): LucideIcon => e.icon ?? icons[e.kind] ?? AppWindow;

/** Kinds whose notes say what the label says, only longer. */
const LONG: Hit['kind'][] = ['finding', 'template'];

/** Kinds of which several may be called the same. */
const BY_PAGE: Hit['kind'][] = ['board', 'kpi'];

/** The entry of a result; what the palette knows by itself has the same id. */
export function entryOf(hit: Hit, go: (to: string, more?: object) => void): Scored {
  const name = hit.kind === 'question' ? hit.path.slice('/questions/'.length) : hit.finding || hit.template || hit.report || hit.label;
  const more = {
    ...(hit.where ? { where: hit.where } : {}),
    ...(hit.finding ? { panel: { kind: 'finding', of: hit.finding } } : {}),
    ...(hit.template ? { preview: hit.template } : {}),
    ...(hit.report ? { report: hit.report } : {}),
  };
  return {
    id: `${hit.kind} ${BY_PAGE.includes(hit.kind) ? hit.path : name}`,
    label: hit.label,
    kind: kinds[hit.kind],
    words: '',
    ...(hit.note && !LONG.includes(hit.kind) ? { note: hit.note } : {}),
    score: hit.score,
    run: () => go(hit.path, more),
  };
}

/** What the palette knows by itself and fits; without a text the pages. */
export function local(entries: Entry[], text: string): Scored[] {
  const asked = text.trim().toLowerCase();
  const needles = asked.split(/\s+/).filter(Boolean);
  if (needles.length === 0) return entries.filter((e) => e.kind === t('Page')).map((e) => ({ ...e, score: 1 }));
  return entries
    .filter((e) => needles.every((n) => `${e.label} ${e.words} ${e.kind}`.toLowerCase().includes(n)))
    .map((e) => {
      const label = e.label.toLowerCase();
      return { ...e, score: label === asked ? 1 : label.startsWith(asked) ? 0.9 : label.includes(asked) ? 0.7 : 0.5 };
    });
}

/** Scores that nobody could tell apart are equal: then the order stays as it came. */
const step = (e: Scored) => Math.round(20 * e.score);

/** Both, each once, under their kinds: the kind with the best result first, and so within it. */
export function grouped(mine: Scored[], found: Scored[]): Group[] {
  const best = new Map<string, Scored>();
  for (const e of [...mine, ...found]) {
    const before = best.get(e.id);
    if (!before || e.score > before.score) best.set(e.id, e);
  }
  const groups = new Map<string, Scored[]>();
  for (const e of [...best.values()].sort((a, b) => step(b) - step(a))) {
    const group = groups.get(e.kind);
    if (group) group.push(e);
    else groups.set(e.kind, [e]);
  }
  const most = groups.size > 1 ? EACH : ALL;
  return [...groups].map(([kind, entries]) => ({ kind, entries: entries.slice(0, most) }));
}
