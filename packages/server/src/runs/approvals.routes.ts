/** Routes of approvals: one list of everything that waits for a person, and the one way to answer. */
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { approvalFromStore, requireApproval } from "../gate/approvals.ts";
import { pageOf, pageQuery, parseCursor, toPage } from "../http/page.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { approvalSchema } from "./api-schemas.ts";
import { answerApproval } from "./control.ts";
import type { ControlDeps } from "./control.ts";
import { viewApproval } from "./views.ts";
import type { Redact } from "./views.ts";

export interface ApprovalsRoutesDeps extends ControlDeps {
  readonly redact: Redact;
}

const params = z.object({ id: z.string().min(1).max(64) });
const statuses = ["waiting", "approved", "rejected", "expired", "cancelled", "resolved", "all"] as const;

export function approvalsRoutes(deps: ApprovalsRoutesDeps): readonly Route[] {
  return [
    listRoute(deps),
    route({
      method: "GET",
      path: "/v1/approvals/{id}",
      operationId: "approvals.get",
      summary: "One approval, with the exact arguments",
      tags: ["approvals"],
      access: "viewer",
      params,
      response: approvalSchema,
      handle: async ({ params: { id }, principal }) =>
        viewApproval(await requireApproval(deps.store, id, principal.tenant), deps.redact),
    }),
    route({
      method: "POST",
      path: "/v1/approvals/{id}/decision",
      operationId: "approvals.decide",
      summary: "Answer an approval",
      description: "The first answer counts; every later one gets 409. A rejection needs a reason.",
      tags: ["approvals"],
      access: "approver",
      params,
      body: z.strictObject({
        answer: z.enum(["approve", "reject", "happened", "did-not-happen", "abandon"]),
        reason: z.string().min(1).max(1000).optional(),
        result: z.json().optional().describe("For `happened`: what the action gave back"),
      }),
      response: approvalSchema,
      idempotent: true,
      handle: async ({ params: { id }, body, principal }) => {
        if (body.answer === "reject" && body.reason === undefined) {
          throw new HomeostatError(
            "REQUEST_INVALID",
            "A rejection needs a reason",
            { id },
            { place: { path: "body.reason" } },
          );
        }
        const approval = await answerApproval(deps, {
          id,
          answer: body.answer,
          caller: { id: principal.id, role: principal.role, tenant: principal.tenant },
          reason: body.reason ?? null,
          result: body.result ?? null,
        });
        return viewApproval(approval, deps.redact);
      },
    }),
  ];
}

function listRoute(deps: ApprovalsRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/approvals",
    operationId: "approvals.list",
    summary: "What waits for a person, oldest first",
    tags: ["approvals"],
    access: "viewer",
    query: z.object({ ...pageQuery, status: z.enum(statuses).default("waiting") }),
    response: pageOf(approvalSchema),
    handle: async ({ query, principal }) => {
      const after =
        query.cursor === undefined ? null : parseCursor(query.cursor, z.tuple([z.number(), z.string()]));
      const where = ["tenant = ?"];
      const values: (string | number)[] = [principal.tenant];
      if (query.status !== "all") {
        where.push("status = ?");
        values.push(query.status);
      }
      if (after !== null) {
        where.push("(requested_at_ms > ? OR (requested_at_ms = ? AND id > ?))");
        values.push(after[0], after[0], after[1]);
      }
      const sql = `SELECT * FROM approvals WHERE ${where.join(" AND ")} ORDER BY requested_at_ms, id LIMIT ?`;
      const rows = (await deps.store.read(sql, [...values, query.limit + 1])).map(approvalFromStore);
      const page = toPage(rows, query.limit, (row) => [row.requestedAtMs, row.id]);
      return { data: page.data.map((row) => viewApproval(row, deps.redact)), nextCursor: page.nextCursor };
    },
  });
}
