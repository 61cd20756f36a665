/** The data folder's disk as a part: written to every few seconds, so that /readyz tells of a full or read-only one beside any database. */
import { constants } from "node:fs";
import { access, open, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Health, Part } from "../supervision/part.ts";

export interface DiskDeps {
  readonly clock: Clock;
  /** The data folder; a small file in it is written anew at each look. */
  readonly home: string;
  /** Folders in it, which may be volumes of their own: ledger, blobs, workspaces. */
  readonly folders: readonly string[];
  /** With less it has failed: the next journal, blob or ledger entry may be the one that finds no room. */
  readonly minFreeBytes: number;
}

/** Below this it is degraded, as `doctor` warns. */
const scarceBytes = 2 ** 30;

const lookEveryMs = 5_000;
/** While something is wrong. */
const lookAgainMs = 500;

/** A disk that answers nothing for so long is of no use to whoever waits for it. */
const hungAfterMs = 10_000;

const probeName = ".write-probe";
/** A block: an empty file finds room on a full disk. */
const probe = new Uint8Array(4096).fill(0x2e);

export function createDiskPart(deps: DiskDeps): Part {
  const { clock } = deps;
  const stopping = new AbortController();
  let found: Health = { kind: "ok" };
  let lookingSinceMs: number | undefined;
  let watching: Promise<void> | undefined;
  return {
    name: "disk",
    async start() {
      await look();
      watching = watch();
    },
    stop() {
      stopping.abort();
      // A look at a disk that hangs is not waited for.
      return lookingSinceMs === undefined ? (watching ?? Promise.resolve()) : Promise.resolve();
    },
    health() {
      const lookMs = lookingSinceMs === undefined ? 0 : clock.monotonic() - lookingSinceMs;
      if (lookMs < hungAfterMs) return found;
      return broken(`${deps.home}: the disk has not answered for ${Math.round(lookMs / 1000)} s`);
    },
  };

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Rejects when it is stopped, which the loop's condition sees.
      await clock.sleep(found.kind === "failed" ? lookAgainMs : lookEveryMs, stopping.signal).catch(() => {});
      if (!stopping.signal.aborted) await look();
    }
  }

  async function look(): Promise<void> {
    lookingSinceMs = clock.monotonic();
    try {
      await writeProbe(deps.home);
      found = judgeSpace(await measureSpace([deps.home, ...deps.folders]), deps.minFreeBytes);
    } catch (error) {
      found = broken(errorMessage(error));
    } finally {
      lookingSinceMs = undefined;
    }
  }
}

/** No new process would be better off. */
function broken(detail: string): Health {
  return { kind: "failed", detail, needsPerson: true };
}

async function writeProbe(home: string): Promise<void> {
  const file = await open(join(home, probeName), "w", 0o600);
  try {
    await file.write(probe);
    // What the system only remembers may still find no room.
    await file.datasync();
  } finally {
    await file.close();
  }
}

interface Space {
  readonly folder: string;
  readonly freeBytes: number;
}

/** The tightest. Throws when one of the folders cannot be written. */
async function measureSpace(folders: readonly string[]): Promise<Space> {
  const spaces = await Promise.all(
    folders.map(async (folder): Promise<Space> => {
      await access(folder, constants.W_OK | constants.X_OK);
      const { bavail, bsize } = await statfs(folder);
      return { folder, freeBytes: bavail * bsize };
    }),
  );
  return spaces.reduce((tightest, each) => (each.freeBytes < tightest.freeBytes ? each : tightest));
}

/** Pure. */
export function judgeSpace({ folder, freeBytes }: Space, minFreeBytes: number): Health {
  const detail = `${folder}: ${Math.floor(freeBytes / 2 ** 20)} MiB free`;
  if (freeBytes < minFreeBytes) {
    const least = `at least ${minFreeBytes / 2 ** 20} MiB must be free (minFreeMiB)`;
    return broken(`${detail}; ${least}: free some, or lower it`);
  }
  return freeBytes < scarceBytes ? { kind: "degraded", detail } : { kind: "ok" };
}
