import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, type Schemas, unwrap } from './client';

export type Destination = Schemas['DeliveryDestination'];
export type DestinationSpec = Schemas['DeliverySpec'];
export type DestinationSettings = Schemas['DeliverySettings'];
export type Delivery = Schemas['DeliveryDelivery'];
export type Alert = Omit<Schemas['AlertAlert'], 'acknowledged'> & { acknowledged: Schemas['AlertAcknowledgement'] | null };
export type Route = Schemas['AlertRoute'];
export type RouteSpec = Schemas['AlertRouteSpec'];
export type Threshold = Schemas['AlertBody'];
export type PushDevice = Schemas['DeliverySubscription'];

export const destinations = () =>
  queryOptions({
    queryKey: ['delivery', 'destinations'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/destinations', { signal }))).items ?? [],
  });

export const DELIVERY_STATES = ['waiting', 'sent', 'failed', 'canceled'] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const deliveries = (status: DeliveryState | undefined) =>
  infiniteQueryOptions({
    queryKey: ['delivery', 'deliveries', status ?? ''],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/deliveries', {
          params: { query: { limit: 100, ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (last) => last.next,
    refetchInterval: 5_000,
  });

/** One delivery, wherever it stands in the list. */
export const delivery = (id: string) =>
  queryOptions({
    queryKey: ['delivery', 'deliveries', 'one', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/deliveries/{id}', { params: { path: { id } }, signal })),
    enabled: id !== '',
    refetchInterval: 5_000,
  });

export const alerts = (open: boolean) =>
  queryOptions({
    queryKey: ['data', 'alerts', open],
    queryFn: async ({ signal }) =>
      ((await unwrap(api.GET('/api/v1/alerts', { params: { query: { open, limit: 200 } }, signal }))).items ?? []) as Alert[],
    refetchInterval: 5_000,
  });

export const alertRoutes = () =>
  queryOptions({
    queryKey: ['data', 'alert-routes'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/alert-routes', { signal }))).items ?? [],
  });

export const saveRoute = (id: string | undefined, body: RouteSpec): Promise<Route> =>
  (id
    ? unwrap(api.PUT('/api/v1/alert-routes/{id}', { params: { path: { id } }, body }))
    : unwrap(api.POST('/api/v1/alert-routes', { body }))) as Promise<Route>;

export const pushDevices = () =>
  queryOptions({
    queryKey: ['own', 'push'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/push-subscriptions', { signal }))).items ?? [],
  });

/** Whether this browser can take messages while the app is closed. */
export const knowsPush = (): boolean => 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

/** What keeps messages from coming to this browser, for a person to read. */
export class PushRefused extends Error {}

/** Asks the user and the browser for messages, and tells the program where they go. Call it from a click. */
export async function subscribePush(device: string, say: { denied: string; none: string }): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') throw new PushRefused(say.denied);
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration) throw new PushRefused(say.none);
  const { key } = await unwrap(api.GET('/api/v1/push-key'));
  const there = await registration.pushManager.getSubscription();
  const subscription = there ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint = '', keys = {} } = subscription.toJSON();
  await unwrap(
    api.POST('/api/v1/push-subscriptions', { body: { endpoint, keys: { p256dh: keys.p256dh ?? '', auth: keys.auth ?? '' }, device } }),
  );
}

/** Ends messages on a device of one's own. */
export const unsubscribePush = (id: string) => unwrap(api.DELETE('/api/v1/push-subscriptions/{id}', { params: { path: { id } } }));
