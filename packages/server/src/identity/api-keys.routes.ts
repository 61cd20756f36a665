/** Routes about API keys: who besides the admin may use the control plane, and in which role. */
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { isOwner } from "../http/access.ts";
import type { Principal } from "../http/access.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { ApiKey, ApiKeys } from "./api-keys.ts";

/** It stands in keys and paths of others: no slash, and no mark that they use. */
const tenantName = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/);

const role = z.enum(["viewer", "operator", "approver", "admin"]);
const shape = {
  id: z.string(),
  principal: z.string(),
  tenant: z.string(),
  role,
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
};
const keySchema = z.object(shape).meta({ id: "ApiKey" });

const endedRightsSchema = z.object({
  delegations: z.number().int().describe("From its holder to others"),
  handOns: z.number().int().describe("Of open questions, by its holder and from there"),
  links: z.number().int().describe("To open questions, unused, by its holder or for them"),
});

export interface ApiKeysRoutesDeps {
  readonly keys: ApiKeys;
  /** How many remembered answers do not count any more because this key has ended. */
  readonly countEndedWith: (key: ApiKey) => Promise<number>;
  /** How much that was handed out with this key ended with it. */
  readonly countRightsEndedWith: (key: ApiKey) => Promise<z.output<typeof endedRightsSchema>>;
}

/** Stands for every tenant, which no name does. */
const allTenants = "*";

export function apiKeysRoutes(deps: ApiKeysRoutesDeps): readonly Route[] {
  return [listRoute(deps), createRoute(deps), revokeRoute(deps)];
}

const common = { tags: ["keys"], access: "admin" } as const;

function listRoute({ keys }: ApiKeysRoutesDeps): Route {
  return route({
    ...common,
    method: "GET",
    path: "/v1/api-keys",
    operationId: "keys.list",
    summary: "Who has a key, and in which role",
    query: z.object({
      tenant: z
        .union([tenantName, z.literal(allTenants)])
        .meta({
          description:
            "Absent: the caller's. Another one, or `*` for all of them, is for admins of the tenant that runs the server (`default`).",
        })
        .optional(),
    }),
    response: z.object({ data: z.array(keySchema) }),
    async handle({ query, principal }) {
      const tenant = tenantFor(principal, query.tenant);
      return { data: (await keys.list(tenant === allTenants ? null : tenant)).map(toView) };
    },
  });
}

function createRoute({ keys }: ApiKeysRoutesDeps): Route {
  return route({
    ...common,
    method: "POST",
    path: "/v1/api-keys",
    operationId: "keys.create",
    summary: "Make a key for somebody; it is shown in this answer alone",
    body: z.strictObject({
      principal: z.string().meta({ description: "The name under which policy and approvals know them" }),
      role,
      expiresAt: z.iso.datetime().optional(),
      tenant: tenantName
        .meta({
          description:
            "Absent: the caller's. Another one, which begins with its first key, is for admins of the tenant that runs the server (`default`).",
        })
        .optional(),
    }),
    status: 201,
    response: z.object({ ...shape, key: z.string() }),
    async handle({ body, principal }) {
      const expiresAtMs = body.expiresAt === undefined ? null : Date.parse(body.expiresAt);
      const made = await keys.create({
        tenant: tenantFor(principal, body.tenant),
        by: principal.id,
        byTenant: principal.tenant,
        principal: body.principal,
        role: body.role,
        expiresAtMs,
      });
      return { ...toView(made), key: made.key };
    },
  });
}

function revokeRoute({ keys, countEndedWith, countRightsEndedWith }: ApiKeysRoutesDeps): Route {
  return route({
    ...common,
    method: "DELETE",
    path: "/v1/api-keys/{id}",
    operationId: "keys.revoke",
    summary: "End a key and every session opened with it",
    description:
      "Admins of the tenant that runs the server (`default`) end those of every tenant. Answers that its holder gave to be remembered, or others gave for them, do not count any more; nor do their delegations, what they handed on, and links that they made or that are for them.",
    params: z.object({ id: z.string() }),
    response: z.object({
      ...shape,
      rememberedAnswersVoid: z
        .number()
        .int()
        .nullable()
        .describe("Null: the key has ended, and they could not be counted"),
      rightsVoid: endedRightsSchema
        .nullable()
        .describe("What was handed out with the key and ended with it; null: it could not be counted"),
    }),
    async handle({ params: { id }, principal }) {
      const tenant = isOwner(principal) ? null : principal.tenant;
      const ended = await keys.revoke({ id, tenant, by: principal.id, byTenant: principal.tenant });
      // The key has ended whatever becomes of the count: an error would say that it has not.
      const rememberedAnswersVoid = await countEndedWith(ended).catch(() => null);
      const rightsVoid = await countRightsEndedWith(ended).catch(() => null);
      return { ...toView(ended), rememberedAnswersVoid, rightsVoid };
    },
  });
}

function tenantFor(principal: Principal, wanted: string | undefined): string {
  if (wanted === undefined || wanted === principal.tenant || isOwner(principal))
    return wanted ?? principal.tenant;
  throw new HomeostatError(
    "AUTHORIZATION_DENIED",
    `Keys of ${wanted === allTenants ? "all tenants" : `tenant ${wanted}`} are not for admins of tenant ${principal.tenant}`,
    { tenant: wanted },
    { hint: "Ask an admin of the tenant that runs the server." },
  );
}

function toView(key: ApiKey): z.input<typeof keySchema> {
  const { id, principal, tenant, role: of, createdBy, createdAtMs, expiresAtMs } = key;
  return {
    id,
    principal,
    tenant,
    role: of,
    createdBy,
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
  };
}
