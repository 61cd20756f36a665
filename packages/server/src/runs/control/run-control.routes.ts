/** Routes that make runs from runs, speak to them, command many of them and compare two. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import { formatCursor, pageQuery, parseCursor } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { taskStates } from "../../queue/task.ts";
import { effectClasses } from "../../tools/tool.ts";
import { runSummarySchema } from "../views/api-schemas.ts";
import { bulk, mostAtOnce } from "./bulk.ts";
import type { BulkDeps, BulkRequest } from "./bulk.ts";
import { requireRun } from "./control.ts";
import { diffRuns } from "../views/diff-runs.ts";
import { rerunRun } from "./rerun.ts";
import type { RerunAnswer } from "./rerun.ts";
import { readState } from "../journal/run-reader.ts";
import { steerRun } from "./steer.ts";
import { viewRun } from "../views/views.ts";
import type { Redact } from "../views/views.ts";

export interface RunControlRoutesDeps extends BulkDeps {
  readonly redact: Redact;
}

const runId = z.string().min(1).max(64);
const runParams = z.object({ id: runId });
const argumentsByStep = z.record(z.string().max(512), z.record(z.string(), z.json()));

const rerunBody = {
  inputs: z.record(z.string(), z.json()).optional().describe("Inputs that replace those of the source"),
  stepArguments: argumentsByStep
    .optional()
    .describe("By step path: arguments that replace those the workflow gives"),
  confirm: z.boolean().optional().describe("Effects that cannot be taken back may be repeated"),
  dryRun: z.boolean().optional().describe("Only say what would be carried over and repeated"),
};

const rerunAnswer = z.object({
  run: runSummarySchema.nullable().describe("Null for a dry run"),
  origin: z.object({ run: z.string(), seq: z.number().int() }),
  carried: z.array(z.string()).describe("Paths of steps that keep their outcome, at most 200"),
  carriedCount: z.number().int(),
  repeats: z
    .array(
      z.object({
        step: z.string(),
        tool: z.string(),
        effect: z.enum(effectClasses),
        resource: z.string(),
        summary: z.string(),
        outcome: z.enum(["completed", "failed", "unknown"]),
      }),
    )
    .describe("What the source has begun and the new run does again, under new keys; at most 200"),
  repeatsCount: z.number().int(),
});

/** Enough for a person; the counts say how many there are. */
const mostListed = 200;

export function runControlRoutes(deps: RunControlRoutesDeps): readonly Route[] {
  return [steerRoute(deps), rerunRoute(deps), forkRoute(deps), bulkRoute(deps), diffRoute(deps)];
}

function steerRoute(deps: RunControlRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/runs/{id}/steer",
    operationId: "runs.steer",
    summary: "Say something to a run that goes on; its workflow reads it as `run.messages`",
    tags: ["runs"],
    access: "operator",
    params: runParams,
    body: z.strictObject({ message: z.string().min(1).max(4_000) }),
    response: runSummarySchema,
    idempotent: true,
    handle: async ({ params: { id }, body, principal: { id: by, tenant }, idempotencyKey }) => {
      const dedup = idempotencyKey === undefined ? {} : { dedupKey: idempotencyKey };
      await steerRun(deps, { tenant, runId: id, by, message: body.message, ...dedup });
      return viewRun(await requireRun(deps.store, tenant, id));
    },
  });
}

function rerunRoute(deps: RunControlRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/runs/{id}/rerun",
    operationId: "runs.rerun",
    summary: "Run it again, from a step if one is named, in a new run",
    description:
      "Steps done before `fromStep` keep their outcome, with the source's event as proof; the files are those of that point. Unsafe effects are repeated only with `confirm`.",
    tags: ["runs"],
    access: "operator",
    params: runParams,
    body: z.strictObject({
      fromStep: z.string().min(1).max(512).optional().describe("Path of the first step to be done again"),
      ...rerunBody,
    }),
    response: rerunAnswer,
    status: 201,
    idempotent: true,
    handle: async ({ params: { id }, body, principal, idempotencyKey, setStatus }) => {
      if (body.dryRun === true) setStatus(200);
      const answer = await rerunRun(deps, {
        ...{ runId: id, tenant: principal.tenant, by: principal.id },
        ...{ kind: "rerun", fromStep: body.fromStep ?? null, seq: null },
        ...wishes(body, idempotencyKey),
      });
      return viewRerun(id, answer);
    },
  });
}

function forkRoute(deps: RunControlRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/runs/{id}/fork",
    operationId: "runs.fork",
    summary: "Go on from any event of a run in a new run; the source goes on too",
    tags: ["runs"],
    access: "operator",
    params: runParams,
    body: z.strictObject({
      seq: z.number().int().min(1).optional().describe("The last event that counts; the newest by default"),
      ...rerunBody,
    }),
    response: rerunAnswer,
    status: 201,
    idempotent: true,
    handle: async ({ params: { id }, body, principal, idempotencyKey, setStatus }) => {
      if (body.dryRun === true) setStatus(200);
      const answer = await rerunRun(deps, {
        ...{ runId: id, tenant: principal.tenant, by: principal.id },
        ...{ kind: "fork", fromStep: null, seq: body.seq ?? null },
        ...wishes(body, idempotencyKey),
      });
      return viewRerun(id, answer);
    },
  });
}

function wishes(body: z.output<z.ZodObject<typeof rerunBody>>, idempotencyKey: string | undefined) {
  return {
    inputs: body.inputs ?? {},
    stepArguments: body.stepArguments ?? {},
    isConfirmed: body.confirm === true,
    isDryRun: body.dryRun === true,
    ...(idempotencyKey === undefined ? {} : { dedupKey: idempotencyKey }),
  };
}

function viewRerun(source: string, { run, seq, carried, repeats }: RerunAnswer): z.input<typeof rerunAnswer> {
  const kept = carried.filter(({ as }) => as !== "open").map(({ step }) => step);
  return {
    run: run && viewRun(run),
    origin: { run: source, seq },
    carried: kept.slice(0, mostListed),
    carriedCount: kept.length,
    repeats: repeats.slice(0, mostListed),
    repeatsCount: repeats.length,
  };
}

const filterSchema = z.strictObject({
  states: z.array(z.enum(taskStates)).optional(),
  workflow: z.string().max(128).optional(),
  label: z.string().max(100).optional(),
  createdBefore: z.iso.datetime({ offset: true }).optional(),
});

function bulkRoute(deps: RunControlRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/runs/bulk",
    operationId: "runs.bulk",
    summary: "One command for many runs, each with a result of its own",
    description: `By \`ids\` or \`filter\`, at most ${mostAtOnce} at once, oldest first. 200 also when some failed: look at each.`,
    tags: ["runs"],
    access: "operator",
    body: z.strictObject({
      action: z.enum(["cancel", "retry", "rerun", "pause", "resume", "discard"]),
      ids: z.array(runId).min(1).max(mostAtOnce).optional(),
      filter: filterSchema.optional(),
      reason: z.string().max(1000).optional(),
      limit: z.number().int().min(1).max(mostAtOnce).optional().describe("100 by default"),
      cursor: pageQuery.cursor.describe(
        "With a `filter`: `nextCursor` of the answer before, to go on with older runs",
      ),
      confirm: z
        .boolean()
        .optional()
        .describe("For `rerun`: effects that cannot be taken back may be repeated"),
      dryRun: z.boolean().optional(),
    }),
    response: z.object({
      results: z.array(
        z.object({
          id: z.string(),
          ok: z.boolean(),
          newRunId: z.string().nullable(),
          error: z.object({ code: z.string(), message: z.string() }).nullable(),
        }),
      ),
      done: z.number().int(),
      failed: z.number().int(),
      hasMore: z.boolean().describe("More runs match than the limit lets through"),
      nextCursor: z
        .string()
        .nullable()
        .describe("Goes on with the older ones; for `rerun`, asking again without it would take the same"),
      dryRun: z.boolean(),
    }),
    idempotent: true,
    timeoutMs: 120_000,
    handle: async ({ body, principal: { id: by, tenant }, idempotencyKey, signal }) => {
      const { results, hasMore, before } = await bulk(deps, {
        ...{ tenant, by, action: body.action, select: selectionOf(body) },
        reason: body.reason ?? null,
        isConfirmed: body.confirm === true,
        isDryRun: body.dryRun === true,
        key: idempotencyKey ?? null,
        signal,
        limit: body.limit ?? body.ids?.length ?? 100,
      });
      const done = results.filter(({ ok }) => ok).length;
      const failed = results.length - done;
      const nextCursor = before === null ? null : formatCursor(before);
      return { results, done, failed, hasMore, nextCursor, dryRun: body.dryRun === true };
    },
  });
}

function selectionOf(body: {
  readonly ids?: readonly string[] | undefined;
  readonly filter?: z.output<typeof filterSchema> | undefined;
  readonly cursor?: string | undefined;
}): BulkRequest["select"] {
  const { ids, filter, cursor } = body;
  if (ids !== undefined && filter === undefined) return { kind: "ids", ids };
  if (filter === undefined || ids !== undefined)
    throw new HomeostatError("REQUEST_INVALID", "Name the runs either by `ids` or by a `filter`");
  const { states = [], workflow = null, label = null, createdBefore } = filter;
  const createdBeforeMs = createdBefore === undefined ? null : Date.parse(createdBefore);
  const before = cursor === undefined ? null : parseCursor(cursor, z.tuple([z.number(), z.string()]));
  return { kind: "filter", filter: { states, workflow, label, createdBeforeMs, before } };
}

const valueDifferences = z.array(
  z.object({
    path: z.string(),
    a: z.unknown().describe("Left out where this side has nothing"),
    b: z.unknown(),
  }),
);

function diffRoute(deps: RunControlRoutesDeps): Route {
  const sides = <T extends z.ZodType>(of: T) => z.object({ a: of, b: of });
  return route({
    method: "GET",
    path: "/v1/runs/{a}/diff/{b}",
    operationId: "runs.diff",
    summary: "What two runs did differently",
    tags: ["runs"],
    access: "viewer",
    params: z.object({ a: runId, b: runId }),
    response: z.object({
      runs: sides(runSummarySchema),
      workflow: z.array(
        z.object({ kind: z.enum(["removed", "added"]), line: z.number().int(), text: z.string() }),
      ),
      inputs: valueDifferences,
      pins: valueDifferences,
      outcome: valueDifferences,
      steps: z
        .array(
          z.object({
            path: z.string(),
            change: z.enum(["only-a", "only-b", "changed"]),
            differences: valueDifferences,
            durationMs: sides(z.number().nullable()),
          }),
        )
        .describe("Steps that differ, at most 1000"),
      stepsDiffer: z.number().int(),
      stepsSame: z.number().int(),
      artifacts: z
        .array(z.object({ path: z.string(), ...sides(z.string().nullable()).shape }))
        .describe("By SHA-256; null: that run has none of this path"),
    }),
    handle: async ({ params, principal: { tenant } }) => {
      const rows = [
        await requireRun(deps.store, tenant, params.a),
        await requireRun(deps.store, tenant, params.b),
      ] as const;
      const difference = diffRuns(await readState(deps, params.a), await readState(deps, params.b));
      const { steps, artifacts, stepsSame } = difference;
      // Redaction keeps shapes.
      const shown = deps.redact({
        ...difference,
        steps: steps.slice(0, 1_000),
        artifacts: [],
      }) as typeof difference;
      return {
        runs: { a: viewRun(rows[0]), b: viewRun(rows[1]) },
        ...shown,
        stepsDiffer: steps.length,
        stepsSame,
        artifacts,
      };
    },
  });
}
