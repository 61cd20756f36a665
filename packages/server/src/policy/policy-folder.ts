/** The files of a policy on disk: policy.yaml and `policy.d/*.yaml` beside it. Reads them, sees changes, writes them whole. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HomeostatError } from "../base/error.ts";

import type { PolicyText } from "./policy-file.ts";

/** Names of files in policy.d, as in `policy.d/acme.yaml`. */
export const partPattern: RegExp = /^policy\.d\/[a-z0-9][a-z0-9._-]{0,63}\.yaml$/i;

/** More would make a reload slow, and nobody could oversee them. */
const mostFiles = 200;

/** Changes whenever a file is written, replaced, added or removed; sizes and inodes catch writers that keep the time. */
export async function stampOf(path: string): Promise<string> {
  const paths = [path, ...(await partNames(path)).map((name) => join(dirname(path), name))];
  const stamps = await Promise.all(paths.map(stampOfFile));
  return paths.map((each, index) => `${each} ${stamps[index]}`).join("\n");
}

/** policy.yaml first, under its whole path; undefined when it is not there. Throws when something cannot be read. */
export async function readPolicyFolder(path: string): Promise<readonly PolicyText[] | undefined> {
  const text = await readFile(path, "utf8").catch(undefinedWhenAbsent);
  if (text === undefined) return undefined;
  const parts: PolicyText[] = [];
  for (const name of await partNames(path)) {
    // Gone between the listing and now: the next look sees it.
    const part = await readFile(join(dirname(path), name), "utf8").catch(undefinedWhenAbsent);
    if (part !== undefined) parts.push({ name, text: part });
  }
  return [{ name: path, text }, ...parts];
}

/**
 * Puts `files` in place of what is there, each by one rename, policy.yaml last; files of policy.d that are not among them
 * go. Whoever reads meanwhile may see some old and some new files, never half of one.
 */
export async function writePolicyFolder(path: string, files: readonly PolicyText[]): Promise<void> {
  const [main, ...parts] = files;
  const kept = new Set(parts.map(({ name }) => name));
  if (parts.length > 0) await mkdir(join(dirname(path), "policy.d"), { recursive: true, mode: 0o700 });
  for (const { name, text } of parts) {
    if (!partPattern.test(name)) {
      const hint = "Files beside policy.yaml are named like policy.d/acme.yaml.";
      throw new HomeostatError("POLICY_INVALID", `${name} is no name of a policy file`, {}, { hint });
    }
    await writeWhole(join(dirname(path), name), text);
  }
  for (const name of await partNames(path)) if (!kept.has(name)) await rm(join(dirname(path), name));
  if (main !== undefined) await writeWhole(path, main.text);
}

async function partNames(path: string): Promise<readonly string[]> {
  const folder = join(dirname(path), "policy.d");
  const entries = await readdir(folder).catch((error: unknown) => undefinedWhenAbsent(error));
  const names = (entries ?? [])
    .map((name) => `policy.d/${basename(name)}`)
    .filter((name) => partPattern.test(name));
  if (names.length > mostFiles) {
    throw new HomeostatError(
      "POLICY_INVALID",
      `${folder} holds ${names.length} files, more than ${mostFiles}`,
    );
  }
  return names.sort();
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function stampOfFile(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(undefinedWhenAbsent);
  return found === undefined ? "missing" : `${found.mtimeNs}/${found.size}/${found.ino}`;
}

function undefinedWhenAbsent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
