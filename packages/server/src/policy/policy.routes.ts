/** Routes of policy: what is in force, and the check of a candidate. */
import { z } from "zod";
import type { Finding } from "../base/finding.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { lintPolicy } from "./lint.ts";
import { parsePolicy } from "./policy-file.ts";

export interface PolicyRoutesDeps {
  readonly policy: Pick<ActivePolicy, "current" | "source">;
  readonly knownActions: readonly string[];
}

const findingSchema = z
  .object({
    severity: z.enum(["error", "warning"]),
    line: z.number().int(),
    column: z.number().int(),
    path: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  })
  .meta({ id: "PolicyFinding" });

const ruleSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  effect: z.enum(["allow", "ask", "deny"]),
  line: z.number().int(),
  actions: z.array(z.string()),
  resources: z.array(z.string()),
  risk: z.enum(["low", "medium", "high"]),
});

export function policyRoutes({ policy, knownActions }: PolicyRoutesDeps): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/policy",
      operationId: "policy.get",
      summary: "The policy in force, its rules and what its file's check found",
      tags: ["policy"],
      access: "viewer",
      response: z.object({
        revision: z.string(),
        path: z.string(),
        text: z.string(),
        rules: z.array(ruleSchema),
        findings: z.array(findingSchema),
      }),
      handle: () => {
        const current = policy.current();
        const source = policy.source();
        return {
          revision: current.revision,
          path: source.path,
          text: source.text,
          rules: current.rules.map(({ name, description, effect, line, actions, resources, risk }) => ({
            name,
            description,
            effect,
            line,
            actions: [...actions],
            resources: resources.map((glob) => glob.source),
            risk,
          })),
          findings: [...source.rejected, ...source.warnings].map(viewFinding),
        };
      },
    }),
    route({
      method: "POST",
      path: "/v1/policy/check",
      operationId: "policy.check",
      summary: "Check a candidate policy without activating it",
      tags: ["policy"],
      access: "viewer",
      body: z.strictObject({ text: z.string().max(1_048_576) }),
      response: z.object({ ok: z.boolean(), findings: z.array(findingSchema) }),
      handle: ({ body }) => {
        const { ok, findings } = checkPolicy(body.text, { knownActions });
        return { ok, findings: findings.map(viewFinding) };
      },
    }),
  ];
}

/** Every error of the file, or, when it has none, every warning. Never throws. */
export function checkPolicy(
  text: string,
  options: { readonly knownActions: readonly string[]; readonly file?: string },
): { readonly ok: boolean; readonly findings: readonly Finding[] } {
  const parsed = parsePolicy(text, options.file === undefined ? {} : { file: options.file });
  if (!parsed.ok) return { ok: false, findings: parsed.findings };
  return { ok: true, findings: [...parsed.warnings, ...lintPolicy(parsed.policy, options)] };
}

function viewFinding({
  severity,
  line,
  column,
  path,
  message,
  hint,
}: Finding): z.output<typeof findingSchema> {
  return { severity, line, column, path, message, ...(hint === undefined ? {} : { hint }) };
}
