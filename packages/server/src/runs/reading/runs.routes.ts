/** Routes of runs: lists, one run, its events, and what people may do to it. */
import { z } from "zod";
import { artifactSchema, viewArtifact } from "../../artifacts/artifact.ts";
import { artifactsOfRun } from "../../artifacts/find-artifacts.ts";
import { approvalFromStore } from "../../gate/approvals.ts";
import { formatCursor, pageOf, pageQuery, parseCursor, toPage } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { taskStates } from "../../queue/task.ts";
import type { TaskState } from "../../queue/task.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import { approvalSchema, runEventSchema, runSummarySchema, stepViewSchema } from "../views/api-schemas.ts";
import { commandRun, requireRun } from "../control/control.ts";
import type { ControlDeps, RunCommand } from "../control/control.ts";
import { listRuns } from "../../queue/list-runs.ts";
import { readEvents } from "../journal/run-reader.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";
import { viewApproval, viewEvent, viewMessages, viewRepair, viewRun } from "../views/views.ts";
import type { RunState } from "../journal/fold.ts";
import { createStateCache } from "../journal/state-cache.ts";
import type { StateCache } from "../journal/state-cache.ts";
import type { StepPage } from "../views/step-views.ts";
import { listSteps, viewStep } from "../views/step-views.ts";
import type { Redact } from "../views/views.ts";

export interface RunsRoutesDeps extends RunReaderDeps, ControlDeps {
  readonly redact: Redact;
}

const runParams = z.object({ id: z.string().min(1).max(64) });
const stateList = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(z.enum(taskStates)))
  .describe("One or more of the run states, comma-separated");

/** The last run shown, after its time in a cursor of an older version: one that serves during an upgrade, or did before it. */
const cursorShape = z.tuple([z.string()]).or(z.tuple([z.number(), z.string()]));

export function runsRoutes(deps: RunsRoutesDeps): readonly Route[] {
  const states = createStateCache(deps);
  return [
    listRoute(deps),
    getRoute(deps, states),
    stepsRoute(deps, states),
    eventsRoute(deps),
    ...commandRoutes(deps),
  ];
}

function listRoute({ store }: RunsRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/runs",
    operationId: "runs.list",
    summary: "Runs, newest first",
    tags: ["runs"],
    access: "viewer",
    query: z.object({
      ...pageQuery,
      state: stateList.optional(),
      workflow: z.string().max(128).optional(),
      label: z.string().max(100).optional(),
      parent: z
        .string()
        .max(64)
        .optional()
        .describe("Only runs made from this one (re-run, fork) or by a step of it"),
    }),
    response: pageOf(runSummarySchema),
    handle: async ({ query, principal }) => {
      const rows = await listRuns(store.recent, {
        tenant: principal.tenant,
        states: (query.state ?? []) as readonly TaskState[],
        workflow: query.workflow ?? null,
        label: query.label ?? null,
        parent: query.parent ?? null,
        before: query.cursor === undefined ? null : lastShown(query.cursor),
        limit: query.limit + 1,
      });
      const page = toPage(rows, query.limit, (row) => [row.id]);
      return { data: page.data.map(viewRun), nextCursor: page.nextCursor };
    },
  });
}

function lastShown(cursor: string): string {
  const key = parseCursor(cursor, cursorShape);
  return key.length === 1 ? key[0] : key[1];
}

/** As many steps as a page shows at once; more are read by `/steps`. */
const stepsInDetail = 1_000;

function getRoute(deps: RunsRoutesDeps, states: StateCache): Route {
  return route({
    method: "GET",
    path: "/v1/runs/{id}",
    operationId: "runs.get",
    summary: "One run with its steps, approvals and artifacts",
    tags: ["runs"],
    access: "viewer",
    params: runParams,
    response: z.object({
      ...runSummarySchema.shape,
      inputs: z.record(z.string(), z.unknown()),
      outputs: z.unknown(),
      steps: z.array(stepViewSchema).describe("The first 1000; the others by /v1/runs/{id}/steps"),
      stepsListed: z.number().int().describe("How many steps there are to list"),
      approvals: z.array(approvalSchema),
      artifacts: z.array(artifactSchema),
      workflowText: z.string(),
      origin: z
        .object({ kind: z.enum(["rerun", "fork"]), run: z.string(), seq: z.number().int() })
        .nullable()
        .describe("The run it was made from, and the last event of that run which counts for it"),
      messages: z
        .array(z.object({ at: z.string(), by: z.string(), text: z.string() }))
        .describe("What people said to it, oldest first, at most the last 100"),
      workspaceRestored: z
        .object({
          at: z.string().describe("ISO 8601, UTC"),
          putBack: z.array(z.string()),
          removed: z.array(z.string()),
          count: z.number().int(),
        })
        .nullable()
        .describe("The last time files in the run's folder had been changed from outside and were put right"),
    }),
    handle: async ({ params, principal }) => {
      const row = await requireRun(deps.store, principal.tenant, params.id);
      const approvals = await deps.store.read(
        "SELECT * FROM approvals WHERE run_id = ? ORDER BY requested_at_ms, id",
        [params.id],
      );
      const artifacts = (await artifactsOfRun(deps.store, params.id)).map(viewArtifact);
      // Last: the state is good until this waits again.
      const state = await states.read(params.id);
      const { steps, count } = placedSteps(state, { prefix: "", begin: 0, limit: stepsInDetail });
      return {
        ...viewRun(row),
        // Inputs are an object, and redaction keeps its shape.
        inputs: deps.redact(state.inputs) as Record<string, unknown>,
        outputs: deps.redact(state.outputs),
        steps: steps.map((each) => viewStep(each, state, deps.redact)),
        stepsListed: count,
        approvals: approvals.map((each) => viewApproval(approvalFromStore(each), deps.redact)),
        artifacts,
        workflowText: state.workflow.text,
        origin: state.origin && { ...state.origin },
        messages: viewMessages(state, deps.redact),
        workspaceRestored: viewRepair(state),
      };
    },
  });
}

/** Nothing where this version cannot read the run's workflow. */
function placedSteps(state: RunState, page: Parameters<typeof listSteps>[2]): StepPage {
  const parsed = parseWorkflow(state.workflow.text);
  return parsed.ok ? listSteps(parsed.workflow, state, page) : { steps: [], count: 0 };
}

function stepsRoute(deps: RunsRoutesDeps, states: StateCache): Route {
  return route({
    method: "GET",
    path: "/v1/runs/{id}/steps",
    operationId: "runs.steps",
    summary: "A run's steps in the order of the workflow, loops unrolled",
    tags: ["runs"],
    access: "viewer",
    params: runParams,
    query: z.object({
      prefix: z
        .string()
        .max(512)
        .optional()
        .describe("Only steps whose path begins so, for example `each/3/`"),
      ...pageQuery,
    }),
    response: pageOf(stepViewSchema),
    handle: async ({ params, query, principal }) => {
      await requireRun(deps.store, principal.tenant, params.id);
      const { prefix = "", limit } = query;
      const begin =
        query.cursor === undefined ? 0 : parseCursor(query.cursor, z.tuple([z.number().int().min(0)]))[0];
      const state = await states.read(params.id);
      const { steps, count } = placedSteps(state, { prefix, begin, limit });
      return {
        data: steps.map((each) => viewStep(each, state, deps.redact)),
        nextCursor: count > begin + limit ? formatCursor([begin + limit]) : null,
      };
    },
  });
}

function eventsRoute(deps: RunsRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/runs/{id}/events",
    operationId: "runs.events",
    summary: "A run's journal, oldest first",
    tags: ["runs"],
    access: "viewer",
    params: runParams,
    query: z.object({
      after: z.coerce.number().int().min(0).default(0).describe("Only events with a higher seq"),
      ...pageQuery,
    }),
    response: pageOf(runEventSchema),
    handle: async ({ params, query, principal }) => {
      await requireRun(deps.store, principal.tenant, params.id);
      const afterSeq =
        query.cursor === undefined ? query.after : parseCursor(query.cursor, z.tuple([z.number()]))[0];
      const events = await readEvents(
        { ...deps, store: deps.store.recent },
        { runId: params.id, afterSeq, limit: query.limit + 1 },
      );
      const shown = events.slice(0, query.limit);
      const last = shown.at(-1);
      return {
        data: shown.map((event) => viewEvent(event, deps.redact)),
        nextCursor: events.length > query.limit && last !== undefined ? formatCursor([last.seq]) : null,
      };
    },
  });
}

const commands: readonly { readonly command: RunCommand; readonly summary: string }[] = [
  { command: "pause", summary: "Let the run rest after its current step" },
  { command: "resume", summary: "Let a paused run go on" },
  { command: "cancel", summary: "End the run; a tool that is acting is stopped" },
  { command: "retry", summary: "Try a dead letter again" },
  { command: "discard", summary: "Give a dead letter up" },
];

function commandRoutes(deps: RunsRoutesDeps): readonly Route[] {
  return commands.map(({ command, summary }) =>
    route({
      method: "POST",
      path: `/v1/runs/{id}/${command}`,
      operationId: `runs.${command}`,
      summary,
      tags: ["runs"],
      access: "operator",
      params: runParams,
      body: z.strictObject({ reason: z.string().max(1000).optional() }),
      response: runSummarySchema,
      idempotent: true,
      handle: async ({ params, body, principal }) => {
        const { id: by, tenant } = principal;
        await commandRun(deps, { tenant, runId: params.id, command, by, reason: body.reason ?? null });
        return viewRun(await requireRun(deps.store, tenant, params.id));
      },
    }),
  );
}
