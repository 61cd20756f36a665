/** Blobs in a folder: `blobs/<subject>/<sha256>`, encrypted, written beside and renamed, so that none is ever half there. */
import { constants } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../base/durable-file.ts";
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import type { Store } from "../store/store.ts";
import type { BlobRef, BlobStore } from "./blob.ts";
import {
  chunkCount,
  chunkRange,
  createHeader,
  decryptChunk,
  encryptChunk,
  encryptedBytes,
  headerBytes,
  parseHeader,
} from "./encrypt.ts";
import { createKeyReader, createSubjectKeys, openMasterKey, readMasterKey } from "./keys.ts";
import type { SubjectKeys } from "./keys.ts";

export interface FolderBlobsOptions {
  readonly folder: string;
  readonly keysFolder: string;
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
}

/** Makes the master key on first start. Throws BLOB_KEYS_UNUSABLE. */
export async function openFolderBlobs(options: FolderBlobsOptions): Promise<BlobStore> {
  const { folder, store, clock } = options;
  const master = await openMasterKey(masterKeyPath(options.keysFolder));
  const keys = createSubjectKeys({ store, clock, master });
  const { get } = readFrom(folder, keys);
  return {
    async put(subject, bytes) {
      const ref: BlobRef = { subject, sha256: sha256(bytes), sizeBytes: bytes.length };
      const path = pathOf(folder, ref);
      const existing = await stat(path).catch(() => undefined);
      // A blob of the right length may still be damaged; `verify` finds that. Writing it anew on each put would cost a sync.
      if (existing?.size === encryptedBytes(bytes.length)) return ref;
      await writeBlob(path, await keys.forWriting(subject), ref, bytes);
      return ref;
    },
    get,
    async erase(subject) {
      await keys.erase(subject);
      await rm(subjectFolder(folder, subject), { recursive: true, force: true });
    },
  };
}

/** For reading alone: makes no key and no file. Throws BLOB_KEYS_UNUSABLE, also when there is no master key. */
export async function openFolderBlobsReader(
  options: Pick<FolderBlobsOptions, "folder" | "keysFolder"> & { readonly store: Pick<Store, "read"> },
): Promise<Pick<BlobStore, "get">> {
  const master = await readMasterKey(masterKeyPath(options.keysFolder));
  return readFrom(options.folder, createKeyReader({ store: options.store, master }));
}

function masterKeyPath(keysFolder: string): string {
  return join(keysFolder, "blob-master.key");
}

function readFrom(folder: string, keys: Pick<SubjectKeys, "forReading">): Pick<BlobStore, "get"> {
  return {
    async get(ref) {
      const key = await keys.forReading(ref.subject);
      const plain = await readBlob(pathOf(folder, ref), key, ref);
      if (sha256(plain) !== ref.sha256) throw corrupt(pathOf(folder, ref), "its content has another digest");
      return plain;
    },
  };
}

/** Subjects are ids of ours; anything else would be a way out of the folder. */
function subjectFolder(folder: string, subject: string): string {
  if (!/^[a-z0-9_-]{1,80}$/.test(subject)) {
    throw new HomeostatError(
      "BLOB_NOT_FOUND",
      `${JSON.stringify(subject.slice(0, 80))} is no subject of blobs`,
      {},
    );
  }
  return join(folder, subject);
}

function pathOf(folder: string, ref: BlobRef): string {
  if (!/^[0-9a-f]{64}$/.test(ref.sha256)) {
    throw new HomeostatError("BLOB_NOT_FOUND", `${JSON.stringify(ref.sha256.slice(0, 80))} is no digest`, {});
  }
  return join(subjectFolder(folder, ref.subject), ref.sha256);
}

function nameOf(ref: BlobRef): string {
  return `${ref.subject}/${ref.sha256}`;
}

async function writeBlob(path: string, key: Buffer, ref: BlobRef, bytes: Uint8Array): Promise<void> {
  const folder = join(path, "..");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Two writers of the same blob must not share a temporary file.
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const header = createHeader(bytes.length);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.write(header.bytes);
      for (let index = 0; index < chunkCount(bytes.length); index += 1) {
        const { start, end } = chunkRange(bytes.length, index);
        await file.write(encryptChunk(key, { header, index, name: nameOf(ref) }, bytes.subarray(start, end)));
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new HomeostatError(
      "STORE_UNAVAILABLE",
      `Cannot write the blob ${path}: ${errorMessage(error)}`,
      { path },
      { cause: error },
    );
  }
}

async function readBlob(path: string, key: Buffer, ref: BlobRef): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT")
        throw new HomeostatError("BLOB_NOT_FOUND", `The blob ${path} is missing`, { path });
      throw corrupt(path, errorMessage(error));
    },
  );
  try {
    const { size } = await file.stat();
    if (size !== encryptedBytes(ref.sizeBytes)) {
      throw corrupt(path, `it has ${size} bytes instead of ${encryptedBytes(ref.sizeBytes)}`);
    }
    const bytes = await file.readFile();
    const header = parseHeader(bytes);
    if (header?.sizeBytes !== ref.sizeBytes)
      throw corrupt(path, `its first ${headerBytes} bytes are not a blob's`);
    const chunks = Array.from({ length: chunkCount(ref.sizeBytes) }, (_, index) => {
      const { encryptedStart, encryptedEnd } = chunkRange(ref.sizeBytes, index);
      return openChunk(
        path,
        key,
        { header, index, name: nameOf(ref) },
        bytes.subarray(encryptedStart, encryptedEnd),
      );
    });
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

function openChunk(
  path: string,
  key: Buffer,
  place: Parameters<typeof decryptChunk>[1],
  chunk: Buffer,
): Buffer {
  try {
    return decryptChunk(key, place, chunk);
  } catch {
    // The cipher only says that something differs; where is what we know.
    throw corrupt(path, `chunk ${place.index} was changed`);
  }
}

function corrupt(path: string, why: string): HomeostatError {
  return new HomeostatError("BLOB_CORRUPT", `The blob ${path} is damaged: ${why}`, { path });
}
