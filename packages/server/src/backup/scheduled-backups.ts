/** Makes backups by itself: one process of all that share a database, every so many hours, keeping the newest few. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { LeaseStore } from "../store/lease.ts";
import type { Health, Part } from "../supervision/part.ts";
import { createRounds } from "../supervision/rounds.ts";
import { underLease } from "../supervision/under-lease.ts";
import { backupName, nextBackupAt, surplusBackups } from "./backup-names.ts";
import type { Manifest } from "./manifest.ts";

export interface ScheduledBackupsDeps {
  readonly folder: string;
  readonly everyMs: number;
  readonly keep: number;
  readonly makeBackup: (to: string) => Promise<Manifest>;
  /** For the ledger: a backup was made, by its id and digest. Must not throw. */
  readonly record: (type: "backup.created", data: JsonObject) => void;
  readonly store: LeaseStore;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A failed backup is tried again after this time; also how often another process's backups are looked for. */
const lookMs = 60_000;

export function createScheduledBackups(deps: ScheduledBackupsDeps): Part {
  const { clock, folder, logger } = deps;
  return createRounds({
    ...{ name: "backups", clock, logger, retryMs: lookMs, prefix: "the last backup failed: " },
    failure: "a backup failed; it is tried again",
    health: { kind: "ok", detail: "none made yet" },
    async round(signal) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const dueMs = nextBackupAt(await readdir(folder), deps.everyMs, clock.now());
      if (dueMs > clock.now()) return { nextInMs: Math.min(lookMs, dueMs - clock.now()) };
      // Nothing when another process is at it.
      const health = await underLease({ ...deps, name: "backup", signal }, (held) => backUp(deps, held));
      return { ...(health === undefined ? {} : { health }), nextInMs: lookMs };
    },
  });
}

async function backUp(deps: ScheduledBackupsDeps, signal: AbortSignal): Promise<Health> {
  const { clock, folder, logger } = deps;
  const atMs = clock.now();
  const manifest = await deps.makeBackup(join(folder, backupName(atMs)));
  const { id, filesDigest, sizeBytes, keys } = manifest;
  deps.record("backup.created", { backup: id, filesDigest, sizeBytes, keys });
  for (const name of surplusBackups(await readdir(folder), deps.keep)) {
    // Whoever has the lease by now removes them.
    if (signal.aborted) break;
    await rm(join(folder, name), { recursive: true, force: true });
  }
  logger.info({ backup: id, sizeBytes, durationMs: clock.now() - atMs }, "backup made");
  return { kind: "ok", detail: `last one at ${new Date(atMs).toISOString()}` };
}
