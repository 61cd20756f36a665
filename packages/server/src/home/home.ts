/** The data folder: where everything of one Homeostat lies, readable by its owner alone. */
import { constants } from "node:fs";
import { access, chmod, mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import { processIdentity } from "../store/process-identity.ts";

export interface Home {
  readonly folder: string;
  readonly stateDatabase: string;
  /** Rebuildable: hashes of workspace files. Deleting it loses only time. */
  readonly cacheDatabase: string;
  readonly keys: string;
  readonly ledger: string;
  /** Ledgers that ended with a restore; there is no such folder before the first one. */
  readonly earlierLedgers: string;
  readonly blobs: string;
  readonly workspaces: string;
  readonly policy: string;
  readonly logs: string;
  /** Scratch space of this process's sandboxes and tools; what dead processes left is removed at every start. */
  readonly scratch: string;
}

export function homeAt(folder: string): Home {
  return {
    folder,
    stateDatabase: join(folder, "state.db"),
    cacheDatabase: join(folder, "cache.db"),
    keys: join(folder, "keys"),
    ledger: join(folder, "ledger"),
    earlierLedgers: join(folder, "earlier-ledgers"),
    blobs: join(folder, "blobs"),
    workspaces: join(folder, "workspaces"),
    policy: join(folder, "policy.yaml"),
    logs: join(folder, "logs"),
    scratch: join(folder, "scratch", scratchName()),
  };
}

/** Creates what is missing, mode 0700. Throws DATA_FOLDER_UNUSABLE naming the folder and what stands in the way. */
export async function prepareHome(folder: string): Promise<Home> {
  const home = homeAt(folder);
  try {
    for (const each of [
      home.folder,
      home.keys,
      home.ledger,
      home.blobs,
      home.workspaces,
      home.logs,
      home.scratch,
    ]) {
      await makeFolder(each);
    }
    await removeOldScratch(dirname(home.scratch));
    await access(home.folder, constants.W_OK | constants.X_OK);
    await chmod(home.folder, 0o700);
  } catch (error) {
    throw unusable(folder, error, await obstacle(folder));
  }
  return home;
}

/** Level by level: Node's own recursive form never ends below /proc, where a folder is neither there nor can be made. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** Containers that share a data folder count their processes apart, so the number alone would not tell them apart. */
function scratchName(): string {
  const [, namespace] = processIdentity().split(":");
  return /^\d+$/.test(namespace ?? "") ? `${namespace}-${process.pid}` : String(process.pid);
}

/** What a container that was killed left: nothing of its processes can be seen from here, only that nobody has used it for so long. */
const foreignScratchMs = 7 * 24 * 3_600_000;

/** Folders are named after the process that made them; another server on this data folder keeps its own. */
async function removeOldScratch(folder: string): Promise<void> {
  const [own] = scratchName().split("-");
  for (const name of await readdir(folder)) {
    const [, namespace = own, pid] = /^(?:(\d+)-)?(\d+)$/.exec(name) ?? [];
    const isUsed =
      namespace === own ? isAlive(Number(pid)) : await isNewerThan(join(folder, name), foreignScratchMs);
    if (!isUsed) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function isNewerThan(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && systemClock.now() - found.mtimeMs < ageMs;
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The nearest thing in the path that is not a folder we may write, in words. */
async function obstacle(folder: string): Promise<string> {
  for (let each = folder; ; each = dirname(each)) {
    const found = await stat(each).catch(() => undefined);
    if (found === undefined && each !== dirname(each)) continue;
    if (found !== undefined && !found.isDirectory()) return `${each} is a file`;
    return `this user may not write ${each}`;
  }
}

function unusable(folder: string, error: unknown, why: string): HomeostatError {
  const full = (error as NodeJS.ErrnoException).code === "ENOSPC";
  return new HomeostatError(
    "DATA_FOLDER_UNUSABLE",
    `Cannot use the data folder ${folder}: ${full ? "the disk is full" : why} (${errorMessage(error)})`,
    { folder },
    { cause: error },
  );
}
