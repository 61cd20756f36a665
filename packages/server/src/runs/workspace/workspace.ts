/** A run's workspace: a folder on this host, saved as a manifest of blobs with each outcome, so that a run can move and recover. */
import { createHash, randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canonicalJson } from "../../base/canonical-json.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import type { BlobRef, BlobStore } from "../../blobs/blob.ts";
import { isTemporaryName } from "../../tools/file-contents.ts";
import type { HashMemory } from "./hash-memory.ts";

export interface FileFacts {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Permission bits, for example 0o644. */
  readonly mode: number;
}

/** Every regular file by its path relative to the workspace, `/`-separated. */
export interface Manifest {
  readonly v: 1;
  readonly files: Readonly<Record<string, FileFacts>>;
}

const emptyManifest: Manifest = { v: 1, files: {} };

export interface WorkspaceFile {
  readonly path: string;
  /** A large one comes in pieces; it is read once. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Asked before each file that is touched. Throws when another worker may have the run by now, and so the folder. */
export type RequireHeld = () => void;

export interface Workspaces {
  folderOf(runId: string): string;
  /** Stores the files of a new run; the folder itself is made when a worker first opens it. */
  seed(
    runId: string,
    files: readonly WorkspaceFile[],
  ): Promise<{ readonly ref: BlobRef; readonly manifest: Manifest }>;
  /** Saves what is in the folder now; unchanged files cost a stat. */
  capture(runId: string): Promise<{ readonly ref: BlobRef; readonly manifest: Manifest }>;
  /** Makes the folder exactly what the manifest says: half-written leftovers of a crash go, lost files come back. */
  restore(runId: string, ref: BlobRef | null, requireHeld?: RequireHeld): Promise<Restored>;
  load(ref: BlobRef | null): Promise<Manifest>;
  /** The same files under another run's key: runs are erased one by one. Throws BLOB_ERASED when they are gone. */
  copy(ref: BlobRef, toRunId: string): Promise<BlobRef>;
}

/** What a folder that was there already had to be changed in; a folder made anew has nothing to tell. */
export interface Restored {
  readonly manifest: Manifest;
  /** Files that were missing or changed. */
  readonly putBack: readonly string[];
  /** Files the journal does not know. */
  readonly removed: readonly string[];
}

export function createWorkspaces(deps: {
  readonly folder: string;
  readonly blobs: BlobStore;
  readonly hashes: HashMemory;
}): Workspaces {
  const { blobs, hashes } = deps;
  const folderOf = (runId: string): string => join(deps.folder, runId);

  return {
    folderOf,
    async seed(runId, files) {
      const facts = emptyFacts();
      for (const file of files) {
        const blob = await blobs.put(runId, file.content);
        facts[file.path] = { sha256: blob.sha256, sizeBytes: blob.sizeBytes, mode: 0o644 };
      }
      return save(runId, { v: 1, files: facts });
    },
    async capture(runId) {
      const facts = emptyFacts();
      for await (const path of regularFiles(folderOf(runId), "")) {
        facts[path] = await captureFile(runId, path);
      }
      return save(runId, { v: 1, files: facts });
    },
    async restore(runId, ref, requireHeld) {
      const manifest = await load(ref);
      const folder = folderOf(runId);
      // The first folder made is told; undefined: it was there.
      const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
      const removed: string[] = [];
      await removeStrangers(folder, "", { manifest, removed, requireHeld });
      const putBack: string[] = [];
      for (const [path, facts] of Object.entries(manifest.files)) {
        if (await restoreFile(runId, path, { ...facts, requireHeld })) putBack.push(path);
      }
      return isNew ? { manifest, putBack: [], removed: [] } : { manifest, putBack, removed };
    },
    load,
    async copy(ref, toRunId) {
      const manifest = await load(ref);
      for (const { sha256, sizeBytes } of Object.values(manifest.files)) {
        if (await blobs.has({ subject: toRunId, sha256, sizeBytes })) continue;
        const from = { subject: ref.subject, sha256, sizeBytes };
        await blobs.put(toRunId, sizeBytes > wholeBytes ? blobs.stream(from) : await blobs.get(from));
      }
      return (await save(toRunId, manifest)).ref;
    },
  };

  async function load(ref: BlobRef | null): Promise<Manifest> {
    if (ref === null) return emptyManifest;
    return JSON.parse((await blobs.get(ref)).toString()) as Manifest;
  }

  async function save(runId: string, manifest: Manifest): Promise<{ ref: BlobRef; manifest: Manifest }> {
    const ref = await blobs.put(runId, Buffer.from(canonicalJson(manifest as unknown as JsonValue)));
    return { ref, manifest };
  }

  async function captureFile(runId: string, path: string): Promise<FileFacts> {
    const file = join(folderOf(runId), path);
    const stat = await lstat(file, { bigint: true });
    const facts = { sizeBytes: Number(stat.size), mode: Number(stat.mode) & 0o777 };
    const known = await hashes.find(runId, path, stat);
    if (known !== undefined) return { sha256: known, ...facts };
    const { sha256, sizeBytes } = await keep(runId, file, facts.sizeBytes);
    hashes.remember(runId, path, { signature: stat, sha256 });
    return { ...facts, sha256, sizeBytes };
  }

  /** Large files are never in memory as a whole; to be kept once they are read twice. */
  async function keep(runId: string, file: string, sizeBytes: number): Promise<BlobRef> {
    requireSize(file, sizeBytes);
    if (sizeBytes <= wholeBytes) return await blobs.put(runId, await readFile(file));
    const known = { subject: runId, sha256: await hashFile(file), sizeBytes };
    return (await blobs.has(known)) ? known : await blobs.put(runId, piecesOf(file));
  }

  /** Whether the file had to be put back. */
  async function restoreFile(
    runId: string,
    path: string,
    facts: FileFacts & { readonly requireHeld: RequireHeld | undefined },
  ): Promise<boolean> {
    const file = join(folderOf(runId), path);
    const stat = await lstat(file, { bigint: true }).catch(() => undefined);
    if (stat?.isFile() === true) {
      const known = (await hashes.find(runId, path, stat)) ?? (await hashFile(file));
      if (known === facts.sha256) return false;
    }
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    // Nobody else's: a worker that has lost the run without knowing it must not write into what its successor puts in place.
    const temporary = join(dirname(file), `.homeostat-restore-${randomBytes(8).toString("hex")}.tmp`);
    const blob = { subject: runId, sha256: facts.sha256, sizeBytes: facts.sizeBytes };
    await writeFile(temporary, blobs.stream(blob), { mode: facts.mode, flag: "wx" });
    await chmod(temporary, facts.mode);
    // What lies there stays until all of the other is there.
    facts.requireHeld?.();
    await rm(file, { recursive: true, force: true });
    await rename(temporary, file);
    return true;
  }
}

/** Without a prototype: a file may be called `__proto__`. */
function emptyFacts(): Record<string, FileFacts> {
  return Object.create(null) as Record<string, FileFacts>;
}

async function* regularFiles(folder: string, below: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(join(folder, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* regularFiles(folder, path);
    else if (entry.isFile() && !isTemporaryName(entry.name)) yield path;
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Removes what the manifest does not know; symlinks and devices are never part of a workspace. */
async function removeStrangers(
  folder: string,
  below: string,
  known: {
    readonly manifest: Manifest;
    readonly removed: string[];
    readonly requireHeld: RequireHeld | undefined;
  },
): Promise<void> {
  for (const entry of await entriesOf(join(folder, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await removeStrangers(folder, path, known);
    else if (!entry.isFile() || !Object.hasOwn(known.manifest.files, path)) {
      known.requireHeld?.();
      await rm(join(folder, path), { force: true });
      // Half-written files of our own are nobody's edits; a link in a file's place is told as the file put back.
      const isTold = !isTemporaryName(entry.name) && !Object.hasOwn(known.manifest.files, path);
      if (isTold) known.removed.push(path);
    }
  }
}

/** Larger files go piece by piece; a stream takes a detour over the disk where blobs lie in a bucket. */
const wholeBytes = 1024 * 1024;

/** What one file of a workspace may weigh: it is read, encrypted and written at each change. */
const maxFileBytes = 512 * 1024 * 1024;

/** Throws FILE_TOO_LARGE. */
function requireSize(file: string, sizeBytes: number): void {
  if (sizeBytes <= maxFileBytes) return;
  throw new HomeostatError(
    "FILE_TOO_LARGE",
    `${file} has ${sizeBytes} bytes; a workspace file may have ${maxFileBytes}`,
    { sizeBytes },
  );
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of piecesOf(file)) hash.update(piece);
  return hash.digest("hex");
}

async function* piecesOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, "r");
  try {
    for await (const piece of handle.createReadStream({ autoClose: false })) yield piece as Buffer;
  } finally {
    await handle.close();
  }
}
