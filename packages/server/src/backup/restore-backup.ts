/** Restores a backup into a new data folder; its ledger begins anew, and its first entry names where the old one stood. */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { syncFolder } from "../base/durable-file.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../base/error.ts";
import type { BlobDepot } from "../blobs/depot.ts";
import { frameEntries } from "../ledger/entry.ts";
import { openLog } from "../ledger/log.ts";
import type { SignedHead } from "../ledger/log.ts";
import { restorationEntry } from "../ledger/restoration.ts";
import { wakeTaken } from "../queue/claim.ts";
import { changeCopy } from "../store/move/copy-database.ts";
import type { Migration, Statement } from "../store/store.ts";
import { copyFileHashed, listFiles } from "./copy-file.ts";
import { openKeys } from "./key-box.ts";
import type { KeyFiles } from "./key-box.ts";
import { invalid, readManifest, settingsFiles, settingsFolders } from "./manifest.ts";
import { openKnownSubjects } from "./known-subjects.ts";
import type { KnownSubjects } from "./known-subjects.ts";
import type { Manifest } from "./manifest.ts";
import { writeKeyFiles } from "./write-keys.ts";

export interface RestoreOptions {
  readonly from: string;
  /** The new data folder: does not exist, or is empty. */
  readonly home: string;
  readonly verifierKey?: string | undefined;
  readonly passphrase: string | undefined;
  /** A folder `keys` of another data folder, for a backup without keys. */
  readonly keysFolder?: string | undefined;
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  /** Where the blobs go; a folder below the new data folder when undefined. */
  readonly depot: BlobDepot | undefined;
  readonly onProgress: (text: string) => void;
}

/**
 * Everything is laid out beside the data folder and gets its name at the end, so that nobody starts on a half of it. Check the
 * backup first (`verifyBackup`). Throws BACKUP_INVALID, BACKUP_PASSPHRASE, BACKUP_TARGET (not empty), STORE_UNAVAILABLE.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Manifest> {
  const { from, home, clock } = options;
  const manifest = await readManifest(from, options.verifierKey);
  const keys = await findKeys(options, manifest);
  await requireEmpty(home);
  const partial = `${home}.restoring`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    // The old ledger is closed for good: nobody may append to it in two places, so its keys stay in the backup.
    await writeKeyFiles(keys, partial, (path) => !/^keys\/ledger-[a-z]+\.key$/.test(path));
    await copyFiles(options, partial, manifest);
    await restoreBlobs(options, partial);
    const head = beginLedger(partial, manifest, clock.now());
    options.onProgress("opening the database");
    await changeCopy(
      { to: join(partial, "state.db"), migrations: options.migrations, clock },
      newBeginning(head, clock.now()),
    );
    // An empty folder may be there.
    await rm(home, { recursive: true, force: true });
    await rename(partial, home);
    syncFolder(dirname(home));
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {
      // What could not be written can perhaps not be removed either; the first error says why.
    });
    if (isHomeostatError(error)) throw error;
    const text = `The backup cannot be restored to ${home}: ${errorMessage(error)}`;
    throw new HomeostatError("BACKUP_TARGET", text, { home }, { cause: error });
  }
}

/** Without the keys a new Homeostat would make others, and nothing of the old one could ever be read. */
async function findKeys(options: RestoreOptions, manifest: Manifest): Promise<KeyFiles> {
  const { from, passphrase, keysFolder } = options;
  if (keysFolder !== undefined) return await readKeysFolder(keysFolder);
  if (manifest.keys === "left out") {
    const hint = "Name the folder `keys` that belongs to it with --keys.";
    throw new HomeostatError("BACKUP_PASSPHRASE", "The backup holds no keys", { from }, { hint });
  }
  if (passphrase === undefined)
    throw new HomeostatError("BACKUP_PASSPHRASE", "The keys of the backup are sealed with a passphrase");
  const box = await readFile(join(from, "keys.enc"), "utf8").catch((error: unknown) => {
    throw invalid(from, errorMessage(error));
  });
  return await openKeys(box, passphrase, manifest.id);
}

async function readKeysFolder(folder: string): Promise<KeyFiles> {
  const files = new Map<string, Buffer>();
  for await (const path of listFiles(folder)) files.set(`keys/${path}`, await readFile(join(folder, path)));
  if (files.has("keys/blob-master.key")) return files;
  throw new HomeostatError("BACKUP_PASSPHRASE", `${folder} holds no blob-master.key`, { folder });
}

/** Everything but blobs and manifest. The old ledger goes where the earlier ones are. */
async function copyFiles(
  { from, onProgress }: RestoreOptions,
  partial: string,
  { id }: Manifest,
): Promise<void> {
  onProgress("copying database and ledger");
  for (const name of ["state.db", ...settingsFiles]) {
    await copyFileHashed(join(from, name), join(partial, name)).catch((error: unknown) => {
      if (name === "state.db" || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
  }
  for (const [source, target] of [
    ...settingsFolders.map((name) => [name, name] as const),
    ["ledger", join("earlier-ledgers", id)],
    ["earlier-ledgers", "earlier-ledgers"],
  ] as const) {
    for await (const path of listFiles(join(from, source)))
      await copyFileHashed(join(from, source, path), join(partial, target, path));
  }
}

async function restoreBlobs(options: RestoreOptions, partial: string): Promise<void> {
  const subjects = await openKnownSubjects(partial);
  try {
    await copyBlobs(options, partial, subjects);
  } finally {
    await subjects.close();
  }
}

/** Older backups may hold some that nobody can read. */
async function copyBlobs(
  { from, depot, onProgress }: RestoreOptions,
  partial: string,
  subjects: KnownSubjects,
): Promise<void> {
  let count = 0;
  for await (const path of listFiles(join(from, "blobs"))) {
    const file = join(from, "blobs", path);
    const [subject = "", sha256 = ""] = path.split("/");
    if (!(await subjects.has(subject))) continue;
    if (depot === undefined) await copyFileHashed(file, join(partial, "blobs", path));
    else await depot.write({ subject, sha256 }, createReadStream(file));
    count += 1;
    if (count % 1000 === 0) onProgress(`${count} blobs`);
  }
}

function beginLedger(partial: string, { id, createdAt, ledger }: Manifest, nowMs: number): SignedHead {
  const { verifierKey, size, root, published } = ledger;
  const restoration = { backup: id, backedUpAt: createdAt, verifierKey, size, root, published };
  const log = openLog(
    {
      ledgerFolder: join(partial, "ledger"),
      keysFolder: join(partial, "keys"),
      knownSize: 0,
      scanBytes: 1024 ** 2,
      segmentBytes: 64 * 1024 ** 2,
    },
    nowMs,
  );
  try {
    return log.append(frameEntries([restorationEntry(restoration, nowMs)]));
  } finally {
    log.close();
  }
}

/** Whoever held a lease works on the other copy, if at all; epochs only rise, so nobody of then can append here. */
function newBeginning({ size, root }: SignedHead, nowMs: number): readonly Statement[] {
  return [
    wakeTaken(nowMs),
    { sql: "UPDATE leases SET owner = '', until_ms = 0" },
    { sql: "DELETE FROM store_marks" },
    // They work on the other copy, and would look alive here for as long as they were heard of shortly before the backup.
    { sql: "UPDATE workers SET state = 'gone'" },
    // It is a deployment of its own now, with a ledger of its own; the old one may live on beside it.
    { sql: "DELETE FROM shared_facts WHERE name IN ('deployment', 'ledger-verifier-key')" },
    { sql: "DELETE FROM sessions" },
    { sql: "DELETE FROM ledger_position" },
    { sql: "INSERT INTO ledger_position (only_row, size, root) VALUES (1, ?, ?)", params: [size, root] },
  ];
}

async function requireEmpty(home: string): Promise<void> {
  const names = await readdir(home).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new HomeostatError("BACKUP_TARGET", `Cannot use ${home}: ${errorMessage(error)}`, { home });
  });
  if (names.length === 0) return;
  const hint = "Name a folder that does not exist yet, or an empty one; nothing is ever overwritten.";
  const text = `${home} is not empty: it holds ${names.slice(0, 3).join(", ")}`;
  throw new HomeostatError("BACKUP_TARGET", text, { home }, { hint });
}
