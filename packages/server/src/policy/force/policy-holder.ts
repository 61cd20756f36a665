/** What is in force and what was refused: one assignment at a time, so that a decision sees one policy and never parts of two. */
import { HomeostatError } from "../../base/error.ts";
import { formatFinding } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import type { Health } from "../../supervision/part.ts";
import { compilePolicy } from "../rules/compile.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { lintPolicy } from "../file/lint.ts";
import { parsePolicyFiles } from "../file/policy-file.ts";
import type { PolicyText } from "../file/policy-file.ts";

/** What a change of the policy led to; sent once per content. */
export type PolicyChange =
  /** A new revision is in force. `warnings` are the lint's. */
  | {
      readonly kind: "activated";
      readonly revision: string;
      readonly rules: number;
      readonly warnings: readonly Finding[];
      readonly files: readonly PolicyText[];
      /** Who activated it over the API; null: the files were changed. */
      readonly by: string | null;
      readonly note: string | null;
      /** Its number when it is among the versions already: it came from there. */
      readonly version: number | null;
    }
  /** The files cannot be used; `kept` is the revision that stays in force. */
  | { readonly kind: "rejected"; readonly findings: readonly Finding[]; readonly kept: string };

export interface Candidate {
  /** policy.yaml first, under any name. */
  readonly files: readonly PolicyText[];
  readonly expected: string;
  readonly by: string;
  readonly note: string | null;
}

export interface HolderDeps {
  /** Absolute path of policy.yaml, for findings. */
  readonly path: string;
  /** Action names of this server, for the lint. */
  readonly knownActions: readonly string[];
  /** Told of every change after the start, and of the first policy. Must not throw; called in order, never twice for one content. */
  readonly report: (change: PolicyChange) => void;
}

export interface InForce {
  readonly compiled: CompiledPolicy;
  readonly files: readonly PolicyText[];
  readonly warnings: readonly Finding[];
}

/** Who put a policy in force, why, and its number when it is among the versions already. */
export interface Activation {
  readonly by: string | null;
  readonly note: string | null;
  readonly version: number | null;
}

export const byFiles: Activation = { by: null, note: null, version: null };

/** What is in force and what was refused; knows nothing of files and time. */
export interface Holder {
  /** Throws POLICY_INVALID before the first good text. */
  readonly inForce: () => InForce;
  /** What is wrong with these files; nothing: they can be put in force. */
  readonly check: (files: readonly PolicyText[]) => readonly Finding[];
  /** Puts good files in force and answers with nothing; else with what is wrong. */
  readonly activate: (files: readonly PolicyText[], how: Activation) => readonly Finding[];
  readonly reject: (findings: readonly Finding[]) => void;
  readonly rejected: () => readonly Finding[];
  readonly health: () => Health;
}

export function createHolder({ path, knownActions, report }: HolderDeps): Holder {
  let held: InForce | undefined;
  let rejected: readonly Finding[] = [];

  function inForce(): InForce {
    if (held !== undefined) return held;
    throw new HomeostatError("POLICY_INVALID", `The policy ${path} is not loaded yet`);
  }

  return {
    inForce,
    rejected: () => rejected,
    check(files) {
      const result = parsePolicyFiles(files);
      return result.ok ? [] : result.findings;
    },
    activate(files, { by, note, version }) {
      const result = parsePolicyFiles(files);
      if (!result.ok) return result.findings;
      const { policy } = result;
      const { revision } = policy;
      const warnings = [...result.warnings, ...lintPolicy(policy, { knownActions, file: path })];
      const isNew = held?.compiled.revision !== revision;
      // One assignment: a decision sees the old policy or the new one, never parts of both.
      held = { compiled: compilePolicy(policy), files, warnings };
      if (isNew)
        report({
          kind: "activated",
          revision,
          rules: policy.rules.length,
          warnings,
          files,
          by,
          note,
          version,
        });
      return [];
    },
    reject(findings) {
      rejected = findings;
      if (findings.length > 0) report({ kind: "rejected", findings, kept: inForce().compiled.revision });
    },
    health() {
      if (held === undefined) return { kind: "failed", detail: "no policy is loaded" };
      const [first] = rejected;
      if (first === undefined) return { kind: "ok", detail: `${held.compiled.rules.length} rules` };
      return { kind: "degraded", detail: `the last good policy stays in force: ${formatFinding(first)}` };
    },
  };
}
