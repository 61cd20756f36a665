/** Blobs in a folder: `blobs/<subject>/<sha256>`, encrypted, written beside and renamed, so that none is ever half there. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Store } from "../store/store.ts";
import type { BlobReader, BlobRef, BlobStore } from "./blob.ts";
import { requireBlobName, requireSubject } from "./depot.ts";
import { encryptedBytes } from "./encrypt.ts";
import { createKeyReader, createSubjectKeys, masterKeyPath, openMasterKey, readMasterKey } from "./keys.ts";
import type { SubjectKeys } from "./keys.ts";
import { corrupt, readChunks } from "./read-file.ts";
import { writeContent } from "./write-content.ts";
import type { Writing } from "./write-content.ts";

export interface FolderBlobsOptions {
  readonly folder: string;
  readonly keysFolder: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
}

/** Makes the master key on first start. Throws BLOB_KEYS_UNUSABLE. */
export async function openFolderBlobs(options: FolderBlobsOptions): Promise<BlobStore> {
  return createFolderBlobs({ ...options, master: await openMasterKey(masterKeyPath(options.keysFolder)) });
}

/** For reading alone: makes no key and no file. Throws BLOB_KEYS_UNUSABLE, also when there is no master key. */
export async function openFolderBlobsReader(
  options: Pick<FolderBlobsOptions, "folder" | "keysFolder"> & { readonly store: Pick<Store, "read"> },
): Promise<BlobReader> {
  return createFolderReader({ ...options, master: await readMasterKey(masterKeyPath(options.keysFolder)) });
}

export function createFolderBlobs(
  options: Omit<FolderBlobsOptions, "keysFolder"> & { readonly master: Buffer },
): BlobStore {
  const { folder } = options;
  const keys = createSubjectKeys(options);
  return {
    ...readFrom(folder, keys),
    async put(subject, content) {
      const into = subjectFolder(folder, subject);
      const key = await keys.forWriting(subject);
      if (content instanceof Uint8Array) {
        const ref = { subject, sha256: sha256(content), sizeBytes: content.length };
        if (await isThere(pathOf(folder, ref), ref)) return ref;
      }
      return await writeBlob(into, { key, subject }, content);
    },
    async erase(subject) {
      await keys.erase(subject);
      await rm(subjectFolder(folder, subject), { recursive: true, force: true });
    },
  };
}

export function createFolderReader(options: {
  readonly folder: string;
  readonly master: Buffer;
  readonly store: Pick<Store, "read">;
}): BlobReader {
  return readFrom(options.folder, createKeyReader(options));
}

function readFrom(folder: string, keys: Pick<SubjectKeys, "forReading" | "reasonFor">): BlobReader {
  async function* stream(ref: BlobRef): AsyncGenerator<Buffer> {
    const path = pathOf(folder, ref);
    const key = await keys.forReading(ref.subject);
    const digest = createHash("sha256");
    try {
      for await (const bytes of readChunks(path, key, ref)) {
        digest.update(bytes);
        yield bytes;
      }
    } catch (error) {
      throw await keys.reasonFor(error, ref.subject);
    }
    if (digest.digest("hex") !== ref.sha256) throw corrupt(path, "its content has another digest");
  }
  return {
    stream,
    async get(ref) {
      const chunks: Buffer[] = [];
      for await (const bytes of stream(ref)) chunks.push(bytes);
      return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    },
    async has(ref) {
      try {
        await keys.forReading(ref.subject);
      } catch (error) {
        if (isHomeostatError(error, "BLOB_NOT_FOUND", "BLOB_ERASED")) return false;
        throw error;
      }
      return await isThere(pathOf(folder, ref), ref);
    },
    async verify(ref) {
      for await (const bytes of stream(ref)) void bytes;
    },
  };
}

function subjectFolder(folder: string, subject: string): string {
  requireSubject(subject);
  return join(folder, subject);
}

function pathOf(folder: string, ref: BlobRef): string {
  requireBlobName(ref);
  return join(folder, ref.subject, ref.sha256);
}

/** A blob of the right length may still be damaged; `verify` finds that. Writing it anew on each put would cost a sync. */
async function isThere(path: string, { sizeBytes }: BlobRef): Promise<boolean> {
  const existing = await stat(path).catch(() => undefined);
  return existing?.size === encryptedBytes(sizeBytes);
}

/** Under a temporary name of its own, since two writers of the same blob must not share one; its true name is known at the end. */
async function writeBlob(
  into: string,
  writing: Writing,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<BlobRef> {
  const temporary = join(into, `${randomBytes(12).toString("hex")}.tmp`);
  try {
    await makeFolder(into);
    const file = await open(temporary, "wx", 0o600);
    let ref: BlobRef;
    try {
      ref = await writeContent(file, writing, content);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(into, ref.sha256));
    await syncNames(into);
    return ref;
  } catch (error) {
    // Where not even this is possible nothing was written.
    await rm(temporary, { force: true }).catch(() => {});
    // What the caller's stream throws is the caller's; the file system's own errors carry a code and a system call.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const text = `Cannot write a blob into ${into}: ${errorMessage(error)}`;
    throw new HomeostatError("STORE_UNAVAILABLE", text, { folder: into }, { cause: error });
  }
}

async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncNames(dirname(path));
}

/** Makes renamed and created names survive a power loss. */
async function syncNames(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
