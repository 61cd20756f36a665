/** Routes of approvals: one list of everything that waits for a person, and the ways to answer, hand on and remember. */
import { z } from "zod";
import { countingDelegates } from "../../approvals/hand-ons.ts";
import { createLinkToken, insertLink } from "../../approvals/links.ts";
import type { LinkCredential } from "../../approvals/links.ts";
import { lookUpPeople } from "../../approvals/people.ts";
import { findResponder } from "../../approvals/responder.ts";
import { rememberMatches, rememberScopes } from "../../approvals/standing.ts";
import type { Remember } from "../../approvals/standing.ts";
import { votesOn } from "../../approvals/votes.ts";
import type { JsonObject } from "../../base/canonical-json.ts";
import { parseDuration } from "../../base/duration.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { approvalFromStore, delegateApproval, requireApproval } from "../../gate/approvals.ts";
import { pageOf, pageQuery, parseCursor, toPage } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { answerApproval, requireReason } from "./answer-approval.ts";
import type { AnswerDeps } from "./answer-approval.ts";
import { approvalSchema } from "../views/api-schemas.ts";
import { proof, userActor } from "../control/control.ts";
import { viewApproval } from "../views/views.ts";
import type { Redact } from "../views/views.ts";

export interface ApprovalsRoutesDeps extends AnswerDeps {
  readonly redact: Redact;
  /** Origin under which people reach the dashboard, such as `https://homeostat.example.org`. */
  readonly origin: () => string;
  /** What answering by a link takes. */
  readonly links: LinkCredential;
}

const params = z.object({ id: z.string().min(1).max(64) });
const statuses = ["waiting", "approved", "rejected", "expired", "cancelled", "resolved", "all"] as const;
const principalName = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/);

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({ code: "custom", message: "expected a duration such as 30m, 8h or 7d" });
  return z.NEVER;
});

const decisionBody = z.strictObject({
  answer: z.enum(["approve", "reject", "happened", "did-not-happen", "abandon"]),
  reason: z.string().min(1).max(1000).optional(),
  result: z.json().optional().describe("For `happened`: what the action gave back"),
  edit: z
    .record(z.string(), z.json())
    .optional()
    .describe("With `approve`: the arguments to use instead; policy judges them anew"),
  remember: z
    .strictObject({
      scope: z.enum(rememberScopes).describe("For the rest of this run, runs of this workflow, or everybody"),
      match: z.enum(rememberMatches).default("exact").describe("The same arguments, or the same resource"),
      for: duration.describe("How long, for example `8h`"),
    })
    .optional()
    .describe("With `approve`: the same again need not be asked"),
});

const voteSchema = z.object({
  by: z.string(),
  countsFor: z.string(),
  reason: z.string().nullable(),
  at: z.string(),
});

export function approvalsRoutes(deps: ApprovalsRoutesDeps): readonly Route[] {
  return [listRoute(deps), getRoute(deps), decideRoute(deps), delegateRoute(deps), linkRoute(deps)];
}

function getRoute(deps: ApprovalsRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/approvals/{id}",
    operationId: "approvals.get",
    summary: "One approval, with the exact arguments and who has agreed",
    tags: ["approvals"],
    access: "viewer",
    params,
    response: approvalSchema.extend({ voters: z.array(voteSchema) }).meta({ id: "ApprovalDetail" }),
    async handle({ params: { id }, principal }) {
      const approval = await requireApproval(deps.store, id, principal.tenant);
      const votes = await votesOn(deps.store, id);
      const voters = votes.map(({ voter: by, countsFor, reason, atMs }) => ({
        by,
        countsFor,
        reason,
        at: new Date(atMs).toISOString(),
      }));
      return { ...viewApproval(approval, deps.redact), voters };
    },
  });
}

function decideRoute(deps: ApprovalsRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/approvals/{id}/decision",
    operationId: "approvals.decide",
    summary: "Answer an approval",
    description:
      "The first answer counts, or as many as policy's quorum asks; every later one gets 409. A rejection needs a reason. " +
      "With `edit` the action runs with other arguments if policy lets them through; with `remember` the same again is not asked.",
    tags: ["approvals"],
    access: "operator",
    params,
    body: decisionBody,
    response: approvalSchema,
    idempotent: true,
    async handle({ params: { id }, body, principal }) {
      const { answer, reason = null, result = null, edit } = body;
      requireReason({ id, answer, reason });
      const approval = await answerApproval(deps, {
        id,
        answer,
        caller: { id: principal.id, role: principal.role, tenant: principal.tenant },
        reason,
        result,
        // zod's JSON and ours are the same values.
        edit: edit as JsonObject | undefined,
        remember: rememberOf(body.remember),
      });
      return viewApproval(approval, deps.redact);
    },
  });
}

function rememberOf(given: z.output<typeof decisionBody>["remember"]): Remember | undefined {
  return given && { scope: given.scope, match: given.match, forMs: given.for };
}

function delegateRoute(deps: ApprovalsRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/approvals/{id}/delegate",
    operationId: "approvals.delegate",
    summary: "Let somebody else answer this question too",
    tags: ["approvals"],
    access: "operator",
    params,
    body: z.strictObject({ to: principalName }),
    response: approvalSchema,
    async handle({ params: { id }, body: { to }, principal }) {
      const approval = await requireApproval(deps.store, id, principal.tenant);
      const delegates = await countingDelegates(lookUpPeople(deps, principal.tenant), approval);
      const question = { ...approval, delegates };
      const responder = findResponder(question, principal, { delegators: [], isConsent: true });
      if (responder.kind === "may-not")
        throw new HomeostatError("AUTHORIZATION_DENIED", `You may not hand ${id} on: ${responder.why}`, {
          id,
        });
      const { tenant, runId: run } = approval;
      const fact = { type: "approval.delegated", tenant, actor: userActor(principal.id) };
      const atMs = deps.clock.now();
      try {
        await deps.store.write([
          delegateApproval(approval, { to, by: principal.id, atMs }),
          proof(fact, atMs, { approval: id, run, to }),
        ]);
      } catch (error) {
        if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
        throw new HomeostatError("APPROVAL_CONFLICT", `${id} was answered or handed on meanwhile`, { id });
      }
      return viewApproval(await requireApproval(deps.store, id), deps.redact);
    },
  });
}

/** A link carries its addressee's answer, so only an admin makes one for somebody else. */
function linkRoute(deps: ApprovalsRoutesDeps): Route {
  return route({
    method: "POST",
    path: "/v1/approvals/{id}/links",
    operationId: "approvals.createLink",
    summary: "A link for mail or chat with which one person can answer this question once",
    description:
      "Opening the link shows the question and decides nothing. With `needsSession` its addressee must be signed in for both. Only an admin makes links for others.",
    tags: ["approvals"],
    access: "operator",
    params,
    body: z.strictObject({ for: principalName, expires: duration.prefault("24h") }),
    response: z.object({
      url: z.string(),
      for: z.string(),
      expiresAt: z.string(),
      needsSession: z.boolean().describe("Whoever it is for must sign in; else the link alone is enough"),
    }),
    status: 201,
    async handle({ params: { id }, body, principal }) {
      const approval = await requireApproval(deps.store, id, principal.tenant);
      if (body.for !== principal.id && principal.role !== "admin")
        throw new HomeostatError("AUTHORIZATION_DENIED", "Only an admin makes links for somebody else", {
          id,
        });
      const nowMs = deps.clock.now();
      const token = createLinkToken();
      const link = {
        tenant: approval.tenant,
        approvalId: id,
        principal: body.for,
        createdBy: principal.id,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + body.expires,
      };
      const fact = { type: "approval.link_created", tenant: approval.tenant, actor: userActor(principal.id) };
      await deps.store.write([
        insertLink(token, link),
        proof(fact, nowMs, { approval: id, for: body.for, expiresAtMs: link.expiresAtMs }),
      ]);
      // In the fragment, which neither proxies nor mail scanners send on.
      const url = `${deps.origin()}/answer#${token}`;
      const expiresAt = new Date(link.expiresAtMs).toISOString();
      return { url, for: body.for, expiresAt, needsSession: deps.links === "session" };
    },
  });
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
      const found = await deps.store.recent.read(sql, [...values, query.limit + 1]);
      const rows = found.map(approvalFromStore);
      const page = toPage(rows, query.limit, (row) => [row.requestedAtMs, row.id]);
      return { data: page.data.map((row) => viewApproval(row, deps.redact)), nextCursor: page.nextCursor };
    },
  });
}
