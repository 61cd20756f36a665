/** Makes a backup while everything runs: first the database as of one moment, then the ledger, then the blobs, then the keys. */
import { readFile, rename, rm, mkdir, stat, writeFile } from "node:fs/promises";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { syncFolder } from "../base/durable-file.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../base/error.ts";
import { createId } from "../base/id.ts";
import type { BlobDepot } from "../blobs/depot.ts";
import { hashToHex } from "../ledger/merkle.ts";
import { keyPaths, readSigningKey } from "../ledger/keys.ts";
import { createLedgerReader } from "../ledger/reader.ts";
import { erasedRows } from "../retention/erased-rows.ts";
import { changeCopy, digestDatabase } from "../store/move/copy-database.ts";
import { openSqliteSnapshot } from "../store/move/snapshot.ts";
import type { Migration, Store } from "../store/store.ts";
import { copyFileHashed, hashFile, listFiles, writeHashed } from "./copy-file.ts";
import type { Copied } from "./copy-file.ts";
import { sealKeys } from "./key-box.ts";
import type { KeyFiles } from "./key-box.ts";
import {
  fileLine,
  filesName,
  manifestName,
  manifestText,
  settingsFiles,
  settingsFolders,
  signatureName,
  signManifest,
} from "./manifest.ts";
import { openKnownSubjects } from "./known-subjects.ts";
import type { KnownSubjects } from "./known-subjects.ts";
import type { Manifest } from "./manifest.ts";

/** Where the parts of a data folder lie. */
export interface DataFolder {
  readonly folder: string;
  readonly keys: string;
  readonly ledger: string;
  /** Ledgers that ended with a restore, each in a folder of its own. */
  readonly earlierLedgers: string;
}

export interface BackupOptions {
  readonly data: DataFolder;
  /** A folder that does not exist, or is empty. */
  readonly to: string;
  readonly dialect: Store["dialect"];
  /** Copies the database as of one moment into a SQLite file. */
  readonly copyDatabase: (to: string) => Promise<void>;
  /** The database as it is later, to find what was erased meanwhile. */
  readonly live: Pick<Store, "read">;
  readonly migrations: readonly Migration[];
  readonly depot: BlobDepot;
  /** Undefined leaves the keys out: what they encrypt can then be read only with keys kept elsewhere. */
  readonly passphrase: string | undefined;
  readonly version: string;
  readonly clock: Clock;
  /** Must not throw. */
  readonly onProgress: (text: string) => void;
}

/**
 * Throws BACKUP_TARGET (not empty, cannot be written), BACKUP_PASSPHRASE, LEDGER_KEYS_UNUSABLE (this host has no ledger),
 * STORE_UNAVAILABLE. A backup has its name only when it is whole: until then the folder is called `TO.partial`.
 */
export async function createBackup(options: BackupOptions): Promise<Manifest> {
  const { to, data, clock } = options;
  const signing = readSigningKey(keyPaths(data.ledger, data.keys).signing);
  await requireFree(to);
  const partial = `${to}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const id = createId("bak", clock.now());
    const written = createList();
    const database = await backUpDatabase(options, partial);
    const ledger = await backUpLedger(options, partial, written);
    await backUpBlobs(options, partial, written);
    const tables = await forgetErased(options, partial);
    written.add("state.db", await hashed(join(partial, "state.db")));
    for (const name of settingsFiles) await copyIfThere(join(data.folder, name), { partial, name, written });
    for (const folder of settingsFolders) {
      for await (const name of listFiles(join(data.folder, folder))) {
        const path = `${folder}/${name}`;
        await copyIfThere(join(data.folder, path), { partial, name: path, written });
      }
    }
    const keys = await backUpKeys({ ...options, id }, partial, written);
    await writeFile(join(partial, filesName), written.text());
    const text = manifestText({
      v: 1,
      kind: "homeostat.backup",
      id,
      createdAt: new Date(database.atMs).toISOString(),
      version: options.version,
      database: { dialect: options.dialect, tables: [...tables] },
      ledger: { ...ledger, published: database.published },
      keys,
      filesDigest: (await hashed(join(partial, filesName))).sha256,
      files: written.count(),
      sizeBytes: written.sizeBytes(),
    });
    await writeHashed(join(partial, manifestName), [Buffer.from(text)]);
    await writeHashed(join(partial, signatureName), [Buffer.from(signManifest(text, signing))]);
    await rm(to, { recursive: true, force: true });
    await rename(partial, to);
    syncFolder(dirname(to));
    return JSON.parse(text) as Manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {
      // What could not be written can perhaps not be removed either; the first error says why.
    });
    throw isHomeostatError(error) ? error : targetError(to, error);
  }
}

interface FileList {
  add(path: string, copied: Copied): void;
  text(): string;
  count(): number;
  sizeBytes(): number;
}

function createList(): FileList {
  const lines: string[] = [];
  let sizeBytes = 0;
  return {
    add(path, copied) {
      lines.push(fileLine({ path, sha256: copied.sha256 }));
      sizeBytes += copied.sizeBytes;
    },
    text: () => lines.join(""),
    count: () => lines.length,
    sizeBytes: () => sizeBytes,
  };
}

async function backUpDatabase(
  options: BackupOptions,
  partial: string,
): Promise<{ readonly atMs: number; readonly published: number }> {
  options.onProgress("copying the database");
  const atMs = options.clock.now();
  const path = join(partial, "state.db");
  await options.copyDatabase(path);
  const snapshot = await openSqliteSnapshot(path);
  try {
    const [row] = await snapshot.read("SELECT size FROM ledger_position WHERE only_row = 1");
    return { atMs, published: Number(row?.["size"] ?? 0) };
  } finally {
    await snapshot.close();
  }
}

/** The checkpoint first: whatever is appended while the rest is copied lies behind the size that it signs. */
async function backUpLedger(
  { data, onProgress }: BackupOptions,
  partial: string,
  written: FileList,
): Promise<Pick<Manifest["ledger"], "verifierKey" | "size" | "root">> {
  onProgress("copying the ledger");
  for (const name of ["checkpoint", "key.pub"]) {
    const content = await readFile(join(data.ledger, name));
    written.add(`ledger/${name}`, await writeHashed(join(partial, "ledger", name), [content]));
  }
  const { size, root, verifierKey } = createLedgerReader(join(partial, "ledger")).head();
  for (const part of ["segments", "tile"]) {
    for await (const path of listFiles(join(data.ledger, part))) {
      if (path.endsWith(".tmp")) continue;
      await copyLedgerFile(join(data.ledger, part, path), {
        partial,
        name: `ledger/${part}/${path}`,
        written,
      });
    }
  }
  for await (const path of listFiles(data.earlierLedgers))
    await copyLedgerFile(join(data.earlierLedgers, path), {
      partial,
      name: `earlier-ledgers/${path}`,
      written,
    });
  return { size, root: hashToHex(root), verifierKey };
}

interface Place {
  readonly partial: string;
  readonly name: string;
  readonly written: FileList;
}

/** As long as it is now: the newest segment grows. */
async function copyLedgerFile(from: string, { partial, name, written }: Place): Promise<void> {
  written.add(name, await copyFileHashed(from, join(partial, name), statSync(from).size));
}

async function copyIfThere(from: string, { partial, name, written }: Place): Promise<void> {
  const isThere = await stat(from).then(
    () => true,
    () => false,
  );
  if (isThere) written.add(name, await copyFileHashed(from, join(partial, name)));
}

/** Blobs are written before the rows that name them, so those of the copied rows are all there, unless they were erased. */
async function backUpBlobs(options: BackupOptions, partial: string, written: FileList): Promise<void> {
  const subjects = await openKnownSubjects(partial);
  try {
    await copyBlobs(options, { partial, written, subjects });
  } finally {
    await subjects.close();
  }
}

async function copyBlobs(
  { depot, onProgress }: BackupOptions,
  { partial, written, subjects }: { partial: string; written: FileList; subjects: KnownSubjects },
): Promise<void> {
  let count = 0;
  for await (const blob of depot.list()) {
    if (!(await subjects.has(blob.subject))) continue;
    const name = `blobs/${blob.subject}/${blob.sha256}`;
    try {
      written.add(name, await writeHashed(join(partial, name), depot.read(blob)));
    } catch (error) {
      // Erased while we were on the way to it.
      if (!isHomeostatError(error, "BLOB_NOT_FOUND")) throw error;
      await rm(join(partial, name), { force: true });
    }
    count += 1;
    if (count % 1000 === 0) onProgress(`${count} blobs`);
  }
  onProgress(`${count} blobs copied`);
}

/** What was erased since the database was copied is erased in the copy too, since its blobs are gone. */
async function forgetErased(
  options: BackupOptions,
  partial: string,
): Promise<Manifest["database"]["tables"]> {
  const { live, migrations, clock } = options;
  const path = join(partial, "state.db");
  const snapshot = await openSqliteSnapshot(path);
  const sql = "SELECT subject FROM blob_keys WHERE wrapped IS NULL";
  const before = new Set((await snapshot.read(sql)).map((row) => row["subject"]));
  await snapshot.close();
  const erased = (await live.read(sql)).map((row) => String(row["subject"]));
  const late = erased.filter((subject) => !before.has(subject));
  const statements = late.flatMap((subject) => erasedRows(subject, clock.now()));
  await changeCopy({ to: path, migrations, clock }, statements);
  return [...(await digestDatabase(path))];
}

async function backUpKeys(
  options: BackupOptions & { readonly id: string },
  partial: string,
  written: FileList,
): Promise<Manifest["keys"]> {
  const { data, passphrase, id, onProgress } = options;
  if (passphrase === undefined) return "left out";
  onProgress("sealing the keys");
  const files = await readKeyFiles(data);
  const box = Buffer.from(await sealKeys(files, passphrase, id));
  written.add("keys.enc", await writeHashed(join(partial, "keys.enc"), [box]));
  return "encrypted";
}

async function readKeyFiles(data: DataFolder): Promise<KeyFiles> {
  const files = new Map<string, Buffer>();
  for await (const path of listFiles(data.keys)) {
    if (!path.endsWith(".tmp")) files.set(`keys/${path}`, await readFile(join(data.keys, path)));
  }
  const token = await readFile(join(data.folder, "token")).catch(() => undefined);
  // Absent where the token comes from the environment.
  if (token !== undefined) files.set("token", token);
  return files;
}

async function hashed(path: string): Promise<Copied> {
  return { sha256: await hashFile(path), sizeBytes: statSync(path).size };
}

async function requireFree(to: string): Promise<void> {
  for await (const path of listFiles(to)) {
    const hint = "Name a folder that does not exist yet, or an empty one.";
    throw new HomeostatError("BACKUP_TARGET", `${to} is not empty: it holds ${path}`, { to }, { hint });
  }
}

function targetError(to: string, error: unknown): HomeostatError {
  const text = `The backup ${to} cannot be written: ${errorMessage(error)}`;
  return new HomeostatError("BACKUP_TARGET", text, { to }, { cause: error });
}
