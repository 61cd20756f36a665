/** Reads one encrypted blob chunk by chunk; every byte is authenticated before it is handed out. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errorMessage, HomeostatError } from "../base/error.ts";
import type { BlobRef } from "./blob.ts";
import {
  chunkCount,
  chunkRange,
  decryptChunk,
  decryptTrailer,
  encryptedBytes,
  headerBytes,
  isHeader,
  trailerBytes,
} from "./encrypt.ts";

/** Throws BLOB_NOT_FOUND, BLOB_CORRUPT. */
export async function* readChunks(path: string, key: Buffer, ref: BlobRef): AsyncGenerator<Buffer> {
  const file = await openBlob(path);
  try {
    const { size } = await file.stat();
    const wanted = encryptedBytes(ref.sizeBytes);
    if (size !== wanted) throw corrupt(path, `it has ${size} bytes instead of ${wanted}`);
    const header = await readAt(file, 0, headerBytes);
    if (!isHeader(header)) throw corrupt(path, `its first ${headerBytes} bytes are not a blob's`);
    const trailer = await readAt(file, size - trailerBytes, trailerBytes);
    const digest = authenticated(path, "its end", () => decryptTrailer(key, header, trailer));
    if (digest !== ref.sha256) throw corrupt(path, `it is the blob ${digest}`);
    const count = chunkCount(ref.sizeBytes);
    for (let index = 0; index < count; index += 1) {
      const range = chunkRange(ref.sizeBytes, index);
      const chunk = await readAt(file, range.start, range.sizeBytes);
      const place = { header, subject: ref.subject, index, isLast: index === count - 1 };
      yield authenticated(path, `chunk ${index}`, () => decryptChunk(key, place, chunk));
    }
  } finally {
    await file.close();
  }
}

export function corrupt(path: string, why: string): HomeostatError {
  return new HomeostatError("BLOB_CORRUPT", `The blob ${path} is damaged: ${why}`, { path });
}

async function openBlob(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw corrupt(path, errorMessage(error));
    throw new HomeostatError("BLOB_NOT_FOUND", `The blob ${path} is missing`, { path });
  }
}

/** Fewer bytes than asked for would mean that the file shrank since its size was read; the cipher refuses the zeros instead. */
async function readAt(file: FileHandle, position: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const { bytesRead } = await file.read(bytes, filled, sizeBytes - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes;
}

/** The cipher only says that something differs; where is what we know. */
function authenticated<Value>(path: string, what: string, decrypt: () => Value): Value {
  try {
    return decrypt();
  } catch {
    throw corrupt(path, `${what} was changed`);
  }
}
