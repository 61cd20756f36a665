/** Authenticated encryption of blobs in chunks, and of the subjects' keys. AES-256-GCM (NIST SP 800-38D), one nonce per chunk. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** A file of 1 GiB is then 1,024 chunks, and no more than one of them needs to be in memory. */
export const chunkBytes: number = 1024 * 1024;

const magic = Buffer.from("HSB1");
const noncePrefixBytes = 8;
const tagBytes = 16;
/** Magic, nonce prefix, plain size. */
export const headerBytes: number = magic.length + noncePrefixBytes + 8;

export interface Header {
  readonly noncePrefix: Buffer;
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

export function createHeader(sizeBytes: number): Header {
  const noncePrefix = randomBytes(noncePrefixBytes);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(sizeBytes));
  return { noncePrefix, sizeBytes, bytes: Buffer.concat([magic, noncePrefix, size]) };
}

/** Undefined when these are not the first bytes of a blob. */
export function parseHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const noncePrefix = bytes.subarray(magic.length, magic.length + noncePrefixBytes);
  const sizeBytes = Number(bytes.readBigUInt64BE(magic.length + noncePrefixBytes));
  return { noncePrefix, sizeBytes, bytes: bytes.subarray(0, headerBytes) };
}

export function chunkCount(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / chunkBytes));
}

/** Length of the whole encrypted file. */
export function encryptedBytes(sizeBytes: number): number {
  return headerBytes + sizeBytes + chunkCount(sizeBytes) * tagBytes;
}

/** The chunk's place is bound in, so that chunks cannot be swapped, repeated or taken from another blob. */
export interface ChunkPlace {
  readonly header: Header;
  readonly index: number;
  /** `subject/sha256` of the plain bytes. */
  readonly name: string;
}

export function encryptChunk(key: Buffer, place: ChunkPlace, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(place));
  cipher.setAAD(additionalData(place));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when a single bit of chunk, place or key differs. */
export function decryptChunk(key: Buffer, place: ChunkPlace, encrypted: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(place), { authTagLength: tagBytes });
  decipher.setAAD(additionalData(place));
  decipher.setAuthTag(encrypted.subarray(encrypted.length - tagBytes));
  const plain = decipher.update(encrypted.subarray(0, encrypted.length - tagBytes));
  decipher.final();
  return plain;
}

/** Plain byte range and encrypted byte range of a chunk. */
export function chunkRange(sizeBytes: number, index: number) {
  const start = index * chunkBytes;
  const end = Math.min(sizeBytes, start + chunkBytes);
  const encryptedStart = headerBytes + index * (chunkBytes + tagBytes);
  return { start, end, encryptedStart, encryptedEnd: encryptedStart + (end - start) + tagBytes };
}

function nonceOf({ header, index }: ChunkPlace): Buffer {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(index);
  return Buffer.concat([header.noncePrefix, counter]);
}

function additionalData({ header, name }: ChunkPlace): Buffer {
  return Buffer.concat([header.bytes, Buffer.from(name)]);
}

/** Nonce, encrypted key and tag as hex; bound to the subject. */
export function wrapKey(master: Buffer, subject: string, key: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", master, nonce);
  cipher.setAAD(Buffer.from(subject));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]).toString("hex");
}

/** Throws when the wrapped key is not this subject's or not wrapped by this master key. */
export function unwrapKey(master: Buffer, subject: string, wrapped: string): Buffer {
  const bytes = Buffer.from(wrapped, "hex");
  const decipher = createDecipheriv("aes-256-gcm", master, bytes.subarray(0, 12), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(subject));
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - tagBytes)), decipher.final()]);
}
