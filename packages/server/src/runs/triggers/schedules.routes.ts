/** Routes of schedules: made, listed, looked at, changed, paused, resumed, triggered, deleted. */
import { z } from "zod";
import { durationForm, formatDuration, parseDuration } from "../../base/duration.ts";
import { HomeostatError } from "../../base/error.ts";
import { pageOf, pageQuery, parseCursor, toPage } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { missedPolicies, overlapPolicies } from "../../queue/schedule.ts";
import { leastIntervalMs } from "../../queue/schedule-times.ts";
import type { Schedule } from "../../queue/schedule-row.ts";
import { runSummarySchema } from "../views/api-schemas.ts";
import { requireRun } from "../control/control.ts";
import { triggerSchedule } from "./fire-schedules.ts";
import type { FireDeps } from "./fire-schedules.ts";
import {
  addSchedule,
  changeSchedule,
  defaultMissedCap,
  listSchedules,
  removeSchedule,
  requireSchedule,
  upcomingTimes,
} from "./schedules.ts";
import type { ScheduleChange, ScheduleDeps, ScheduleSettings, WantedTiming } from "./schedules.ts";
import { optionalTime, timeText, viewRun } from "../views/views.ts";

export interface SchedulesRoutesDeps extends ScheduleDeps, FireDeps {
  readonly redact: (value: unknown) => unknown;
}

const interval = z
  .string()
  .max(40)
  .refine((text) => (parseDuration(text) ?? 0) >= leastIntervalMs, {
    message: `expected ${durationForm}, at least 1s`,
  });

/** What may be given at the beginning and changed later. */
const settingsShape = {
  cron: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("minute hour day month weekday; seconds in front are allowed; or a name such as @daily"),
  timezone: z.string().min(1).max(100).optional().describe("IANA name, for `cron`; UTC by default"),
  every: interval.optional().describe("Instead of `cron`: an interval such as 15m, counted from now"),
  workflow: z.string().min(1).max(262_144).optional().describe("The workflow file's text (YAML)"),
  workflowName: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("Instead: a registered workflow, its newest version"),
  inputs: z.record(z.string(), z.json()).optional(),
  priority: z.enum(["high", "normal", "low"]).optional(),
  labels: z.array(z.string().min(1).max(100)).max(31).optional(),
  missed: z
    .enum(missedPolicies)
    .optional()
    .describe(
      "Times that passed while no server ran: `skip`, run `once` (default) for all, or make up for `all`",
    ),
  missedCap: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe("With `all`: the most that are made up for; 24 by default"),
  overlap: z
    .enum(overlapPolicies)
    .optional()
    .describe(
      "While the run before goes on: `allow` another (default), `skip`, or `queue` one until it has ended",
    ),
};

const scheduleSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    cron: z.string().nullable(),
    timezone: z.string().nullable(),
    every: z.string().nullable(),
    source: z
      .enum(["text", "registered", "trigger"])
      .describe("`trigger`: it stands in the file of a registered workflow"),
    workflowName: z.string(),
    inputs: z.record(z.string(), z.unknown()),
    priority: z.enum(["high", "normal", "low"]),
    labels: z.array(z.string()),
    missed: z.enum(missedPolicies),
    missedCap: z.number().int(),
    overlap: z.enum(overlapPolicies),
    paused: z.boolean(),
    createdBy: z.string().describe("On whose behalf it runs"),
    createdAt: z.string(),
    updatedAt: z.string(),
    nextAt: z.string().nullable(),
    waitingAt: z.string().nullable().describe("A time that waits for the end of the run before"),
    lastAt: z.string().nullable(),
    lastRunId: z.string().nullable(),
    lastError: z.object({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
    passed: z.number().int().describe("Times that were passed over"),
  })
  .meta({ id: "Schedule" });

const params = z.object({ id: z.string().min(1).max(200).describe("Id or name; a / in it as %2F") });
const tags = ["schedules"];

export function schedulesRoutes(deps: SchedulesRoutesDeps): readonly Route[] {
  return [
    addRoute(deps),
    listRoute(deps),
    getRoute(deps),
    changeRoute(deps),
    pauseRoute(deps, true),
    pauseRoute(deps, false),
    triggerRoute(deps),
    removeRoute(deps),
  ];
}

function addRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/schedules",
    operationId: "schedules.add",
    summary: "Run a workflow at its times",
    description: "Everything that a submission would be refused for is refused here already.",
    tags,
    access: "operator",
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)
        .describe("Unique in the tenant: small letters, digits, - and _"),
      ...settingsShape,
      paused: z.boolean().optional(),
    }),
    response: scheduleSchema,
    status: 201,
    idempotent: true,
    handle: async ({ body, principal, setHeader }) => {
      const { timing, source } = readSettings(body);
      if (timing === undefined) throw invalid("A schedule has a `cron` or an `every`");
      if (source === undefined) throw invalid("A schedule has a `workflow` (the text) or a `workflowName`");
      const schedule = await addSchedule(deps, callerOf(principal), {
        name: body.name,
        timing,
        source,
        inputs: body.inputs ?? {},
        priority: body.priority ?? "normal",
        labels: body.labels ?? [],
        missed: body.missed ?? "once",
        missedCap: body.missedCap ?? defaultMissedCap,
        overlap: body.overlap ?? "allow",
        isPaused: body.paused ?? false,
      });
      setHeader("location", `/v1/schedules/${schedule.id}`);
      return view(schedule, deps);
    },
  });
}

function listRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/schedules",
    operationId: "schedules.list",
    summary: "Schedules, by name",
    tags,
    access: "viewer",
    query: z.object(pageQuery),
    response: pageOf(scheduleSchema),
    handle: async ({ query: { limit, cursor }, principal: { tenant } }) => {
      const after = cursor === undefined ? null : parseCursor(cursor, z.tuple([z.string()]))[0];
      const found = await listSchedules(deps.store.recent, { tenant, after, limit: limit + 1 });
      const page = toPage(found, limit, ({ name }) => [name]);
      return { data: page.data.map((each) => view(each, deps)), nextCursor: page.nextCursor };
    },
  });
}

function getRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/schedules/{id}",
    operationId: "schedules.get",
    summary: "One schedule with its next five times",
    tags,
    access: "viewer",
    params,
    response: z.object({
      ...scheduleSchema.shape,
      upcoming: z.array(z.string()),
      workflowText: z.string().nullable(),
    }),
    handle: async ({ params: { id }, principal: { tenant } }) => {
      const schedule = await requireSchedule(deps.store, tenant, id);
      return {
        ...view(schedule, deps),
        upcoming: upcomingTimes(schedule, deps.clock.now(), 5).map(timeText),
        workflowText: schedule.source.kind === "text" ? schedule.source.text : null,
      };
    },
  });
}

function changeRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "PATCH",
    path: "/v1/schedules/{id}",
    operationId: "schedules.change",
    summary: "Change a schedule",
    description: "Members that are left out stay. A new `cron` or `every` counts from now.",
    tags,
    access: "operator",
    params,
    body: z.strictObject(settingsShape),
    response: scheduleSchema,
    handle: async ({ params: { id }, body, principal }) => {
      const { timing, source } = readSettings(body);
      const { inputs, priority, labels, missed, missedCap, overlap } = body;
      const given = { timing, source, inputs, priority, labels, missed, missedCap, overlap };
      // Those that were left out are not there at all, and so stay what they are.
      const change: ScheduleChange = Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      );
      return view(await changeSchedule(deps, callerOf(principal), { idOrName: id, change }), deps);
    },
  });
}

function pauseRoute(deps: SchedulesRoutesDeps, isPaused: boolean): Route {
  const verb = isPaused ? "pause" : "resume";
  return route({
    method: "POST",
    path: `/v1/schedules/{id}/${verb}`,
    operationId: `schedules.${verb}`,
    summary: isPaused
      ? "Let a schedule rest"
      : "Let a paused schedule go on; times of the pause are not made up for",
    tags,
    access: "operator",
    params,
    response: scheduleSchema,
    handle: async ({ params: { id }, principal }) =>
      view(await changeSchedule(deps, callerOf(principal), { idOrName: id, change: { isPaused } }), deps),
  });
}

function triggerRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/schedules/{id}/trigger",
    operationId: "schedules.trigger",
    summary: "Run it now, beside its times",
    tags,
    access: "operator",
    params,
    response: runSummarySchema,
    status: 201,
    idempotent: true,
    handle: async ({ params: { id }, principal: { id: by, tenant }, idempotencyKey, setHeader }) => {
      const schedule = await requireSchedule(deps.store, tenant, id);
      const dedupKey = idempotencyKey === undefined ? null : `${schedule.id}/${by}/${idempotencyKey}`;
      const runId = await triggerSchedule(deps, schedule, { by, dedupKey });
      setHeader("location", `/v1/runs/${runId}`);
      return viewRun(await requireRun(deps.store, tenant, runId));
    },
  });
}

function removeRoute(deps: SchedulesRoutesDeps): Route {
  return route({
    method: "DELETE",
    path: "/v1/schedules/{id}",
    operationId: "schedules.remove",
    summary: "Delete a schedule; its runs stay",
    tags,
    access: "operator",
    params,
    response: "none",
    handle: ({ params: { id }, principal }) => removeSchedule(deps, callerOf(principal), id),
  });
}

function readSettings(body: z.output<z.ZodObject<typeof settingsShape>>): {
  readonly timing: WantedTiming | undefined;
  readonly source: ScheduleSettings["source"] | undefined;
} {
  const { cron, timezone, every, workflow, workflowName } = body;
  if (cron !== undefined && every !== undefined)
    throw invalid("A schedule has a `cron` or an `every`, not both");
  if (timezone !== undefined && cron === undefined)
    throw invalid("`timezone` belongs to a `cron`; give both");
  if (workflow !== undefined && workflowName !== undefined)
    throw invalid("A schedule has a `workflow` (the text) or a `workflowName`, not both");
  const timing: WantedTiming | undefined =
    cron !== undefined
      ? { kind: "cron", expression: cron, timezone: timezone ?? "UTC" }
      : every === undefined
        ? undefined
        : { kind: "interval", everyMs: parseDuration(every) ?? leastIntervalMs };
  const source =
    workflow !== undefined
      ? ({ kind: "text", text: workflow } as const)
      : workflowName === undefined
        ? undefined
        : ({ kind: "registered", workflow: workflowName } as const);
  return { timing, source };
}

function invalid(message: string): HomeostatError {
  return new HomeostatError("REQUEST_INVALID", message);
}

function callerOf({ id, tenant }: { readonly id: string; readonly tenant: string }) {
  return { by: id, tenant };
}

function view(schedule: Schedule, { redact }: SchedulesRoutesDeps): z.input<typeof scheduleSchema> {
  const { timing, lastError } = schedule;
  return {
    id: schedule.id,
    name: schedule.name,
    cron: timing.kind === "cron" ? timing.expression : null,
    timezone: timing.kind === "cron" ? timing.timezone : null,
    every: timing.kind === "interval" ? formatDuration(timing.everyMs) : null,
    source: schedule.source.kind,
    workflowName: schedule.workflowName,
    // Inputs are an object, and redaction keeps its shape.
    inputs: redact(schedule.inputs) as Record<string, unknown>,
    priority: schedule.priority,
    labels: [...schedule.labels],
    missed: schedule.missed,
    missedCap: schedule.missedCap,
    overlap: schedule.overlap,
    paused: schedule.isPaused,
    createdBy: schedule.createdBy,
    createdAt: timeText(schedule.createdAtMs),
    updatedAt: timeText(schedule.updatedAtMs),
    nextAt: schedule.isPaused ? null : optionalTime(schedule.nextAtMs),
    waitingAt: optionalTime(schedule.waitingAtMs),
    lastAt: optionalTime(schedule.lastAtMs),
    lastRunId: schedule.lastRunId,
    lastError: lastError && {
      code: lastError.code,
      message: lastError.message,
      at: timeText(lastError.atMs),
    },
    passed: schedule.passed,
  };
}
