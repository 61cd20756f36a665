/** The policy a command is about: a file, a policy.yaml with its policy.d, or the one of the data folder. */
import { basename, dirname, join } from "node:path";
import { homeAt } from "../../home/home.ts";
import { compilePolicy } from "../../policy/rules/compile.ts";
import type { CompiledPolicy } from "../../policy/rules/compile.ts";
import { parsePolicyFiles, requireGood } from "../../policy/file/policy-file.ts";
import type { PolicyText } from "../../policy/file/policy-file.ts";
import type { Policy } from "../../policy/rules/policy.ts";
import { readPolicyFolder } from "../../policy/file/policy-folder.ts";
import { loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import type { Paint } from "../terminal/terminal.ts";

/**
 * policy.yaml first. A file named policy.yaml, or one in a folder policy.d, stands for both; any other file for itself.
 * Throws NOT_FOUND.
 */
export async function readPolicyTexts(
  file: string | undefined,
  options: GlobalOptions,
): Promise<readonly PolicyText[]> {
  const path = file ?? homeAt(loadOptions(options).config.home).policy;
  const isPart = basename(dirname(path)) === "policy.d";
  const main = isPart ? join(dirname(path), "..", "policy.yaml") : path;
  const files = isPart || basename(path) === "policy.yaml" ? await readPolicyFolder(main) : undefined;
  return files ?? [{ name: path, text: (await readUserFile(path)).toString("utf8") }];
}

/** Throws POLICY_INVALID with every finding. */
export async function readPolicy(file: string | undefined, options: GlobalOptions): Promise<Policy> {
  return requireGood(parsePolicyFiles(await readPolicyTexts(file, options)));
}

export async function readCompiled(
  file: string | undefined,
  options: GlobalOptions,
): Promise<CompiledPolicy> {
  return compilePolicy(await readPolicy(file, options));
}

/**
 * What a server is sent. One file alone takes the place of policy.yaml: the server's policy.d stays beside it. Throws
 * POLICY_INVALID, which names the files as they are called here and not as on the server.
 */
export function toCandidate(
  files: readonly PolicyText[],
): { readonly text: string } | { readonly files: { name: string; text: string }[] } {
  requireGood(parsePolicyFiles(files));
  const [first] = files;
  if (files.length === 1 && first !== undefined) return { text: first.text };
  return {
    files: files.map(({ name, text }, index) => ({ name: index === 0 ? "policy.yaml" : name, text })),
  };
}

export type EffectName = "allow" | "ask" | "deny";

export function paintEffect(effect: EffectName, paint: Paint): string {
  return paint(({ allow: "green", ask: "yellow", deny: "red" } as const)[effect], effect);
}
