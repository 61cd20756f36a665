/** Routes of dead letters: found, looked at, tried again or given up, one or many with a result for each. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import { pageOf, pageQuery, parseCursor, toPage } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { runSummarySchema } from "../views/api-schemas.ts";
import { bulk, mostAtOnce } from "./bulk.ts";
import type { BulkDeps } from "./bulk.ts";
import { requireRun } from "./control.ts";
import { countDeadLetters, historyOf, listDeadLetters } from "./dead-letters.ts";
import type { DeadLetterFilter } from "./dead-letters.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";
import { timeText, viewRun } from "../views/views.ts";

export interface DeadLettersRoutesDeps extends BulkDeps, RunReaderDeps {
  readonly redact: (value: unknown) => unknown;
}

const time = z
  .string()
  .max(40)
  .refine((text) => !Number.isNaN(Date.parse(text)), {
    message: "expected a time such as 2026-03-01T09:00:00Z",
  });

const filterShape = {
  workflow: z.string().min(1).max(128).optional(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .optional()
    .describe("Code of the error it died of"),
  since: time.optional().describe("It died at or after this time"),
  until: time.optional().describe("It died before this time"),
};

const tags = ["dead letters"];

export function deadLettersRoutes(deps: DeadLettersRoutesDeps): readonly Route[] {
  return [listRoute(deps), getRoute(deps), settleRoute(deps, "retry"), settleRoute(deps, "discard")];
}

function listRoute(deps: DeadLettersRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/dead-letters",
    operationId: "deadLetters.list",
    summary: "Dead letters, the last to die first",
    tags,
    access: "viewer",
    query: z.object({ ...pageQuery, ...filterShape }),
    response: z.object({
      ...pageOf(runSummarySchema).shape,
      groups: z
        .array(z.object({ workflow: z.string(), code: z.string(), count: z.number().int() }))
        .describe(
          "All that fit the filter (the latest 10,000), by workflow and error; only on the first page",
        ),
    }),
    handle: async ({ query, principal }) => {
      const { limit, cursor } = query;
      const filter = filterOf(query, principal.tenant);
      const before = cursor === undefined ? null : parseCursor(cursor, z.tuple([z.number(), z.string()]));
      const rows = await listDeadLetters(deps.store.recent, filter, { before, limit: limit + 1 });
      const page = toPage(rows, limit, (row) => [row.endedAtMs ?? 0, row.id]);
      const groups = before === null ? await countDeadLetters(deps.store.recent, filter) : [];
      return { data: page.data.map(viewRun), nextCursor: page.nextCursor, groups };
    },
  });
}

function getRoute(deps: DeadLettersRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/dead-letters/{id}",
    operationId: "deadLetters.get",
    summary: "One dead letter with what led to its end",
    tags,
    access: "viewer",
    params: z.object({ id: z.string().min(1).max(64) }),
    response: z.object({
      run: runSummarySchema,
      history: z.array(
        z.object({
          seq: z.number().int(),
          at: z.string(),
          kind: z.string(),
          step: z.string().nullable(),
          attempt: z.number().int().nullable(),
          error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).nullable(),
        }),
      ),
    }),
    handle: async ({ params: { id }, principal }) => {
      const row = await requireRun(deps.store, principal.tenant, id);
      if (row.state !== "DEAD")
        throw new HomeostatError("RUN_STATE_CONFLICT", `${id} is no dead letter: it is ${row.state}`, {
          run: id,
        });
      const history = await historyOf(deps, id);
      return {
        run: viewRun(row),
        history: history.map(({ atMs, error, ...entry }) => ({
          ...entry,
          at: timeText(atMs),
          error: error && {
            code: error.code,
            // A text, and redaction keeps it one.
            message: deps.redact(error.message) as string,
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          },
        })),
      };
    },
  });
}

function settleRoute(deps: DeadLettersRoutesDeps, action: "retry" | "discard"): Route {
  return route({
    method: "POST",
    path: `/v1/dead-letters/${action}`,
    operationId: `deadLetters.${action}`,
    summary: action === "retry" ? "Try dead letters again" : "Give dead letters up",
    description:
      "Those named in `ids`, or with `all` those that fit the filter, oldest first. Each has a result of its own.",
    tags,
    access: "operator",
    body: z.strictObject({
      ids: z.array(z.string().min(1).max(64)).min(1).max(mostAtOnce).optional(),
      all: z.boolean().optional(),
      ...filterShape,
      limit: z.number().int().min(1).max(mostAtOnce).optional(),
      reason: z.string().max(1000).optional(),
      dryRun: z.boolean().optional(),
    }),
    response: z.object({
      results: z.array(
        z.object({
          id: z.string(),
          ok: z.boolean(),
          error: z.object({ code: z.string(), message: z.string() }).nullable(),
        }),
      ),
      done: z.number().int(),
      failed: z.number().int(),
      hasMore: z.boolean().describe("More fit than the limit lets through: ask again"),
    }),
    timeoutMs: 120_000,
    handle: async ({ body, principal: { id: by, tenant }, signal }) => {
      const { ids, all, limit = mostAtOnce, reason = null, dryRun = false } = body;
      if ((ids === undefined) === (all !== true))
        throw new HomeostatError("REQUEST_INVALID", "Name dead letters in `ids`, or say `all`, not both");
      const chosen = ids ?? (await fitting(deps, filterOf(body, tenant), limit + 1));
      const { results } = await bulk(deps, {
        tenant,
        by,
        action,
        select: { kind: "ids", ids: chosen.slice(0, limit) },
        reason,
        isConfirmed: true,
        isDryRun: dryRun,
        // What was retried or given up is no dead letter any more: said again, it is refused.
        key: null,
        signal,
        limit,
      });
      const failed = results.filter(({ ok }) => !ok).length;
      return {
        results: results.map(({ id, ok, error }) => ({ id, ok, error })),
        done: results.length - failed,
        failed,
        hasMore: chosen.length > limit,
      };
    },
  });
}

/** Oldest first. */
async function fitting(
  { store }: DeadLettersRoutesDeps,
  filter: DeadLetterFilter,
  limit: number,
): Promise<readonly string[]> {
  const rows = await listDeadLetters(store, filter, { before: null, limit, isOldestFirst: true });
  return rows.map(({ id }) => id);
}

function filterOf(given: z.output<z.ZodObject<typeof filterShape>>, tenant: string): DeadLetterFilter {
  const { workflow = null, code = null, since, until } = given;
  const sinceMs = since === undefined ? null : Date.parse(since);
  const untilMs = until === undefined ? null : Date.parse(until);
  return { tenant, workflow, code, sinceMs, untilMs };
}
