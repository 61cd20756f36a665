/** Proves a backup without restoring it: signature, every file's digest, the database's digests, the ledger, and with keys every run. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { errorMessage } from "../base/error.ts";
import { openFolderBlobsReader } from "../blobs/folder.ts";
import type { BlobReader } from "../blobs/blob.ts";
import { verifyHistory } from "../ledger/verify-history.ts";
import { digestDatabase } from "../store/move/copy-database.ts";
import { openSqliteSnapshot } from "../store/move/snapshot.ts";
import type { Snapshot } from "../store/move/snapshot.ts";
import { hashFile, listFiles } from "./copy-file.ts";
import { openKeys } from "./key-box.ts";
import { filesName, invalid, manifestName, parseFileLine, readManifest, signatureName } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { writeKeyFiles } from "./write-keys.ts";
import { readFile } from "node:fs/promises";

export interface BackupCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly count: number;
  readonly detail: string;
}

export interface BackupFinding {
  readonly what: string;
  readonly where: string;
  readonly detail: string;
}

export interface BackupReport {
  readonly verdict: "intact" | "broken";
  readonly manifest: Manifest;
  readonly checks: readonly BackupCheck[];
  readonly findings: readonly BackupFinding[];
}

export interface VerifyBackupOptions {
  readonly folder: string;
  /** The ledger's public key as known from elsewhere. */
  readonly verifierKey?: string | undefined;
  /** With it runs and artifacts are read and proved too. */
  readonly passphrase?: string | undefined;
  /** Proves runs and artifacts of the copy; every finding it returns is one of the backup. */
  readonly proveRuns: (deps: ProveRunsDeps) => Promise<Pick<BackupReport, "checks" | "findings">>;
  /** Must not throw. */
  readonly onProgress: (text: string) => void;
}

export interface ProveRunsDeps {
  readonly folder: string;
  readonly store: Snapshot;
  readonly blobs: Pick<BlobReader, "get">;
  readonly verifierKey: string;
}

/** Throws BACKUP_INVALID when there is no manifest to go by, BACKUP_PASSPHRASE. All else that is wrong is a finding. */
export async function verifyBackup(options: VerifyBackupOptions): Promise<BackupReport> {
  const { folder, passphrase } = options;
  const manifest = await readManifest(folder, options.verifierKey);
  const found: Found = { checks: [check("manifest", [], 1, "signed by the ledger's key")], findings: [] };
  collect(found, await checkFiles(options, manifest));
  if (found.findings.length === 0) {
    collect(found, await checkDatabase(folder, manifest));
    if (passphrase === undefined || manifest.keys === "left out") {
      collect(found, await checkLedger(folder, manifest));
      const detail = "not read: their blobs are encrypted, and the keys were not given";
      found.checks.push({ name: "runs", ok: true, count: 0, detail });
    } else collect(found, await proveWithKeys(options, manifest, passphrase));
  }
  const { checks, findings } = found;
  return { verdict: findings.length === 0 ? "intact" : "broken", manifest, checks, findings };
}

interface Found {
  readonly checks: BackupCheck[];
  readonly findings: BackupFinding[];
}

function collect(into: Found, more: Pick<BackupReport, "checks" | "findings">): void {
  into.checks.push(...more.checks);
  into.findings.push(...more.findings);
}

function check(name: string, findings: readonly BackupFinding[], count: number, detail = ""): BackupCheck {
  return { name, ok: findings.length === 0, count, detail };
}

/** Every file that is listed is as it was, and no other is there. */
async function checkFiles({ folder, onProgress }: VerifyBackupOptions, manifest: Manifest): Promise<Found> {
  const findings: BackupFinding[] = [];
  const unlisted = new Set([manifestName, signatureName, filesName]);
  const digest = await hashFile(join(folder, filesName)).catch(errorMessage);
  if (digest !== manifest.filesDigest) {
    findings.push({ what: "list of files changed", where: filesName, detail: `its digest is ${digest}` });
    return { checks: [check("files", findings, 0)], findings };
  }
  let count = 0;
  const listed = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(join(folder, filesName)) })) {
    const { path, sha256 } = parseFileLine(line, folder);
    listed.add(path);
    const actual = await hashFile(join(folder, path)).catch(errorMessage);
    if (actual !== sha256)
      findings.push({
        what: "file changed or missing",
        where: path,
        detail: `listed ${sha256}, found ${actual}`,
      });
    count += 1;
    if (count % 1000 === 0) onProgress(`${count} of ${manifest.files} files`);
  }
  for await (const path of listFiles(folder)) {
    if (!listed.has(path) && !unlisted.has(path))
      findings.push({ what: "unknown file", where: path, detail: "the backup did not write it" });
  }
  return { checks: [check("files", findings, count)], findings };
}

async function checkDatabase(folder: string, { database }: Manifest): Promise<Found> {
  const findings: BackupFinding[] = [];
  const tables = new Map((await digestDatabase(join(folder, "state.db"))).map((set) => [set.name, set]));
  for (const { name, rows, digest } of database.tables) {
    const found = tables.get(name);
    if (found?.rows === rows && found.digest === digest) continue;
    const detail = `listed ${rows} rows, digest ${digest}; found ${found?.rows} rows, digest ${found?.digest}`;
    findings.push({ what: "table changed", where: `state.db, table ${name}`, detail });
  }
  const rows = database.tables.reduce((sum, table) => sum + table.rows, 0);
  return { checks: [check("database", findings, rows, `${database.tables.length} tables`)], findings };
}

async function checkLedger(folder: string, { ledger }: Manifest): Promise<Found> {
  const { checks, findings } = await verifyHistory({
    ledgerFolder: join(folder, "ledger"),
    earlierFolder: join(folder, "earlier-ledgers"),
    verifierKey: ledger.verifierKey,
    knownSize: ledger.published,
    onlyContaining: '"run":{',
    onProof: () => undefined,
  });
  return { checks: [...checks], findings: [...findings] };
}

/** The keys are laid out in a folder of this user alone, and only as long as it takes. */
async function proveWithKeys(
  options: VerifyBackupOptions,
  manifest: Manifest,
  passphrase: string,
): Promise<Pick<BackupReport, "checks" | "findings">> {
  const { folder } = options;
  const box = await readFile(join(folder, "keys.enc"), "utf8").catch((error: unknown) => {
    throw invalid(folder, errorMessage(error));
  });
  const files = await openKeys(box, passphrase, manifest.id);
  const place = await mkdtemp(join(tmpdir(), "homeostat-keys-"));
  const store = await openSqliteSnapshot(join(folder, "state.db"));
  try {
    await writeKeyFiles(files, place, () => true);
    const hasBlobs = await stat(join(place, "keys", "blob-master.key")).catch(() => undefined);
    if (hasBlobs === undefined) throw invalid(folder, "keys.enc holds no keys/blob-master.key");
    const keysFolder = join(place, "keys");
    const blobs = await openFolderBlobsReader({ folder: join(folder, "blobs"), keysFolder, store });
    const { verifierKey } = manifest.ledger;
    return await options.proveRuns({ folder, store, blobs, verifierKey });
  } finally {
    await store.close();
    await rm(place, { recursive: true, force: true });
  }
}
