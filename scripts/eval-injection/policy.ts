/** The policy an evaluation decides with: the shipped one (or a given file), with the recorded suite's tools granted. */
import { readFileSync } from "node:fs";
import { defaultPolicyPath } from "../../packages/server/src/policy/force/active-policy.ts";
import { compilePolicy } from "../../packages/server/src/policy/rules/compile.ts";
import type { CompiledPolicy } from "../../packages/server/src/policy/rules/compile.ts";
import { requirePolicy } from "../../packages/server/src/policy/file/policy-file.ts";

/** Recorded agents had their tools by grant; without this every call would be denied and nothing measured. */
const grant = `
  - name: tools-granted-for-the-evaluation
    effect: allow
    action: "*"
`;

/** Throws POLICY_INVALID. A file of one's own is used as it is, plus the grant. */
export function evaluationPolicy(path: string | undefined): CompiledPolicy {
  const text = readFileSync(path ?? defaultPolicyPath, "utf8");
  return compilePolicy(requirePolicy(`${text.trimEnd()}\n${grant}`, { file: path ?? "default-policy.yaml" }));
}
