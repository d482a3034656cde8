import { queryOptions } from '@tanstack/react-query';
import { api, type Schemas, unwrap } from './client';

export type Review = Schemas['ReviewAnswer'];
export type ReviewKind = Schemas['ReviewKind'];
export type Verdict = Schemas['ReviewVerdict'];
export type Decision = Schemas['ReviewDecision'];
export type Effect = Schemas['ReviewEffect'];
export type Comment = Schemas['ReviewComment'];
export type Standing = Schemas['ReviewProposal'];
export type NoticeOf = Schemas['NoticeNotice'];

export type ReviewStatus = 'open' | 'decided' | 'withdrawn' | 'expired';

/** Which questions are meant. */
export interface ReviewFilter {
  status: ReviewStatus;
  kinds: string[];
  mine: boolean;
  overdue: boolean;
}

/** What people have to decide, in the order of its priority, or have decided. */
export const reviews = (f: ReviewFilter) =>
  queryOptions({
    queryKey: ['data', 'reviews', f],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET('/api/v1/reviews', {
            params: {
              query: {
                status: f.status,
                limit: 500,
                mine: f.mine,
                overdue: f.overdue,
                ...(f.kinds.length > 0 ? { kind: [f.kinds.join(',')] } : {}),
              },
            },
            signal,
          }),
        )
      ).items ?? [],
  });

const NAMES = ['client_match', 'staff_match', 'product_match'];

/** A question about what a name means. */
export type NameReview = Review & { evidence: NonNullable<Review['evidence']> };

/** Questions about names only. */
export const nameReviews = (status: ReviewStatus) => {
  const of = reviews({ status, kinds: NAMES, mine: false, overdue: false });
  return queryOptions({
    ...of,
    select: (all: Review[]): NameReview[] => all.flatMap((r) => (r.evidence ? [{ ...r, evidence: r.evidence }] : [])),
  });
};

/** How many open questions there are, by kind. */
export const openReviews = () =>
  queryOptions({
    queryKey: ['data', 'reviews', 'count'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/v1/reviews/count', { signal })),
  });

/** The kinds of questions, with their verdicts and terms. */
export const reviewKinds = () =>
  queryOptions({
    queryKey: ['data', 'reviews', 'kinds'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/reviews/kinds', { signal }))).items ?? [],
  });

/** What was rejected how often in a row. */
export const topics = () =>
  queryOptions({
    queryKey: ['data', 'reviews', 'topics'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/reviews/topics', { signal }))).items ?? [],
  });

/** What people made of findings. */
export const standings = () =>
  queryOptions({
    queryKey: ['data', 'reviews', 'standings'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/reviews/standings', { signal }))).items ?? [],
  });

/** Who can be mentioned and given decisions. */
export const people = () =>
  queryOptions({
    queryKey: ['data', 'people'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/reviews/people', { signal }))).items ?? [],
  });

/** What a decision would change; not asked anew when figures are, since it may be made then. */
export const preview = (id: string, verdict: string, choice: string) =>
  queryOptions({
    queryKey: ['preview', id, verdict, choice],
    gcTime: 0,
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/v1/reviews/{id}/preview', {
          params: { path: { id }, query: { verdict, ...(choice ? { choice } : {}) } },
          signal,
        }),
      ),
    retry: false,
  });

/** What comments stand on. */
export type On = Omit<Schemas['NewComment'], 'text'>;

export const comments = (on: On) =>
  queryOptions({
    queryKey: ['data', 'comments', on],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/comments', { params: { query: on }, signal }))).items ?? [],
  });

/** What needs a person. */
export const notices = (unread: boolean) =>
  queryOptions({
    queryKey: ['data', 'notices', unread],
    queryFn: async ({ signal }) =>
      (await unwrap(api.GET('/api/v1/notices', { params: { query: { unread, limit: 100 } }, signal }))).items ?? [],
  });

export const noticeCount = () =>
  queryOptions({
    queryKey: ['data', 'notices', 'count'],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/v1/notices/count', { signal }))).unread,
  });
