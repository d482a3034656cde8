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
  'account.erase': t('Erased a user'),
  'alert.acknowledge': t('Acknowledged an alert'),
  'alert.unacknowledge': t('Took an acknowledgment back'),
  'alert.tell': t('Told of alerts'),
  'alias.set': t('Decided what a name means'),
  'alias.part': t('Took a match of names apart'),
  'delivery.sent': t('Sent something'),
  'delivery.fail': t('Could not send something'),
  'delivery.cancel': t('Canceled a delivery'),
  'delivery.retry': t('Sent something again'),
  'destination.test': t('Tried a destination'),
  'encryption_key.create': t('Made a key that encrypts secrets'),
  'encryption_key.rewrap': t('Changed the master key'),
  'encryption_key.reseal': t('Encrypted secrets with the new key'),
  'encryption_key.retire': t('Retired a key that encrypts secrets'),
  'hold.begin': t('Began a legal hold'),
  'hold.end': t('Ended a legal hold'),
  'peers.join': t('Joined the comparison with peers'),
  'peers.leave': t('Left the comparison with peers'),
  'person.erase': t('Began to erase a person'),
  'person.erased': t('Erased a person'),
  'person.export': t('Gave out what is held of a person'),
  'push.end': t('Ended the messages to somebody\u2019s browsers'),
  'push.gone': t('Ended the messages to a browser that is gone'),
  'push.subscribe': t('Asked for messages in a browser'),
  'push.unsubscribe': t('Wanted no more messages in a browser'),
  'report.make': t('Made a report'),
  'report.receive': t('Gave a report to somebody'),
  'report.remove': t('Removed a report'),
  'report.schedule_add': t('Made a schedule of reports'),
  'report.schedule_change': t('Changed a schedule of reports'),
  'report.schedule_remove': t('Removed a schedule of reports'),
  'request.new': t('Noted what a person asked for'),
  'request.answered': t('Answered what a person asked for'),
  'retention.set': t('Changed how long data is kept'),
  'retention.reset': t('Set back how long data is kept'),
  'retention.rows': t('Removed old rows by policy'),
  'retention.private': t('Removed old personal data by policy'),
  'retention.rejects': t('Removed old rejected rows by policy'),
  'retention.reports': t('Removed old report files by policy'),
};

/** What people make and change, with its article. */
const THINGS: Record<string, string> = {
  alert_route: t('a route of alerts'),
  brand: t('the look of reports'),
  calendar: t('the calendar'),
  dashboard: t('a dashboard'),
  destination: t('a destination'),
  kpi: t('a KPI'),
  link: t('a short link'),
  report: t('a report template'),
  rule: t('a rule'),
  scenario: t('a what-if'),
  segment: t('a segment'),
  source: t('a source'),
  threshold: t('a threshold'),
  view: t('a saved view'),
  work_class: t('which work is billable'),
};

/** What people do with things, whichever they are. */
const VERBS: Record<string, string> = {
  create: 'Made {{thing}}',
  change: 'Changed {{thing}}',
  set: 'Changed {{thing}}',
  save: 'Changed {{thing}}',
  reset: 'Set {{thing}} back',
  rename: 'Renamed {{thing}}',
  remove: 'Removed {{thing}}',
  delete: 'Removed {{thing}}',
  restore: 'Brought {{thing}} back',
};

/** What was done, in words. */
export function saidAction(action: string): string {
  const known = ACTIONS[action];
  if (known) return known;
  const [noun = action, verb = ''] = action.split('.');
  const thing = THINGS[noun];
  const did = VERBS[verb];
  if (thing && did) return t(did, { thing });
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
