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

/**
 * Several files cannot be replaced at once, and a moment without one of them may be a moment without its denies. So the whole
 * set is first written here, by one rename: as long as this file is there, it is what counts.
 */
export const pendingName = "policy.pending.json";

/** Changes whenever a file is written, replaced, added or removed; sizes and inodes catch writers that keep the time. */
export async function stampOf(path: string): Promise<string> {
  const parts = (await partNames(path)).map((name) => join(dirname(path), name));
  const paths = [path, pendingOf(path), ...parts];
  const stamps = await Promise.all(paths.map(stampOfFile));
  return paths.map((each, index) => `${each} ${stamps[index]}`).join("\n");
}

/**
 * policy.yaml first, under its whole path; undefined when it is not there. What is seen is one set, before or after somebody
 * replaced it. Throws when something cannot be read.
 */
export async function readPolicyFolder(path: string): Promise<readonly PolicyText[] | undefined> {
  for (;;) {
    const stamp = await stampOf(path);
    const files = (await readPending(path)) ?? (await readFiles(path));
    // Else somebody writes, and what was read may be of two sets.
    if ((await stampOf(path)) === stamp) return files;
  }
}

async function readFiles(path: string): Promise<readonly PolicyText[] | undefined> {
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
 * Puts `files`, policy.yaml first, in place of what is there; files of policy.d that are not among them go. Whoever reads
 * meanwhile sees the old set or the new one, also when the writer ends in the middle.
 */
export async function writePolicyFolder(path: string, files: readonly PolicyText[]): Promise<void> {
  const stray = files.slice(1).find(({ name }) => !partPattern.test(name));
  if (stray !== undefined) {
    const hint = "Files beside policy.yaml are named like policy.d/acme.yaml.";
    throw new HomeostatError("POLICY_INVALID", `${stray.name} is no name of a policy file`, {}, { hint });
  }
  if (files.length === 1 && (await partNames(path)).length === 0)
    return await writeWhole(path, files[0]!.text);
  await writeWhole(pendingOf(path), JSON.stringify(files.map(({ name, text }) => ({ name, text }))));
  await placeFiles(path, files);
}

/** Ends what a writer began that was killed in the middle; one that began within `patienceMs` may still be at it. */
export async function finishPolicyFolder(path: string, nowMs: number, patienceMs: number): Promise<void> {
  const found = await stat(pendingOf(path)).catch(undefinedWhenAbsent);
  if (found === undefined || nowMs - found.mtimeMs < patienceMs) return;
  const pending = await readPending(path);
  if (pending !== undefined) await placeFiles(path, pending);
}

async function placeFiles(path: string, [main, ...parts]: readonly PolicyText[]): Promise<void> {
  const kept = new Set(parts.map(({ name }) => name));
  if (parts.length > 0) await mkdir(join(dirname(path), "policy.d"), { recursive: true, mode: 0o700 });
  for (const { name, text } of parts) await writeWhole(join(dirname(path), name), text);
  for (const name of await partNames(path))
    if (!kept.has(name)) await rm(join(dirname(path), name), { force: true });
  if (main !== undefined) await writeWhole(path, main.text);
  await rm(pendingOf(path), { force: true });
}

function pendingOf(path: string): string {
  return join(dirname(path), pendingName);
}

async function readPending(path: string): Promise<readonly PolicyText[] | undefined> {
  const text = await readFile(pendingOf(path), "utf8").catch(undefinedWhenAbsent);
  if (text === undefined) return undefined;
  const [main, ...parts] = JSON.parse(text) as readonly PolicyText[];
  // The folder may have been moved or restored to another place since.
  return [{ name: path, text: main?.text ?? "" }, ...parts];
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
