import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas, unwrap } from './client';

export type SessionOf = Schemas['SessionAnswer'];
export type ProfileOf = Schemas['ProfileAnswer'];
export type Device = Schemas['DeviceAnswer'];
export type ApiKey = Schemas['KeyAnswer'];
export type User = Schemas['UserAnswer'];
export type Invitation = Schemas['InvitationAnswer'];
export type Step = Schemas['StepAnswer'];
export type LinkInfo = Schemas['LinkInfo'];
export type Standing = Schemas['StandingBody'];

/** Who asks, and what they may do. Without an answer the figures kept here are shown, so nothing waits for another try. */
export const session = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/session', { signal })),
    staleTime: 300_000,
    retry: false,
  });

export const profile = () =>
  queryOptions({ queryKey: ['own', 'profile'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/profile', { signal })), staleTime: 0 });

export const devices = () =>
  queryOptions({
    queryKey: ['own', 'devices'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/profile/sessions', { signal }))).items ?? [],
    staleTime: 0,
  });

export const ownKeys = () =>
  queryOptions({
    queryKey: ['own', 'keys'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/profile/keys', { signal }))).items ?? [],
  });

export const users = () =>
  queryOptions({
    queryKey: ['users', 'list'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/users', { signal }))).items ?? [],
    staleTime: 0,
  });

export const invitations = () =>
  queryOptions({
    queryKey: ['users', 'invitations'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/invitations', { signal }))).items ?? [],
    staleTime: 0,
  });

export const allKeys = () =>
  queryOptions({
    queryKey: ['users', 'keys'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/keys', { signal }))).items ?? [],
  });

export const roles = () =>
  queryOptions({ queryKey: ['users', 'roles'], queryFn: ({ signal }) => unwrap(api.GET('/api/v1/users/roles', { signal })) });

/** Names of the accounts behind actors of the record. */
export const accountNames = () =>
  queryOptions({
    queryKey: ['users', 'names'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/names', { signal }))).names,
  });

/** What this device kept for a person, exported files among it, must not be shown to the next. */
export async function forgetFigures(): Promise<void> {
  if ('caches' in globalThis) await Promise.all(['figures', 'files'].map((name) => caches.delete(name)));
}

/** Signs in with a passkey that the browser offers; a signal ends the waiting. */
export async function signInWithPasskey(options: { signal: AbortSignal; quietly?: boolean }): Promise<Step> {
  const asked = await unwrap(api.POST('/api/v1/session/passkey/begin'));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options as PublicKeyCredentialRequestOptionsJSON);
  const given = await navigator.credentials.get({
    publicKey,
    signal: options.signal,
    ...(options.quietly ? { mediation: 'conditional' as const } : {}),
  });
  if (!(given instanceof PublicKeyCredential)) throw new Error('no passkey');
  return unwrap(api.POST('/api/v1/session/passkey', { body: { challenge: asked.challenge, answer: given.toJSON() } }));
}

/** Makes a passkey on this device and keeps it at the account. */
export async function makePasskey(name: string): Promise<void> {
  const asked = await unwrap(api.POST('/api/v1/profile/passkeys/begin'));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options as PublicKeyCredentialCreationOptionsJSON);
  const made = await navigator.credentials.create({ publicKey });
  if (!(made instanceof PublicKeyCredential)) throw new Error('no passkey');
  await unwrap(api.POST('/api/v1/profile/passkeys', { body: { challenge: asked.challenge, name, answer: made.toJSON() } }));
}

/** Whether this browser knows passkeys at all. */
export const knowsPasskeys = (): boolean => 'PublicKeyCredential' in globalThis && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
