/** The calls that make runs from runs, speak to them, command many, compare two and draw them. */
import type { Answer } from "@homeostat/client";
import type { JsonValue, Operations, RunSummary, StepView, WorkflowGraph } from "@homeostat/client/api";
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, randomKey } from "./calls.ts";

export type { WorkflowGraph };
export type RerunBody = Operations["runs.rerun"]["body"];
export type RerunAnswer = Answer<"runs.rerun">;
export type RepeatedEffect = RerunAnswer["repeats"][number];
export type BulkBody = Operations["runs.bulk"]["body"];
export type BulkAnswer = Answer<"runs.bulk">;
export type BulkAction = BulkBody["action"];
export type RunDiff = Answer<"runs.diff">;
export type StepSignal = NonNullable<StepView["signal"]>;

/** What a new run is made from: again from a step (none: everything), or on from an event (none: the newest). */
export type NewRunPoint =
  | { readonly kind: "rerun"; readonly fromStep: string | undefined }
  | { readonly kind: "fork"; readonly seq: number | undefined };

export type Changes = Pick<RerunBody, "inputs" | "stepArguments" | "confirm" | "dryRun">;

/** Each rejects with an ApiError. */
export const runApi = {
  /** With `dryRun` nothing is made: the answer says what would be kept and repeated. */
  runAgain: (
    id: string,
    point: NewRunPoint,
    changes: Changes,
    signal?: AbortSignal,
  ): Promise<RerunAnswer> => {
    const own = changes.dryRun === true ? {} : { idempotencyKey: randomKey() };
    return point.kind === "rerun"
      ? client.call("runs.rerun", {
          params: { id },
          body: { ...changes, ...(point.fromStep === undefined ? {} : { fromStep: point.fromStep }) },
          signal,
          ...own,
        })
      : client.call("runs.fork", {
          params: { id },
          body: { ...changes, ...(point.seq === undefined ? {} : { seq: point.seq }) },
          signal,
          ...own,
        });
  },
  steer: (id: string, message: string): Promise<RunSummary> =>
    client.call("runs.steer", { params: { id }, body: { message }, idempotencyKey: randomKey() }),
  signal: (id: string, name: string, data: JsonValue): Promise<RunSummary> =>
    client.call("runs.signal", { params: { id, name }, body: { data }, idempotencyKey: randomKey() }),
  bulk: (body: BulkBody): Promise<BulkAnswer> =>
    client.call("runs.bulk", { body, idempotencyKey: randomKey() }),
  /** A page of 200 steps in the order of the workflow. */
  steps: (id: string, cursor: string | undefined, signal?: AbortSignal) =>
    client.call("runs.steps", {
      params: { id },
      query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) },
      signal,
    }),
};

export function runGraphQuery(id: string, headSeq: number) {
  return queryOptions({
    queryKey: ["run-graph", id, headSeq],
    queryFn: ({ signal }) => client.call("runs.graph", { params: { id }, signal }),
    placeholderData: keepPreviousData,
  });
}

/** Drawn before it runs; the text must be valid. */
export function workflowGraphQuery(workflow: string) {
  return queryOptions({
    queryKey: ["workflow-graph", workflow],
    queryFn: ({ signal }) => client.call("workflows.graph", { body: { workflow }, signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Runs made from this one, and those its steps run. */
export function madeFromQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ["runs-made-from", id],
    queryFn: ({ pageParam, signal }) =>
      client.call("runs.list", {
        query: { parent: id, limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

export function runDiffQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ["run-diff", a, b],
    queryFn: ({ signal }) => client.call("runs.diff", { params: { a, b }, signal }),
  });
}
