/** Routes of the policy in force: what it says, its check, its activation and its versions. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import { refuseSecret } from "../../base/refuse-secret.ts";
import type { HoldsSecret } from "../../base/refuse-secret.ts";
import { formatCursor, pageOf, pageQuery, parseCursor } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { checkPolicyFiles } from "../file/check-policy.ts";
import {
  candidateFields,
  candidateFiles,
  findingSchema,
  policyTextSchema,
  requireOwner,
  viewFinding,
} from "./policy-schemas.ts";
import type { PolicyVersion, PolicyVersions } from "./versions.ts";

export interface PolicyRoutesDeps {
  readonly policy: Pick<ActivePolicy, "current" | "source" | "activate">;
  readonly versions: PolicyVersions;
  /** Resolves when what was activated last is among the versions. */
  readonly kept: () => Promise<void>;
  readonly knownActions: readonly string[];
  /** Notes are shown for ever, so they may hold none. */
  readonly holdsSecret: HoldsSecret;
}

const ruleSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  effect: z.enum(["allow", "ask", "deny"]),
  line: z.number().int(),
  file: z.string().nullable(),
  section: z.string().nullable(),
  actions: z.array(z.string()),
  resources: z.array(z.string()),
  risk: z.enum(["low", "medium", "high"]),
});

const policySchema = z
  .object({
    revision: z.string(),
    path: z.string(),
    text: z.string().meta({ description: "Of policy.yaml" }),
    files: z.array(policyTextSchema).meta({ description: "policy.yaml first, then those of policy.d" }),
    rules: z.array(ruleSchema),
    findings: z.array(findingSchema),
  })
  .meta({ id: "Policy" });

const versionSchema = z
  .object({
    number: z.number().int(),
    revision: z.string(),
    rules: z.number().int(),
    by: z.string().nullable().meta({ description: "Null: the files were changed" }),
    note: z.string().nullable(),
    at: z.string(),
    isActive: z.boolean(),
  })
  .meta({ id: "PolicyVersion" });

const common = { tags: ["policy"], access: "viewer" } as const;
const versionParams = z.object({ number: z.coerce.number().int().min(1) });
const expected = z
  .string()
  .max(200)
  .optional()
  .meta({ description: "The revision the change was made on; If-Match says the same" });
const note = z
  .string()
  .max(500)
  .optional()
  .meta({ description: "Why, for those who look at the versions later" });

export function policyRoutes(deps: PolicyRoutesDeps): readonly Route[] {
  return [...currentRoutes(deps), ...versionRoutes(deps)];
}

function currentRoutes(deps: PolicyRoutesDeps): readonly Route[] {
  const { policy } = deps;
  return [
    route({
      ...common,
      method: "GET",
      path: "/v1/policy",
      operationId: "policy.get",
      summary: "The policy in force, its rules and what its files' check found",
      response: policySchema,
      handle: () => viewPolicy(policy),
    }),
    route({
      ...common,
      method: "PUT",
      path: "/v1/policy",
      operationId: "policy.activate",
      summary: "Put another policy in force",
      description:
        "Writes policy.yaml (and, with `files`, those of policy.d) and activates it at once. The revision it was made on must be the one in force (412 otherwise).",
      access: "admin",
      bodyLimitBytes: 8 * 1_048_576,
      body: z.strictObject({ ...candidateFields, expected, note }),
      response: policySchema,
      handle: async ({ body, headers, principal }) => {
        requireOwner(principal);
        if (body.text === undefined && body.files === undefined) {
          throw new HomeostatError("REQUEST_INVALID", "Neither `text` nor `files` is given");
        }
        const files = candidateFiles(body, policy.source().files);
        await activate(deps, {
          files,
          expected: expectedOf(body.expected, headers["if-match"]),
          by: principal.id,
          note: body.note ?? null,
        });
        return viewPolicy(policy);
      },
    }),
    checkRoute(deps),
  ];
}

function checkRoute({ policy, knownActions }: PolicyRoutesDeps): Route {
  return route({
    ...common,
    method: "POST",
    path: "/v1/policy/check",
    operationId: "policy.check",
    summary: "Check a candidate policy without activating it",
    bodyLimitBytes: 8 * 1_048_576,
    body: z.strictObject(candidateFields),
    response: z.object({
      ok: z.boolean(),
      revision: z.string().nullable(),
      findings: z.array(findingSchema),
    }),
    handle: ({ body }) => {
      const { ok, revision, findings } = checkPolicyFiles(
        candidateFiles(body, policy.source().files),
        knownActions,
      );
      return { ok, revision, findings: findings.map(viewFinding) };
    },
  });
}

function versionRoutes(deps: PolicyRoutesDeps): readonly Route[] {
  const { policy, versions } = deps;
  return [
    route({
      ...common,
      method: "GET",
      path: "/v1/policy/versions",
      operationId: "policy.versions",
      summary: "What was in force, newest first, with who activated it",
      query: z.object(pageQuery),
      response: pageOf(versionSchema),
      handle: async ({ query: { limit, cursor } }) => {
        const before = cursor === undefined ? null : parseCursor(cursor, z.tuple([z.number().int()]))[0];
        const rows = await versions.list({ limit: limit + 1, before });
        const data = rows.slice(0, limit);
        const last = data.at(-1);
        const active = (before === null ? rows[0] : undefined)?.number;
        return {
          data: data.map((version) => viewVersion(version, version.number === active)),
          nextCursor: rows.length > limit && last !== undefined ? formatCursor([last.number]) : null,
        };
      },
    }),
    route({
      ...common,
      method: "GET",
      path: "/v1/policy/versions/{number}",
      operationId: "policy.version",
      summary: "The files of one version",
      params: versionParams,
      response: z.object({ number: z.number().int(), files: z.array(policyTextSchema) }),
      handle: async ({ params: { number } }) => ({ number, files: [...(await versions.files(number))] }),
    }),
    route({
      ...common,
      method: "POST",
      path: "/v1/policy/versions/{number}/activate",
      operationId: "policy.rollback",
      summary: "Put an earlier version in force again",
      access: "admin",
      params: versionParams,
      body: z.strictObject({ expected, note }),
      response: policySchema,
      handle: async ({ params: { number }, body, headers, principal }) => {
        requireOwner(principal);
        const files = await versions.files(number);
        const because = body.note ?? `version ${number} again`;
        await activate(deps, {
          files,
          expected: expectedOf(body.expected, headers["if-match"]),
          by: principal.id,
          note: because,
        });
        return viewPolicy(policy);
      },
    }),
  ];
}

async function activate(
  { policy, kept, holdsSecret }: PolicyRoutesDeps,
  candidate: Parameters<ActivePolicy["activate"]>[0],
): Promise<void> {
  refuseSecret(holdsSecret, candidate.note, { what: "The note", path: "body.note" });
  await policy.activate(candidate);
  await kept();
}

/** Without it two editors would overwrite each other. */
function expectedOf(given: string | undefined, ifMatch: string | undefined): string {
  const revision = given ?? ifMatch?.replace(/^(?:W\/)?"(.*)"$/, "$1");
  if (revision !== undefined) return revision;
  const hint = "Give `expected` (or If-Match) with the revision that the change was made on.";
  throw new HomeostatError("REQUEST_INVALID", "The revision to be replaced is missing", {}, { hint });
}

function viewPolicy(policy: PolicyRoutesDeps["policy"]): z.input<typeof policySchema> {
  const { revision, rules } = policy.current();
  const { path, text, files, rejected, warnings } = policy.source();
  return {
    revision,
    path,
    text,
    files: files.map(({ name, text: each }, index) => ({
      name: index === 0 ? "policy.yaml" : name,
      text: each,
    })),
    rules: rules.map((rule) => ({
      name: rule.name,
      description: rule.description,
      effect: rule.effect,
      line: rule.line,
      file: rule.file ?? null,
      section: rule.section?.name ?? null,
      actions: [...rule.actions],
      resources: rule.resources.map((glob) => glob.source),
      risk: rule.risk,
    })),
    findings: [...rejected, ...warnings].map(viewFinding),
  };
}

function viewVersion(version: PolicyVersion, isActive: boolean): z.output<typeof versionSchema> {
  const { number, revision, rules, by, note: why, atMs } = version;
  return { number, revision, rules, by, note: why, at: new Date(atMs).toISOString(), isActive };
}
