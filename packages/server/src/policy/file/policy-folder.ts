/** The files of a policy on disk: policy.yaml and `policy.d/*.yaml` beside it. Reads them, sees changes, writes them whole. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import type { PolicyText } from "./policy-file.ts";

/** Names of files in policy.d, as in `policy.d/acme.yaml`. */
const partPattern: RegExp = /^policy\.d\/[a-z0-9][a-z0-9._-]{0,63}\.yaml$/i;

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
  let stamp: string;
  let files: readonly PolicyText[] | undefined;
  do {
    stamp = await stampOf(path);
    files = (await readPending(path)) ?? (await readFiles(path));
    // When it is another by now somebody writes, and what was read may be of two sets.
  } while ((await stampOf(path)) !== stamp);
  return files;
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
export async function writePolicyFolder(
  path: string,
  files: readonly PolicyText[],
  clock: Clock,
): Promise<void> {
  const stray = files.slice(1).find(({ name }) => !partPattern.test(name));
  if (stray !== undefined) {
    const hint = "Files beside policy.yaml are named like policy.d/acme.yaml.";
    throw new HomeostatError("POLICY_INVALID", `${stray.name} is no name of a policy file`, {}, { hint });
  }
  if (files.length === 1 && (await partNames(path)).length === 0)
    return await writeWhole(path, files[0]!.text);
  const named = files.map(({ name, text }) => ({ name, text }));
  // The mark tells this writing from a later one of the same texts.
  const pending = JSON.stringify({ mark: randomUUID(), files: named } satisfies Pending);
  await inTurn(path, clock, async () => {
    await writeWhole(pendingOf(path), pending);
    await placeFiles(path, pending);
  });
}

/**
 * Ends what a writer began that was killed in the middle; one that began within `patienceMs` may still be at it. A time that
 * lies ahead says that the clock was set back, and nothing of its age.
 */
export async function finishPolicyFolder(path: string, clock: Clock, patienceMs: number): Promise<void> {
  const found = await stat(pendingOf(path)).catch(undefinedWhenAbsent);
  if (found === undefined) return;
  const ageMs = clock.now() - found.mtimeMs;
  if (ageMs >= 0 && ageMs < patienceMs) return;
  await inTurn(path, clock, async () => {
    const pending = await readFile(pendingOf(path), "utf8").catch(undefinedWhenAbsent);
    if (pending !== undefined) await placeFiles(path, pending);
  });
}

/** A turn lasts milliseconds; the file of one that did not end is left by a process that was killed. */
const longestTurnMs = 10_000;

/** One process after the other: an older set must not be placed over a newer one. */
async function inTurn(path: string, clock: Clock, work: () => Promise<void>): Promise<void> {
  const turn = join(dirname(path), "policy.pending.lock");
  let seen = { stamp: "", sinceMs: clock.monotonic() };
  for (;;) {
    const file = await open(turn, "wx", 0o600).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return undefined;
      throw error;
    });
    if (file !== undefined) {
      await file.close();
      break;
    }
    // How long it has been seen, and not how old it is: the wall clock may have been set.
    const stamp = await stampOfFile(turn);
    if (stamp !== seen.stamp) seen = { stamp, sinceMs: clock.monotonic() };
    if (clock.monotonic() - seen.sinceMs > longestTurnMs) await rm(turn, { force: true });
    else await clock.sleep(20);
  }
  try {
    await work();
  } finally {
    await rm(turn, { force: true });
  }
}

/** Gives up when another set is pending: this process was stopped for longer than its turn lasts. */
async function placeFiles(path: string, pending: string): Promise<void> {
  const isMine = async (): Promise<boolean> =>
    (await readFile(pendingOf(path), "utf8").catch(undefinedWhenAbsent)) === pending;
  const [main, ...parts] = filesOf(pending);
  const kept = new Set(parts.map(({ name }) => name));
  if (parts.length > 0) await mkdir(join(dirname(path), "policy.d"), { recursive: true, mode: 0o700 });
  const gone = (await partNames(path)).filter((name) => !kept.has(name));
  const steps = [
    ...parts.map(
      ({ name, text }) =>
        () =>
          writeWhole(join(dirname(path), name), text),
    ),
    ...gone.map((name) => () => rm(join(dirname(path), name), { force: true })),
    () => writeWhole(path, main!.text),
    () => rm(pendingOf(path), { force: true }),
  ];
  for (const step of steps) {
    if (!(await isMine())) return;
    await step();
  }
}

interface Pending {
  readonly mark: string;
  /** policy.yaml first. */
  readonly files: readonly PolicyText[];
}

function filesOf(pending: string): readonly PolicyText[] {
  return (JSON.parse(pending) as Pending).files;
}

function pendingOf(path: string): string {
  return join(dirname(path), pendingName);
}

async function readPending(path: string): Promise<readonly PolicyText[] | undefined> {
  const text = await readFile(pendingOf(path), "utf8").catch(undefinedWhenAbsent);
  if (text === undefined) return undefined;
  const [main, ...parts] = filesOf(text);
  // The folder may have been moved or restored to another place since.
  return [{ name: path, text: main!.text }, ...parts];
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
