/** What a backup says about itself: `manifest.json`, signed by the ledger's key, and `files.txt` with every file's digest. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../base/digest.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { parseVerifierKey } from "../ledger/checkpoint.ts";
import type { SigningKey } from "../ledger/checkpoint.ts";
import { openNote, signNote } from "../ledger/signed-note.ts";

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.object({
  v: z.literal(1),
  kind: z.literal("homeostat.backup"),
  id: z.string(),
  /** ISO 8601. The moment that the copy of the database shows. */
  createdAt: z.string(),
  version: z.string(),
  database: z.object({
    dialect: z.enum(["sqlite", "postgres"]),
    tables: z.array(z.object({ name: z.string(), rows: z.number().int(), digest: hex64 })),
  }),
  ledger: z.object({
    verifierKey: z.string(),
    size: z.number().int(),
    root: hex64,
    /** How many entries the database knew to be published; those after it came later than the copy of the database. */
    published: z.number().int(),
  }),
  keys: z.enum(["encrypted", "left out"]),
  /** Of `files.txt`, which lists all files but the manifest and its signature. */
  filesDigest: hex64,
  files: z.number().int(),
  sizeBytes: z.number().int(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** Files of the data folder that people write. */
export const settingsFiles: readonly string[] = ["policy.yaml", "policy.pending.json", "homeostat.yaml"];
/** And folders of such files: what is narrower than policy.yaml only tightens it, so that to lose it would allow more. */
export const settingsFolders: readonly string[] = ["policy.d"];

export const manifestName = "manifest.json";
export const signatureName = "manifest.sig";
export const filesName = "files.txt";

/** First line of the signed note; no ledger's name has blanks. */
const noteKind = "homeostat backup manifest v1";

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function signManifest(text: string, key: SigningKey): string {
  return signNote(`${noteKind}\n${sha256(text)}\n`, key);
}

/**
 * Reads and checks a manifest. `verifierKey` is the key as known from elsewhere; without it the manifest's own is believed,
 * which finds damage but no forgery. Throws BACKUP_INVALID.
 */
export async function readManifest(folder: string, verifierKey?: string): Promise<Manifest> {
  const text = await readPart(folder, manifestName);
  const note = await readPart(folder, signatureName);
  const manifest = parseManifest(text, folder);
  const own = manifest.ledger.verifierKey;
  if (verifierKey !== undefined && verifierKey.trim() !== own) {
    throw invalid(folder, "it is signed by another ledger's key than the given one");
  }
  const key = parseVerifierKey(own);
  if (key === undefined || openNote(note, key) !== `${noteKind}\n${sha256(text)}\n`)
    throw invalid(folder, `the signature in ${signatureName} does not fit ${manifestName}`);
  return manifest;
}

export interface ListedFile {
  /** Below the backup's folder, `/`-separated. */
  readonly path: string;
  readonly sha256: string;
}

/** One line as `sha256sum` writes and checks it. */
export function fileLine({ path, sha256: digest }: ListedFile): string {
  return `${digest}  ${path}\n`;
}

/** Throws BACKUP_INVALID for a line of another form, or a path that would lead out of the folder. */
export function parseFileLine(line: string, folder: string): ListedFile {
  const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line);
  const [, digest, path] = (match ?? []) as unknown as [string, string, string];
  if (match === null || path.startsWith("/") || path.split("/").some((name) => name === ".." || name === ""))
    throw invalid(folder, `${filesName} has a line that names no file`);
  return { sha256: digest, path };
}

export function invalid(folder: string, why: string): HomeostatError {
  return new HomeostatError("BACKUP_INVALID", `${folder} is no whole backup: ${why}`, { folder });
}

function parseManifest(text: string, folder: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(folder, `${manifestName} is not JSON: ${errorMessage(error)}`);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
  throw invalid(folder, `${manifestName}: ${issues.join("; ")}`);
}

async function readPart(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    throw invalid(folder, errorMessage(error));
  }
}
