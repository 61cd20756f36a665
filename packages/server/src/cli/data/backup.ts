/** `homeostat backup`, `backup verify` and `restore`: copies of everything, made while it runs, proved, and taken back. */
import { resolve } from "node:path";
import type { Manifest } from "../../backup/manifest.ts";
import { backUpHome, checkBackup, restoreHome } from "../../home/backup-home.ts";
import { HomeostatError } from "../../base/error.ts";
import type { Config } from "../../config/config-schema.ts";
import { describeDatabase, parseDatabase } from "../../home/move-database.ts";
import { loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { findInstallPlace } from "../server/install-place.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface PassphraseOptions extends GlobalOptions {
  readonly passphraseFile?: string;
}

export interface BackupOptions extends PassphraseOptions {
  /** False with --without-keys, as commander reads it. */
  readonly withoutKeys?: boolean;
}

export async function backup(to: string, options: BackupOptions, terminal: Terminal): Promise<ExitCode> {
  const { config } = loadOptions(options);
  const given = await findPassphrase(options, config);
  if (given === undefined && options.withoutKeys !== true) {
    throw new HomeostatError("BACKUP_PASSPHRASE", "There is no passphrase to seal the keys with");
  }
  const passphrase = options.withoutKeys === true ? undefined : given;
  const folder = resolve(to);
  const manifest = await backUpHome({
    config,
    to: folder,
    passphrase,
    version: findInstallPlace().version,
    onProgress: progress(terminal),
  });
  terminal.result({ folder, ...manifest }, (paint) =>
    [`${paint("bold", folder)} holds everything as of ${manifest.createdAt}`, ...describe(manifest)].join(
      "\n",
    ),
  );
  return exitCodes.done;
}

export interface BackupVerifyOptions extends PassphraseOptions {
  readonly key?: string;
}

export async function backupVerify(
  folder: string,
  options: BackupVerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const passphrase = await findPassphrase(options, loadOptions(options).config);
  const verifierKey = await readKey(options.key);
  const from = resolve(folder);
  const report = await checkBackup({ folder: from, passphrase, verifierKey, onProgress: progress(terminal) });
  const { verdict, manifest, checks, findings } = report;
  terminal.result({ folder: from, ...report }, (paint) => {
    const rows = checks.map(({ name, ok, count, detail }) => [
      ok ? "ok" : "FAILED",
      name,
      String(count),
      oneLine(detail),
    ]);
    return [
      paint(verdict === "intact" ? "green" : "red", `backup: ${verdict}`),
      ...describe(manifest),
      "",
      formatTable(["", "CHECK", "COUNT", "DETAIL"], rows),
      ...(findings.length === 0 ? [] : ["", paint("red", "Findings")]),
      ...findings.map(({ what, where, detail }) => `  ${oneLine(where)}: ${what}: ${oneLine(detail)}`),
    ].join("\n");
  });
  return verdict === "intact" ? exitCodes.done : exitCodes.failed;
}

export interface RestoreOptions extends PassphraseOptions {
  /** A data folder, or the URL of a database whose other files go to the configured data folder. */
  readonly to?: string;
  readonly key?: string;
  /** For a backup without keys. */
  readonly keys?: string;
}

export async function restore(from: string, options: RestoreOptions, terminal: Terminal): Promise<ExitCode> {
  const { config } = loadOptions(options);
  const { to } = options;
  const isDatabase = to !== undefined && /^postgres(?:ql)?:\/\//.test(to);
  const home = to === undefined || isDatabase ? config.home : resolve(to);
  const database = isDatabase ? parseDatabase(to, home) : undefined;
  const manifest = await restoreHome({
    from: resolve(from),
    home,
    blobs: config.blobs,
    database,
    verifierKey: await readKey(options.key),
    passphrase: await findPassphrase(options, config),
    keysFolder: options.keys === undefined ? undefined : resolve(options.keys),
    onProgress: progress(terminal),
  });
  const place = database === undefined ? home : `${home} and ${describeDatabase(database)}`;
  terminal.result({ home, database: database && describeDatabase(database), manifest }, (paint) =>
    [
      `${paint("bold", `Restored to ${place}`)} as of ${manifest.createdAt}`,
      "  A new ledger begins; its first entry names where the old one stood, and `homeostat verify` proves both.",
      "  What runs did after that moment is not known here: look at them before you start the server.",
    ].join("\n"),
  );
  return exitCodes.done;
}

function describe({ database, ledger, keys, files, sizeBytes }: Manifest): readonly string[] {
  const rows = database.tables.reduce((sum, table) => sum + table.rows, 0);
  const mebibytes = (sizeBytes / 1024 ** 2).toFixed(1);
  return [
    `  ${rows} rows, ${ledger.size} ledger entries, ${files} files, ${mebibytes} MiB`,
    `  keys     ${keys === "encrypted" ? "sealed with the passphrase" : "left out: keep keys/ elsewhere"}`,
    `  signed   ${ledger.verifierKey}`,
  ];
}

async function findPassphrase(
  { passphraseFile }: PassphraseOptions,
  config: Config,
): Promise<string | undefined> {
  if (passphraseFile === undefined) return config.backup.passphrase;
  return (await readUserFile(passphraseFile)).toString("utf8").replace(/\r?\n$/, "");
}

/** Keys are texts such as `name+1a2b3c4d+AbC...`; anything without a plus is a file's name. */
async function readKey(key: string | undefined): Promise<string | undefined> {
  if (key === undefined || key.includes("+")) return key?.trim();
  return (await readUserFile(key)).toString("utf8").trim();
}

function progress(terminal: Terminal): (text: string) => void {
  return (text) => terminal.note((paint) => paint("dim", text));
}
