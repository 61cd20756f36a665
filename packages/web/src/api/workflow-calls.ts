/** The calls of registered workflows. */
import type { Answer } from "@homeostat/client";
import { queryOptions } from "@tanstack/react-query";
import { client } from "./calls.ts";

export type RegisteredWorkflow = Answer<"workflows.list">["data"][number];
export type WorkflowDetail = Answer<"workflows.get">;
export type AddedWorkflow = Answer<"workflows.add">;
export type NewHook = AddedWorkflow["hooks"][number];

/** Each rejects with an ApiError. */
export const workflowApi = {
  add: (workflow: string): Promise<AddedWorkflow> => client.call("workflows.add", { body: { workflow } }),
  remove: (name: string): Promise<undefined> => client.call("workflows.remove", { params: { name } }),
};

export const workflowsQuery = queryOptions({
  queryKey: ["workflows"],
  queryFn: async ({ signal }) => (await client.call("workflows.list", { signal })).data,
});

/** Without a version the newest. */
export function workflowQuery(name: string, version: number | undefined) {
  return queryOptions({
    queryKey: ["workflow", name, version ?? "newest"],
    queryFn: ({ signal }) =>
      client.call("workflows.get", {
        params: { name },
        query: version === undefined ? {} : { version },
        signal,
      }),
  });
}

/** The newest few runs of a workflow, whatever their version. */
export function lastRunsQuery(name: string, limit: number) {
  return queryOptions({
    queryKey: ["workflow-runs", name, limit],
    queryFn: async ({ signal }) =>
      (await client.call("runs.list", { query: { workflow: name, limit }, signal })).data,
    refetchInterval: 10_000,
  });
}
