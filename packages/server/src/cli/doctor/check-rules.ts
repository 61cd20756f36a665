/** What `doctor` says of policy.yaml: whether a server could use it, and what in it does not do what it seems to. */
import { formatFinding } from "../../base/finding.ts";
import { isHomeostatError } from "../../base/error.ts";
import { checkPolicyFiles } from "../../policy/file/check-policy.ts";
import { builtInTools } from "../policy/built-in-tools.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { readPolicyTexts } from "../policy/policy-files.ts";

export async function checkRules(options: GlobalOptions): Promise<Diagnosis> {
  const name = "policy";
  try {
    const files = await readPolicyTexts(undefined, options);
    const { ok, revision, findings } = checkPolicyFiles(files, [...builtInTools().keys()]);
    const [first] = findings;
    if (first === undefined) {
      const place = files.map((file) => file.name).join(", ");
      return { name, state: "ok", detail: `${place}, revision ${(revision ?? "").slice(0, 19)}` };
    }
    const rest = findings.length > 1 ? ` (and ${findings.length - 1} more)` : "";
    const detail = `${formatFinding(first)}${rest}`;
    return { name, state: ok ? "warning" : "failed", detail, hint: "homeostat policy check" };
  } catch (error) {
    if (isHomeostatError(error, "NOT_FOUND"))
      return { name, state: "ok", detail: "the shipped one will be copied by `homeostat up`" };
    return failed(name, error);
  }
}
