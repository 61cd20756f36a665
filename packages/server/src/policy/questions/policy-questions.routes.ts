/** Routes that ask policies: explain one action, run a table of cases, compare two policies, give editors the schema. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import type { Clock } from "../../base/clock.ts";
import { toErrorDetail } from "../../base/finding.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { ActivePolicy } from "../force/active-policy.ts";
import { compilePolicy } from "../rules/compile.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import { findNearMisses } from "./misses.ts";
import { parsePolicyCases, runPolicyCases } from "./policy-cases.ts";
import { diffPolicies } from "./policy-diff.ts";
import { parsePolicyFiles, requireGood } from "../file/policy-file.ts";
import type { PolicyText } from "../file/policy-file.ts";
import { policyJsonSchema } from "../file/policy-schema.ts";
import {
  actionRequest,
  candidateFields,
  candidateFiles,
  decisionSchema,
  requestInput,
  viewDecision,
} from "../force/policy-schemas.ts";
import type { PolicyVersions } from "../force/versions.ts";

export interface PolicyQuestionsDeps {
  readonly policy: Pick<ActivePolicy, "current" | "source">;
  readonly versions: Pick<PolicyVersions, "files">;
  readonly clock: Clock;
}

const common = { tags: ["policy"], access: "viewer", bodyLimitBytes: 8 * 1_048_576 } as const;
const effect = z.enum(["allow", "ask", "deny"]);
const missSchema = z.object({
  name: z.string(),
  effect,
  line: z.number().int(),
  file: z.string().optional(),
  missed: z.array(z.string()),
});
const coverageSchema = z.object({
  rules: z.number().int(),
  hit: z.number().int(),
  percent: z.number(),
  missed: z.array(z.object({ name: z.string(), line: z.number().int() })),
});
const partSchema = z.object({ part: z.string(), before: z.string(), after: z.string() });
const listedSchema = z.object({ name: z.string(), line: z.number().int(), effect: z.string() });
/** One side of a comparison; nothing: the policy in force. */
const sideSchema = z.strictObject({ ...candidateFields, version: z.number().int().min(1).optional() });

export function policyQuestionsRoutes(deps: PolicyQuestionsDeps): readonly Route[] {
  return [explainRoute(deps), testRoute(deps), diffRoute(deps), schemaRoute()];
}

function explainRoute({ policy, clock }: PolicyQuestionsDeps): Route {
  return route({
    ...common,
    method: "POST",
    path: "/v1/policy/explain",
    operationId: "policy.explain",
    summary: "Decide a made-up action and say why; nothing is done",
    body: requestInput.extend(candidateFields),
    response: z.object({ decision: decisionSchema, nearMisses: z.array(missSchema) }),
    handle: ({ body: { text, files, ...input }, principal }) => {
      const compiled = candidateOr(policy, { text, files });
      const request = actionRequest(input, principal, clock.now());
      const nearMisses = findNearMisses(compiled, request).map((miss) => ({
        ...miss,
        missed: [...miss.missed],
      }));
      return { decision: viewDecision(decide(compiled, request)), nearMisses };
    },
  });
}

function testRoute({ policy }: PolicyQuestionsDeps): Route {
  return route({
    ...common,
    method: "POST",
    path: "/v1/policy/test",
    operationId: "policy.test",
    summary: "Run a table of cases against a policy",
    body: z.strictObject({ ...candidateFields, cases: z.string().max(262_144) }),
    response: z.object({
      passed: z.number().int(),
      failed: z.number().int(),
      cases: z.array(
        z.object({
          name: z.string(),
          line: z.number().int(),
          ok: z.boolean(),
          effect,
          problems: z.array(z.string()),
        }),
      ),
      coverage: coverageSchema,
    }),
    handle: ({ body }) => {
      const compiled = candidateOr(policy, body);
      const parsed = parsePolicyCases(body.cases, "cases");
      if (!parsed.ok) {
        const details = parsed.findings.map(toErrorDetail);
        throw new HomeostatError("POLICY_INVALID", "The table of cases cannot be read", {}, { details });
      }
      const { cases, ...rest } = runPolicyCases(compiled, parsed.cases);
      return {
        ...rest,
        cases: cases.map(({ name, line, ok, decision, problems }) => ({
          name,
          line,
          ok,
          effect: decision.effect,
          problems,
        })),
      };
    },
  });
}

function diffRoute({ policy, versions }: PolicyQuestionsDeps): Route {
  const filesOf = async (side: z.output<typeof sideSchema> | undefined): Promise<readonly PolicyText[]> => {
    if (side?.version !== undefined) return await versions.files(side.version);
    return candidateFiles(side ?? {}, policy.source().files);
  };
  return route({
    ...common,
    method: "POST",
    path: "/v1/policy/diff",
    operationId: "policy.diff",
    summary: "What differs between two policies, by rules and by example",
    description: "A side is a version, a text, files, or, left out, the policy in force.",
    body: z.strictObject({ from: sideSchema.optional(), to: sideSchema.optional() }),
    response: z.object({
      added: z.array(listedSchema),
      removed: z.array(listedSchema),
      changed: z.array(z.object({ name: z.string(), line: z.number().int(), parts: z.array(partSchema) })),
      settings: z.array(partSchema),
      examples: z.array(
        z.object({
          request: z.object({
            action: z.string(),
            resource: z.string(),
            args: z.record(z.string(), z.unknown()),
            labels: z.array(z.string()),
            agent: z.string(),
            role: z.string(),
            tenant: z.string(),
          }),
          from: effect,
          to: effect,
          before: z.string(),
          after: z.string(),
        }),
      ),
    }),
    handle: async ({ body }) => {
      const [from, to] = await Promise.all([filesOf(body.from), filesOf(body.to)]);
      return diffPolicies(requireGood(parsePolicyFiles(from)), requireGood(parsePolicyFiles(to)));
    },
  });
}

function schemaRoute(): Route {
  return route({
    method: "GET",
    tags: ["policy"],
    access: "viewer",
    path: "/v1/policy/schema",
    operationId: "policy.schema",
    summary: "The JSON schema of policy files, for editors",
    response: z.record(z.string(), z.unknown()),
    handle: () => policyJsonSchema(),
  });
}

function candidateOr(
  policy: PolicyQuestionsDeps["policy"],
  candidate: { readonly text?: string | undefined; readonly files?: readonly PolicyText[] | undefined },
): CompiledPolicy {
  if (candidate.text === undefined && candidate.files === undefined) return policy.current();
  return compilePolicy(requireGood(parsePolicyFiles(candidateFiles(candidate, policy.source().files))));
}
