/** What the pages for operations ask for. What has no stream of its own is asked again every few seconds while it is looked at. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "./calls.ts";
import { operationsApi, type DeadLetterFilter } from "./operations-calls.ts";
import { keys } from "./queries.ts";

export const operationKeys = {
  workers: ["workers"],
  limits: ["limits"],
  secrets: ["secrets"],
  apiKeys: ["api-keys"],
  schedules: ["schedules"],
  workflows: ["workflows"],
  /** Everything below it is asked for again when a run changes (live/live-updates.tsx). */
  queue: ["queue"],
  queuedRuns: ["queue", "runs"],
  deadLetters: (filter: DeadLetterFilter) => ["queue", "dead", filter] as const,
} as const;

/** A supervision tree changes within seconds; the query stops when the page is left or hidden. */
const liveMs = 2_000;

export const liveStatusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: ({ signal }) => api.status(signal),
  refetchInterval: liveMs,
});

export const workersQuery = queryOptions({
  queryKey: operationKeys.workers,
  queryFn: ({ signal }) => operationsApi.workers(signal),
  refetchInterval: liveMs,
});

export const limitsQuery = queryOptions({
  queryKey: operationKeys.limits,
  queryFn: ({ signal }) => operationsApi.limits(signal),
  refetchInterval: liveMs,
});

export const secretsQuery = queryOptions({
  queryKey: operationKeys.secrets,
  queryFn: ({ signal }) => operationsApi.secrets(signal),
});

export const apiKeysQuery = queryOptions({
  queryKey: operationKeys.apiKeys,
  queryFn: ({ signal }) => operationsApi.apiKeys(signal),
});

/** Also asked for again with every change of a run; the interval shows how waits grow and leases end. */
export const queueQuery = queryOptions({
  queryKey: [...operationKeys.queue, "levels"],
  queryFn: ({ signal }) => operationsApi.queue(signal),
  refetchInterval: 5_000,
});

export const queuedRunsQuery = queryOptions({
  queryKey: operationKeys.queuedRuns,
  queryFn: ({ signal }) =>
    operationsApi.runsIn(["PENDING", "QUEUED", "RETRYING", "RUNNING", "WAITING"], signal),
});

export function deadLettersQuery(filter: DeadLetterFilter) {
  return infiniteQueryOptions({
    queryKey: operationKeys.deadLetters(filter),
    queryFn: ({ pageParam, signal }) =>
      operationsApi.deadLetters({ ...filter, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

export function deadLetterQuery(id: string) {
  return queryOptions({
    // Apart from the queue's lists: once it is settled there is no such letter to ask for again.
    queryKey: ["dead-letter", id],
    queryFn: ({ signal }) => operationsApi.deadLetter(id, signal),
  });
}

export const schedulesQuery = infiniteQueryOptions({
  queryKey: operationKeys.schedules,
  queryFn: ({ pageParam, signal }) => operationsApi.schedules(pageParam ?? undefined, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
  refetchInterval: 15_000,
});

export function scheduleQuery(name: string) {
  return queryOptions({
    queryKey: [...operationKeys.schedules, "one", name],
    queryFn: ({ signal }) => operationsApi.schedule(name, signal),
    refetchInterval: 15_000,
  });
}

export function scheduleRunsQuery(name: string) {
  return infiniteQueryOptions({
    queryKey: [...operationKeys.schedules, "runs", name],
    queryFn: ({ pageParam, signal }) => operationsApi.scheduleRuns(name, pageParam ?? undefined, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

export const workflowsQuery = queryOptions({
  queryKey: operationKeys.workflows,
  queryFn: ({ signal }) => operationsApi.workflows(signal),
});

export function workflowQuery(name: string) {
  return queryOptions({
    queryKey: [...operationKeys.workflows, name],
    queryFn: ({ signal }) => operationsApi.workflow(name, signal),
  });
}
