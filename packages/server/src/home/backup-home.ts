/** Backups of a whole data folder, and back: connects the backup with database, blobs, ledger and the verification of runs. */
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { createBackup } from "../backup/create-backup.ts";
import type { Manifest } from "../backup/manifest.ts";
import { restoreBackup } from "../backup/restore-backup.ts";
import { verifyBackup } from "../backup/verify-backup.ts";
import type { BackupReport, ProveRunsDeps } from "../backup/verify-backup.ts";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import { blobPlaces, openDepot } from "../blobs/open-blobs.ts";
import type { BlobSettings } from "../blobs/open-blobs.ts";
import type { Config } from "../config/config-schema.ts";
import { homeAt } from "./home.ts";
import { migrations } from "./migrations.ts";
import { configuredDatabase, describeDatabase, moveDatabase, openSnapshot } from "./move-database.ts";
import type { DatabaseAddress } from "./move-database.ts";
import { copySnapshot, copySqliteFile } from "../store/move/copy-database.ts";
import type { Store } from "../store/store.ts";
import { openStateReader } from "./state-store.ts";
import { verifyHome } from "./verify-home.ts";

type Progress = (text: string) => void;

export interface BackUpHomeOptions {
  readonly config: Config;
  readonly to: string;
  readonly passphrase: string | undefined;
  readonly version: string;
  readonly onProgress: Progress;
}

/** Needs no server and disturbs none. Throws as `createBackup` does. */
export async function backUpHome(options: BackUpHomeOptions): Promise<Manifest> {
  const live = await openStateReader(options.config);
  try {
    return await backUpBeside(live, options);
  } finally {
    await live.close();
  }
}

/** As `backUpHome`, with a store that is open already. */
export async function backUpBeside(
  live: Pick<Store, "read">,
  { config, ...options }: BackUpHomeOptions,
): Promise<Manifest> {
  const home = homeAt(config.home);
  const address = configuredDatabase(config);
  return await createBackup({
    ...options,
    data: home,
    dialect: address.kind,
    copyDatabase: (to) => copyDatabase(address, to, options.onProgress),
    live,
    migrations,
    depot: await openDepot(blobPlaces(home, config.blobs)),
    clock,
  });
}

async function copyDatabase(address: DatabaseAddress, to: string, onProgress: Progress): Promise<void> {
  if (address.kind === "sqlite") return await copySqliteFile(address.path, to);
  const snapshot = await openSnapshot(address);
  try {
    await copySnapshot({ snapshot, to, migrations, clock, onProgress });
  } finally {
    await snapshot.close();
  }
}

export interface CheckBackupOptions {
  readonly folder: string;
  readonly verifierKey?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly onProgress: Progress;
}

export async function checkBackup(options: CheckBackupOptions): Promise<BackupReport> {
  return await verifyBackup({ ...options, proveRuns });
}

async function proveRuns({
  folder,
  store,
  blobs,
  verifierKey,
}: ProveRunsDeps): Promise<Pick<BackupReport, "checks" | "findings">> {
  // Workspaces are not in a backup: every file of them is in a blob.
  const place = { ...homeAt(folder), workspaces: join(folder, "workspaces") };
  return await verifyHome({ home: place, store, blobs, runId: null, verifierKey, isDatabaseOlder: true });
}

export interface RestoreHomeOptions {
  readonly from: string;
  readonly home: string;
  /** Where the blobs go: a bucket, or (without a URL) the new data folder. */
  readonly blobs: BlobSettings;
  /** The database to fill; the file in the data folder when undefined. */
  readonly database: DatabaseAddress | undefined;
  readonly verifierKey?: string | undefined;
  readonly passphrase: string | undefined;
  readonly keysFolder?: string | undefined;
  readonly onProgress: Progress;
}

/** Checks the backup whole before anything is written. Throws BACKUP_INVALID and as `restoreBackup` and `moveDatabase` do. */
export async function restoreHome(options: RestoreHomeOptions): Promise<Manifest> {
  const { from: folder, verifierKey, passphrase, onProgress, database } = options;
  requireOutside(folder, options.home);
  onProgress("checking the backup");
  const report = await checkBackup({ folder, verifierKey, passphrase, onProgress });
  const [first] = report.findings;
  if (first !== undefined) {
    const text = `The backup is broken at ${first.where}: ${first.what}: ${first.detail}`;
    throw new HomeostatError("BACKUP_INVALID", text, { folder, findings: report.findings.length });
  }
  const places = { ...blobPlaces(homeAt(options.home), options.blobs), scratchFolder: tmpdir() };
  const depot = options.blobs.url === undefined ? undefined : await openDepot(places);
  const manifest = await restoreBackup({ ...options, migrations, clock, depot });
  if (database === undefined) return manifest;
  onProgress(`moving the rows to ${describeDatabase(database)}`);
  const home = homeAt(options.home);
  const from: DatabaseAddress = { kind: "sqlite", path: home.stateDatabase };
  await moveDatabase({
    home,
    blobs: options.blobs,
    from,
    to: database,
    logger: createSilentLogger(),
    onProgress,
  });
  return manifest;
}

/** A file that the backup did not write makes it one that cannot be restored again. */
function requireOutside(folder: string, home: string): void {
  const path = relative(resolve(folder), resolve(home));
  if (path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) return;
  const hint = "Name a folder outside the backup.";
  throw new HomeostatError("BACKUP_TARGET", `${home} lies in the backup itself`, { home, folder }, { hint });
}
