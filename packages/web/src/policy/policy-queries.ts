/** What the views of the policy ask for, under which cache key. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { policyApi } from "../api/policy-calls.ts";

export const policyKeys = {
  policy: ["policy"],
  versions: ["policy", "versions"],
  shadow: ["policy", "shadow"],
} as const;

export const versionsQuery = infiniteQueryOptions({
  queryKey: policyKeys.versions,
  queryFn: ({ pageParam, signal }) => policyApi.versions(pageParam ?? undefined, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
});

/** A version never changes. */
export function versionQuery(number: number) {
  return queryOptions({
    queryKey: [...policyKeys.versions, number],
    queryFn: ({ signal }) => policyApi.version(number, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const shadowQuery = queryOptions({
  queryKey: policyKeys.shadow,
  queryFn: ({ signal }) => policyApi.shadow(signal),
  refetchInterval: 3_000,
});

export const toolsQuery = queryOptions({
  queryKey: ["tools"],
  queryFn: ({ signal }) => policyApi.tools(signal),
  staleTime: 60_000,
});

export const schemaQuery = queryOptions({
  queryKey: ["policy", "schema"],
  queryFn: ({ signal }) => policyApi.schema(signal),
  staleTime: Number.POSITIVE_INFINITY,
});

export function stepQuery(runId: string, path: string) {
  return queryOptions({
    queryKey: ["run", runId, "step", path],
    queryFn: ({ signal }) => policyApi.step(runId, path, signal),
    staleTime: 60_000,
  });
}
