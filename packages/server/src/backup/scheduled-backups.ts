/** Makes backups by itself: one process of all that share a database, every so many hours, keeping the newest few. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { errorMessage, isProgrammingError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { acquireLease, leaseTtlMs, releaseLease } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import type { Health, Part } from "../supervision/part.ts";
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
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  let running: Promise<void> = Promise.resolve();
  let health: Health = { kind: "ok", detail: "none made yet" };
  return {
    name: "backups",
    failed: failed.promise,
    start() {
      running = run();
      return Promise.resolve();
    },
    async stop(deadlineMs) {
      stopping.abort();
      const timer = new AbortController();
      await Promise.race([running, clock.sleep(deadlineMs, timer.signal).catch(() => undefined)]);
      timer.abort();
    },
    health: () => health,
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let waitMs = lookMs;
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const dueMs = nextBackupAt(await readdir(folder), deps.everyMs, clock.now());
        if (dueMs <= clock.now()) await backUpUnderLease();
        else waitMs = Math.min(lookMs, dueMs - clock.now());
      } catch (error) {
        health = { kind: "degraded", detail: `the last backup failed: ${errorMessage(error)}` };
        if (isProgrammingError(error)) return failed.resolve(error);
        logger.error({ error: errorMessage(error) }, "a backup failed; it is tried again");
      }
      // Rejects when the part is stopped, which the loop's condition sees.
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
    }
  }

  /** Nothing when another process is at it. */
  async function backUpUnderLease(): Promise<void> {
    const { store, owner, isOwnerDead } = deps;
    const request = { name: "singleton/backup", owner, ttlMs: leaseTtlMs, now: clock.now(), isOwnerDead };
    const lease = await acquireLease(store, request);
    if (lease === undefined) return;
    store.holdLease(lease);
    try {
      const atMs = clock.now();
      const manifest = await deps.makeBackup(join(folder, backupName(atMs)));
      const { id, filesDigest, sizeBytes, keys } = manifest;
      deps.record("backup.created", { backup: id, filesDigest, sizeBytes, keys });
      for (const name of surplusBackups(await readdir(folder), deps.keep))
        await rm(join(folder, name), { recursive: true, force: true });
      health = { kind: "ok", detail: `last one at ${new Date(atMs).toISOString()}` };
      logger.info({ backup: id, sizeBytes, durationMs: clock.now() - atMs }, "backup made");
    } finally {
      await releaseLease(store, lease);
    }
  }
}
