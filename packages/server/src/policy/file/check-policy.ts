/** The check of a policy: what stops it from being used, else what in it does not do what it seems to. */
import type { Finding } from "../../base/finding.ts";
import { lintPolicy } from "./lint.ts";
import { parsePolicyFiles } from "./policy-file.ts";
import type { PolicyText } from "./policy-file.ts";

/** Every error of the files, or, when they have none, every warning. Never throws. */
export function checkPolicyFiles(
  files: readonly PolicyText[],
  knownActions: readonly string[],
): { readonly ok: boolean; readonly revision: string | null; readonly findings: readonly Finding[] } {
  const parsed = parsePolicyFiles(files);
  if (!parsed.ok) return { ok: false, revision: null, findings: parsed.findings };
  const lint = lintPolicy(parsed.policy, { knownActions, file: files[0]!.name });
  return { ok: true, revision: parsed.policy.revision, findings: [...parsed.warnings, ...lint] };
}
