/** Routes about secrets: names, versions and grants go out, values only come in. */
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { refuseSecret } from "../base/refuse-secret.ts";
import type { HoldsSecret } from "../base/refuse-secret.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { SecretChanges, SecretContent } from "./secret-changes.ts";
import type { SecretRow } from "./secret-rows.ts";

const use = z.strictObject({
  action: z.string().min(1).meta({ description: "A glob over action names, for example `http.*`" }),
  resource: z
    .string()
    .min(1)
    .meta({ description: "A glob over resources, for example `https://api.example.org:443/**`" }),
});

const reference = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("vault"),
    path: z.string().min(1),
    field: z.string().min(1),
    version: z.number().int().positive().optional(),
  }),
  z.strictObject({ kind: z.literal("environment"), name: z.string().regex(/^[A-Z][A-Z0-9_]*$/) }),
  z.strictObject({ kind: z.literal("file"), name: z.string().min(1) }),
]);

const secretSchema = z
  .object({
    name: z.string(),
    handle: z.string(),
    version: z.number().int(),
    source: z.enum(["store", "vault", "environment", "file"]),
    uses: z.array(z.object({ action: z.string(), resource: z.string() })),
    description: z.string().nullable(),
    createdBy: z.string(),
    createdAt: z.string(),
  })
  .meta({ id: "Secret" });

const params = z.object({ name: z.string() });

export interface SecretsRoutesDeps {
  readonly changes: SecretChanges;
  readonly holdsSecret: HoldsSecret;
}

/** A shorter value stands in ordinary words too, and is refused as a secret anyway. */
const shortestTold = 8;

export function secretsRoutes({ changes, holdsSecret }: SecretsRoutesDeps): readonly Route[] {
  const common = { tags: ["secrets"], access: "admin" } as const;
  return [
    route({
      ...common,
      method: "GET",
      path: "/v1/secrets",
      operationId: "secrets.list",
      summary: "Every secret by name, with what it may be used for; never a value",
      access: "operator",
      response: z.object({ data: z.array(secretSchema) }),
      handle: async ({ principal }) => ({ data: (await changes.list(principal.tenant)).map(toSecret) }),
    }),
    route({
      ...common,
      method: "PUT",
      path: "/v1/secrets/{name}",
      operationId: "secrets.set",
      summary: "Make a secret, or replace its value and what it may be used for",
      description: "The value, or a reference to where it is kept. It cannot be read back.",
      params,
      body: z.strictObject({
        value: z.string().optional(),
        reference: reference.optional(),
        uses: z.array(use).max(100),
        description: z.string().max(500).optional(),
      }),
      response: secretSchema,
      async handle({ params: { name }, body, principal }) {
        const { uses, description = null } = body;
        const { value = "" } = body;
        // Of all texts the one about a secret is likeliest to repeat it, and nobody knows this value yet.
        const tells = (text: string): boolean =>
          holdsSecret(text) || (value.length >= shortestTold && text.includes(value));
        refuseSecret(tells, description, { what: "The description", path: "body.description" });
        const content = contentOf(body);
        return toSecret(await changes.set({ ...keyOf(name, principal), content, uses, description }));
      },
    }),
    route({
      ...common,
      method: "POST",
      path: "/v1/secrets/{name}/rotate",
      operationId: "secrets.rotate",
      summary: "Give a secret a new value for the same uses",
      params,
      body: z.strictObject({
        value: z.string().optional(),
        reference: reference.optional(),
        retirePrevious: z
          .boolean()
          .default(false)
          .meta({ description: "Destroy the version before at once, not at the next rotation" }),
      }),
      response: secretSchema,
      async handle({ params: { name }, body, principal }) {
        const { retirePrevious } = body;
        const content = contentOf(body);
        return toSecret(await changes.rotate({ ...keyOf(name, principal), content, retirePrevious }));
      },
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/v1/secrets/{name}",
      operationId: "secrets.remove",
      summary: "Destroy every version of a secret",
      params,
      response: "none",
      handle: async ({ params: { name }, principal }) => await changes.remove(keyOf(name, principal)),
    }),
  ];
}

function keyOf(name: string, principal: { readonly id: string; readonly tenant: string }) {
  return { tenant: principal.tenant, name, by: principal.id };
}

function contentOf(body: {
  readonly value?: string | undefined;
  readonly reference?: z.output<typeof reference> | undefined;
}): SecretContent {
  const { value, reference: elsewhere } = body;
  if (value !== undefined && elsewhere === undefined) return { kind: "value", value };
  if (value === undefined && elsewhere !== undefined) {
    const { version, ...rest } = { version: undefined, ...elsewhere };
    // Left out rather than undefined: the row is JSON.
    return {
      kind: "reference",
      reference: version === undefined ? rest : { ...rest, version },
    } as SecretContent;
  }
  throw new HomeostatError("REQUEST_INVALID", "A secret needs either `value` or `reference`", {});
}

function toSecret(row: SecretRow): z.input<typeof secretSchema> {
  return {
    name: row.name,
    handle: `secret://${row.name}`,
    version: row.version,
    source: row.reference?.kind ?? "store",
    uses: row.uses.map((each) => ({ ...each })),
    description: row.description,
    createdBy: row.createdBy,
    createdAt: new Date(row.createdAtMs).toISOString(),
  };
}
