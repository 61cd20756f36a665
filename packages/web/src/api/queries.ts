/** What the pages ask for, under which cache key. Live updates write to the same keys (live/live-updates.tsx). */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import type { RunFilter } from "../live/apply-run.ts";
import { api } from "./calls.ts";
import { isFinal, isSignedOut } from "./problem.ts";

export const keys = {
  session: ["session"],
  runLists: ["runs"],
  runList: (filter: RunFilter) => ["runs", filter] as const,
  run: (id: string) => ["run", id] as const,
  waiting: ["approvals", "waiting"],
  answered: ["approvals", "all"],
  artifacts: ["artifacts"],
  ledger: ["ledger"],
  status: ["status"],
} as const;

/** No retry for 4xx: the same question gets the same answer. A 401 anywhere shows the sign-in page. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 3 && !isFinal(error),
        // 2.8 s in all: longer than a restart of the listener, shorter than somebody looks at an empty page.
        retryDelay: (failures) => 400 * 2 ** failures,
      },
    },
  });
  const watch = (error: Error | null): void => {
    if (isSignedOut(error)) onSignedOut();
  };
  client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") watch(event.action.error as Error);
  });
  client.getMutationCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") watch(event.action.error as Error);
  });
  return client;
}

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async ({ signal }) => {
    try {
      return await api.session(signal);
    } catch (error) {
      if (isSignedOut(error)) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export function runListQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: keys.runList(filter),
    queryFn: ({ pageParam, signal }) =>
      api.runs(
        {
          state: filter.states.join(","),
          workflow: filter.workflow,
          label: filter.label,
          parent: filter.parent,
          limit: 50,
          cursor: pageParam ?? undefined,
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

export function runQuery(id: string) {
  return queryOptions({ queryKey: keys.run(id), queryFn: ({ signal }) => api.run(id, signal) });
}

/** Follows itself once a minute as well: the badge stays right in a hidden tab, which has let go of its stream. */
export const waitingQuery = queryOptions({
  queryKey: keys.waiting,
  queryFn: async ({ signal }) => (await api.approvals("waiting", undefined, signal)).data,
  refetchInterval: 60_000,
  refetchIntervalInBackground: true,
});

export const answeredQuery = infiniteQueryOptions({
  queryKey: keys.answered,
  queryFn: ({ pageParam, signal }) => api.approvals("all", pageParam ?? undefined, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
});

export const artifactListQuery = infiniteQueryOptions({
  queryKey: keys.artifacts,
  queryFn: ({ pageParam, signal }) => api.artifacts({ limit: 60, cursor: pageParam ?? undefined }, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
});

export const ledgerQuery = queryOptions({
  queryKey: keys.ledger,
  queryFn: ({ signal }) => api.ledger(signal),
  refetchInterval: 5_000,
});

export function ledgerEntriesQuery(from: number, limit: number) {
  return queryOptions({
    queryKey: ["ledger", "entries", from, limit],
    queryFn: ({ signal }) => api.ledgerEntries(from, limit, signal),
  });
}

export const statusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: ({ signal }) => api.status(signal),
  refetchInterval: 15_000,
});

export const examplesQuery = queryOptions({
  queryKey: ["examples"],
  queryFn: async ({ signal }) => (await api.examples(signal)).data,
  staleTime: 60_000,
});

export const policyQuery = queryOptions({
  queryKey: ["policy"],
  queryFn: ({ signal }) => api.policy(signal),
});

export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: async ({ signal }) => (await api.config(signal)).data,
});
