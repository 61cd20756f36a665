/** The shapes that several routes of policy answer with or take. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import type { Finding } from "../../base/finding.ts";
import type { Principal } from "../../http/access.ts";
import type { ActionRequest, Decision } from "../rules/decision.ts";
import { describeObligations } from "../rules/explain.ts";
import type { PolicyText } from "../file/policy-file.ts";
import { originLabels } from "../file/read-matchers.ts";

export const findingSchema = z
  .object({
    severity: z.enum(["error", "warning"]),
    file: z.string().optional(),
    line: z.number().int(),
    column: z.number().int(),
    path: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  })
  .meta({ id: "PolicyFinding" });

export function viewFinding(finding: Finding): z.output<typeof findingSchema> {
  const { severity, file, line, column, path, message, hint } = finding;
  return {
    severity,
    line,
    column,
    path,
    message,
    ...(file === undefined ? {} : { file }),
    ...(hint === undefined ? {} : { hint }),
  };
}

export const policyTextSchema = z.object({ name: z.string(), text: z.string() }).meta({ id: "PolicyText" });

const fileInput = z.strictObject({ name: z.string().min(1).max(100), text: z.string().max(262_144) });
/** A candidate: `text` alone is policy.yaml, `files` is all of them, policy.yaml first. */
export const candidateFields = {
  text: z.string().max(1_048_576).optional(),
  files: z.array(fileInput).min(1).max(201).optional(),
};

/** The files of a candidate; `otherwise` when none are given. Given `text` alone, the parts of policy.d stay as they are. */
export function candidateFiles(
  { text, files }: { readonly text?: string | undefined; readonly files?: readonly PolicyText[] | undefined },
  active: readonly PolicyText[],
): readonly PolicyText[] {
  if (files !== undefined) return files;
  if (text === undefined) return active;
  return [{ name: active[0]!.name, text }, ...active.slice(1)];
}

const effect = z.enum(["allow", "ask", "deny"]);

const matchedSchema = z.object({
  name: z.string(),
  effect,
  line: z.number().int(),
  file: z.string().optional(),
  why: z.string(),
});

export const decisionSchema = z
  .object({
    effect,
    risk: z.enum(["low", "medium", "high"]),
    reason: z.string(),
    revision: z.string(),
    matched: z.array(matchedSchema),
    demands: z.string().meta({ description: "What the action must keep to, in words; empty when nothing" }),
    score: z.number().int().nullable(),
    factors: z
      .array(z.object({ name: z.string(), points: z.number(), why: z.string() }))
      .meta({ description: "What the score is made of, largest first" }),
  })
  .meta({ id: "PolicyDecision" });

export function viewDecision(decision: Decision): z.input<typeof decisionSchema> {
  const { effect: decided, risk, reason, revision, matched, obligations, score } = decision;
  return {
    effect: decided,
    risk,
    reason,
    revision,
    matched: [...matched],
    demands: describeObligations(obligations),
    score: score?.value ?? null,
    factors: [...(score?.factors ?? [])],
  };
}

/** A made-up action; what is left out has these defaults. */
export const requestInput = z.strictObject({
  action: z.string().min(1).max(200),
  resource: z.string().max(8_192),
  args: z.record(z.string(), z.unknown()).default({}),
  labels: z.array(z.enum(originLabels as [ActionRequest["labels"][number]])).default([]),
  agent: z.string().max(200).default("workflow:example"),
  role: z.string().max(100).default("operator"),
  tenant: z.string().max(100).optional(),
  user: z.string().max(200).optional(),
  at: z.iso.datetime({ offset: true }).optional().meta({ description: "When; now without it" }),
});

export function actionRequest(
  input: z.output<typeof requestInput>,
  caller: Principal,
  nowMs: number,
): ActionRequest {
  const { at, user, tenant, ...rest } = input;
  return {
    ...rest,
    tenant: tenant ?? caller.tenant,
    user: user ?? `user:${caller.id}`,
    atMs: at === undefined ? nowMs : Date.parse(at),
  };
}

/** One policy speaks for all tenants: only those of the tenant that runs the server may change it. */
export function requireOwner({ tenant }: Principal): void {
  if (tenant === "default") return;
  throw new HomeostatError(
    "AUTHORIZATION_DENIED",
    `The policy is for all tenants; tenant ${tenant} cannot change it`,
    { tenant },
  );
}
