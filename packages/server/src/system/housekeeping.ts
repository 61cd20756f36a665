/** What a server does by itself beside its work: lets go of old runs and folders, and makes backups. Built for system.ts. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { backUpBeside } from "../home/backup-home.ts";
import { createScheduledBackups } from "../backup/scheduled-backups.ts";
import { createRetention } from "../retention/retention.ts";
import type { ErasureDeps } from "../retention/erasure.ts";
import type { ChildSpec } from "../supervision/child.ts";
import type { Foundation } from "./foundation.ts";

export interface Housekeeping {
  /** Renewable: their state is in the database and in folders. */
  readonly upkeep: readonly ChildSpec[];
  /** For the route that erases one run. */
  readonly erasure: ErasureDeps;
}

export function createHousekeeping(deps: Foundation): Housekeeping {
  const { config, home, store, logger, serves, record } = deps;
  const erasure: ErasureDeps = {
    ...deps,
    removeWorkspace: (runId) => rm(join(home.workspaces, runId), { recursive: true, force: true }),
  };
  const retention: ChildSpec = {
    name: "retention",
    create: () =>
      createRetention({
        ...erasure,
        ...deps,
        settings: config.retention,
        workspacesFolder: home.workspaces,
        erasesRuns: serves,
      }),
  };
  const { folder, everyHours, keep, passphrase } = config.backup;
  if (folder === undefined || !serves) return { upkeep: [retention], erasure };
  if (passphrase === undefined)
    logger.warn({ folder }, "backups are made without keys: there is no backup.passphrase");
  const backups: ChildSpec = {
    name: "backups",
    create: () =>
      createScheduledBackups({
        ...deps,
        folder,
        everyMs: everyHours * 3_600_000,
        keep,
        makeBackup: (to) =>
          backUpBeside(store, { config, to, passphrase, version: deps.version, onProgress: () => undefined }),
        record,
      }),
  };
  return { upkeep: [retention, backups], erasure };
}
