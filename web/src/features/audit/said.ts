import type { AuditEntry } from '../../api/queries';
import { t } from '../../lib/i18n';

/** Actions as a person would tell them; others are told by their own words. */
const ACTIONS: Record<string, string> = {
  'import.commit': t('Imported a file'),
  'import.undo': t('Took an import back'),
  'snapshot.rollback': t('Went back to a snapshot'),
  'month.close': t('Closed a month'),
  'month.reopen': t('Opened a month again'),
  'review.propose': t('Asked for a decision'),
  'review.decide': t('Decided'),
  'review.reopen': t('Took a decision back'),
  'mapping.save': t('Kept how a file is read'),
  'mapping.forget': t('Forgot how a file is read'),
  'settings.change': t('Changed the settings'),
  'source.change': t('Changed a source'),
  'audit.key': t('Made the key that signs checkpoints'),
  'audit.retention': t('Changed how long entries keep their content'),
  'audit.retain': t('Removed old contents by policy'),
  'review.assign': t('Gave a decision to somebody'),
  'review.first': t('Decided as the first of two'),
  'review.expire': t('Nobody decided in time'),
  'review.escalate': t('A decision became overdue'),
  'review.terms': t('Changed the terms of decisions'),
  'review.reset': t('Made a kind of question insistent again'),
  'comment.add': t('Wrote a comment'),
  'comment.edit': t('Changed a comment'),
  'comment.delete': t('Removed a comment'),
  'account.set_up': t('Made the first account'),
  'account.invite': t('Invited somebody'),
  'account.invite_end': t('Ended an invitation'),
  'account.join': t('Accepted an invitation'),
  'account.change': t('Changed a user'),
  'account.rename': t('Changed the own name'),
  'account.password': t('Changed a password'),
  'account.passkey_add': t('Added a passkey'),
  'account.passkey_remove': t('Removed a passkey'),
  'account.totp_on': t('Set up an authenticator app'),
  'account.totp_off': t('Removed an authenticator app'),
  'account.recovery_codes': t('Made recovery codes'),
  'account.reset_link': t('Gave a link to set a new password'),
  'account.sign_in_link': t('Gave a link to sign in'),
  'session.confirm': t('Gave the password again'),
  'session.end_others': t('Signed out everywhere else'),
  'review.disagree': t('Disagreed with the first decision'),
  'policy.view_as': t('Looked as another role'),
  'policy.view_end': t('Ended the look as another role'),
  'account.leave': t('Took a user out'),
  'session.begin': t('Signed in'),
  'session.end': t('Signed out'),
  'session.end_all': t('Signed somebody out everywhere'),
  'session.refuse': t('A sign-in was refused'),
  'session.switch': t('Switched to another tenant'),
  'key.create': t('Made an API key'),
  'key.end': t('Ended an API key'),
  'policy.propose': t('Proposed a change of policies'),
  'policy.apply': t('Changed roles or policies'),
  'policy.reject': t('Rejected a change of policies'),
  'read.pay': t('Looked at pay'),
  'read.cost': t('Looked at cost'),
  'read.margin': t('Looked at margins'),
  'read.personal': t('Looked at personal data'),
};

/** What was done, in words. */
export function saidAction(action: string): string {
  const known = ACTIONS[action];
  if (known) return known;
  const [noun = action, verb = ''] = action.split('.');
  const text = `${noun} ${verb}`.replaceAll(/[_-]/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an entry says, in words. */
export function said(e: AuditEntry): string {
  return e.removed_by ? t('Removed by policy, see entry {{entry}}', { entry: e.removed_by }) : saidAction(e.action);
}

/** Where the actor acted from. */
export function saidSource(e: AuditEntry): string {
  if (e.source) return e.source;
  if (e.actor.startsWith('cli:')) return t('this machine');
  if (e.actor.startsWith('job:')) return t('the program itself');
  return '—';
}

export interface Change {
  field: string;
  before: string;
  after: string;
}

type Plain = Record<string, unknown>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  if (value === undefined || value === null || value === '') return '—';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** What was and what is, by field; only the fields that differ. And the rest of the detail. */
export function changes(detail: unknown): { changed: Change[]; rest: [string, string][] } {
  if (!isPlain(detail)) return { changed: [], rest: detail === null || detail === undefined ? [] : [['', text(detail)]] };
  const { before, after, ...others } = detail;
  const rest = Object.entries(others).map(([k, v]): [string, string] => [k, text(v)]);
  if (before === undefined && after === undefined) return { changed: [], rest };
  const was = isPlain(before) ? before : undefined;
  const is = isPlain(after) ? after : undefined;
  if (!was && !is) return { changed: [{ field: '', before: text(before), after: text(after) }], rest };
  const fields = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])].sort();
  return {
    changed: fields.map((field) => ({ field, before: text(was?.[field]), after: text(is?.[field]) })).filter((c) => c.before !== c.after),
    rest,
  };
}

/** The groups that a list of actions falls into, each with its beginning. */
export function groups(actions: readonly string[]): string[] {
  return [...new Set(actions.map((a) => `${a.split('.')[0] ?? a}.`))].sort();
}
