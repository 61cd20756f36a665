/** Decrypts a blob that comes as a stream from its first byte to its last; every byte is authenticated before it is handed out. */
import { createHash } from "node:crypto";
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
import { corrupt } from "./read-file.ts";

export interface EncryptedStream {
  /** Where it lies, for people. */
  readonly place: string;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Throws BLOB_CORRUPT, and what the stream throws. Holds one chunk and one piece in memory. */
export async function* decryptStream(
  source: EncryptedStream,
  key: Buffer,
  ref: BlobRef,
): AsyncGenerator<Buffer> {
  const { place } = source;
  const wanted = encryptedBytes(ref.sizeBytes);
  if (source.sizeBytes !== wanted)
    throw corrupt(place, `it has ${source.sizeBytes} bytes instead of ${wanted}`);
  const pieces = createPieces(source.body);
  try {
    const header = await pieces.take(headerBytes);
    if (!isHeader(header)) throw corrupt(place, `its first ${headerBytes} bytes are not a blob's`);
    const digest = createHash("sha256");
    const count = chunkCount(ref.sizeBytes);
    for (let index = 0; index < count; index += 1) {
      const encrypted = await pieces.take(chunkRange(ref.sizeBytes, index).sizeBytes);
      const at = { header, subject: ref.subject, index, isLast: index === count - 1 };
      const bytes = authenticated(place, `chunk ${index}`, () => decryptChunk(key, at, encrypted));
      digest.update(bytes);
      yield bytes;
    }
    const trailer = await pieces.take(trailerBytes);
    const named = authenticated(place, "its end", () => decryptTrailer(key, header, trailer));
    if (named !== ref.sha256) throw corrupt(place, `it is the blob ${named}`);
    if (digest.digest("hex") !== ref.sha256) throw corrupt(place, "its content has another digest");
  } finally {
    await pieces.end();
  }
}

interface Pieces {
  /** Exactly so many bytes; fewer when the stream ended early, which the cipher then refuses. */
  take(sizeBytes: number): Promise<Buffer>;
  end(): Promise<void>;
}

function createPieces(body: AsyncIterable<Uint8Array>): Pieces {
  const iterator = body[Symbol.asyncIterator]();
  let waiting: Uint8Array = Buffer.alloc(0);
  return {
    async take(sizeBytes) {
      const taken = Buffer.alloc(sizeBytes);
      let filled = 0;
      while (filled < sizeBytes) {
        if (waiting.length === 0) {
          const next = await iterator.next();
          if (next.done === true) return taken.subarray(0, filled);
          waiting = next.value;
        }
        const count = Math.min(sizeBytes - filled, waiting.length);
        taken.set(waiting.subarray(0, count), filled);
        waiting = waiting.subarray(count);
        filled += count;
      }
      return taken;
    },
    async end() {
      await iterator.return?.();
    },
  };
}

/** The cipher only says that something differs; where is what we know. */
function authenticated<Value>(place: string, what: string, decrypt: () => Value): Value {
  try {
    return decrypt();
  } catch {
    throw corrupt(place, `${what} was changed`);
  }
}
