/** Routes about what outlives one question: remembered approvals and delegations. */
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { createId } from "../base/id.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { factInsert } from "../store/fact.ts";
import type { Statement, Store } from "../store/store.ts";
import { insertDelegation, listDelegations, revokeDelegation } from "./delegations.ts";
import type { Delegation } from "./delegations.ts";
import { listStanding, revokeStanding } from "./standing.ts";
import type { ListedStanding } from "./standing.ts";
import { holdsKeyOf, lookUpPeople } from "./people.ts";
import type { PeopleDeps } from "./people.ts";

export interface StandingRoutesDeps extends PeopleDeps {
  readonly store: Store;
  readonly clock: Clock;
}

const standingSchema = z
  .object({
    id: z.string(),
    action: z.string(),
    resource: z.string(),
    match: z.enum(["exact", "resource"]),
    scope: z.enum(["run", "workflow", "tenant"]),
    scopeId: z.string(),
    approvalId: z.string(),
    createdBy: z.string(),
    createdAt: z.string(),
    expiresAt: z.string(),
    voidBecause: z
      .string()
      .nullable()
      .describe("Why it does not count any more, such as a key of its giver that has ended; null: it counts"),
  })
  .meta({ id: "StandingApproval" });

const delegationSchema = z
  .object({ id: z.string(), from: z.string(), to: z.string(), createdAt: z.string(), until: z.string() })
  .meta({ id: "Delegation" });

const params = z.object({ id: z.string().min(1).max(64) });

export function standingRoutes(deps: StandingRoutesDeps): readonly Route[] {
  const { store, clock } = deps;
  return [
    route({
      method: "GET",
      path: "/v1/standing-approvals",
      operationId: "standingApprovals.list",
      summary: "Answers that are remembered, newest first",
      tags: ["approvals"],
      access: "viewer",
      response: z.object({ data: z.array(standingSchema) }),
      handle: async ({ principal }) => ({
        data: (await listStanding(deps, principal.tenant)).map(viewStanding),
      }),
    }),
    route({
      method: "DELETE",
      path: "/v1/standing-approvals/{id}",
      operationId: "standingApprovals.revoke",
      summary: "Ask again from now on",
      tags: ["approvals"],
      access: "approver",
      params,
      response: "none",
      handle: async ({ params: { id }, principal: { id: by, tenant } }) => {
        const nowMs = clock.now();
        const fact = factOf({ type: "approval.forgotten", tenant, by, atMs: nowMs }, { standing: id });
        await writeOrMissing(store, [revokeStanding(id, tenant, nowMs), fact], `standing approval ${id}`);
      },
    }),
    ...delegationRoutes(deps),
  ];
}

function delegationRoutes(deps: StandingRoutesDeps): readonly Route[] {
  const { store, clock } = deps;
  return [
    route({
      method: "GET",
      path: "/v1/delegations",
      operationId: "delegations.list",
      summary: "Who may answer for whom now",
      tags: ["approvals"],
      access: "viewer",
      response: z.object({ data: z.array(delegationSchema) }),
      handle: async ({ principal: { tenant } }) => ({
        data: (await countingDelegations(deps, tenant)).map(viewDelegation),
      }),
    }),
    route({
      method: "POST",
      path: "/v1/delegations",
      operationId: "delegations.create",
      summary: "Let somebody answer for you until a time",
      tags: ["approvals"],
      access: "operator",
      body: z.strictObject({ to: z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/), until: z.iso.datetime() }),
      response: delegationSchema,
      status: 201,
      async handle({ body: { to, until }, principal: { id: from, tenant } }) {
        const createdAtMs = clock.now();
        const untilMs = Date.parse(until);
        const id = createId("del", createdAtMs);
        const delegation: Delegation = { id, tenant, from, to, createdAtMs, untilMs };
        const meta = { type: "approval.delegation_created", tenant, by: from, atMs: createdAtMs };
        await store.write([insertDelegation(delegation), factOf(meta, { delegation: id, to, untilMs })]);
        return viewDelegation(delegation);
      },
    }),
    route({
      method: "DELETE",
      path: "/v1/delegations/{id}",
      operationId: "delegations.revoke",
      summary: "End a delegation of yours; an admin ends anybody's",
      tags: ["approvals"],
      access: "operator",
      params,
      response: "none",
      async handle({ params: { id }, principal: { id: by, role, tenant } }) {
        const nowMs = clock.now();
        const fact = factOf(
          { type: "approval.delegation_revoked", tenant, by, atMs: nowMs },
          { delegation: id },
        );
        const revoked = revokeDelegation({ id, tenant, from: role === "admin" ? null : by }, nowMs);
        await writeOrMissing(store, [revoked, fact], `delegation ${id}`);
      },
    }),
  ];
}

/** In force, and made with a key that its holder still has. */
async function countingDelegations(deps: StandingRoutesDeps, tenant: string): Promise<readonly Delegation[]> {
  const people = lookUpPeople(deps, tenant);
  const counting: Delegation[] = [];
  for (const delegation of await listDelegations(deps.store, tenant, { nowMs: deps.clock.now() })) {
    if (holdsKeyOf(await people.holderOf(delegation.from), delegation.createdAtMs)) counting.push(delegation);
  }
  return counting;
}

async function writeOrMissing(store: Store, batch: readonly Statement[], what: string): Promise<void> {
  try {
    await store.write(batch);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    throw new HomeostatError("NOT_FOUND", `There is no ${what} in force`, {}, { cause: error });
  }
}

interface FactMeta {
  readonly type: string;
  readonly tenant: string;
  readonly by: string;
  readonly atMs: number;
}

function factOf({ by, ...fact }: FactMeta, data: JsonObject): Statement {
  return factInsert({ ...fact, actor: { kind: "user", id: by }, data });
}

function viewStanding(standing: ListedStanding): z.input<typeof standingSchema> {
  const { id, action, resource, scope, scopeId, approvalId, createdBy, voidBecause } = standing;
  return {
    id,
    action,
    resource,
    match: standing.argsDigest === null ? "resource" : "exact",
    scope,
    scopeId,
    approvalId,
    createdBy,
    createdAt: new Date(standing.createdAtMs).toISOString(),
    expiresAt: new Date(standing.expiresAtMs).toISOString(),
    voidBecause,
  };
}

function viewDelegation({
  id,
  from,
  to,
  createdAtMs,
  untilMs,
}: Delegation): z.input<typeof delegationSchema> {
  return {
    id,
    from,
    to,
    createdAt: new Date(createdAtMs).toISOString(),
    until: new Date(untilMs).toISOString(),
  };
}
