/** Authenticated encryption of blobs in chunks, and of the subjects' keys. AES-256-GCM (NIST SP 800-38D), one nonce per chunk. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** A file of 1 GiB is then 1,024 chunks, and no more than one of them needs to be in memory. */
export const chunkBytes: number = 1024 * 1024;

const magic = Buffer.from("HSB1");
const noncePrefixBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const digestBytes = 32;
/** Magic and nonce prefix. */
export const headerBytes: number = magic.length + noncePrefixBytes;
/** The encrypted digest of the plain bytes, so that one blob cannot stand in for another. */
export const trailerBytes: number = digestBytes + tagBytes;
/** The trailer's nonce counter; chunks count from 0. */
const trailerIndex = 0xffff_ffff;

/** First bytes of a new blob; the nonce prefix in them is random and makes the nonces of its chunks. */
export function createHeader(): Buffer {
  return Buffer.concat([magic, randomBytes(noncePrefixBytes)]);
}

export function isHeader(bytes: Uint8Array): boolean {
  return bytes.length === headerBytes && magic.equals(bytes.subarray(0, magic.length));
}

/** At least one: an empty blob is one empty chunk. */
export function chunkCount(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / chunkBytes));
}

/** Length of the whole encrypted file. */
export function encryptedBytes(sizeBytes: number): number {
  return headerBytes + sizeBytes + chunkCount(sizeBytes) * tagBytes + trailerBytes;
}

/** The byte range of a chunk in the encrypted file. */
export function chunkRange(
  sizeBytes: number,
  index: number,
): { readonly start: number; readonly sizeBytes: number } {
  const plainBytes = Math.min(chunkBytes, sizeBytes - index * chunkBytes);
  return { start: headerBytes + index * (chunkBytes + tagBytes), sizeBytes: plainBytes + tagBytes };
}

/** Bound into the encryption, so that chunks cannot be swapped, left out, repeated or taken from another subject. */
export interface ChunkPlace {
  readonly header: Buffer;
  readonly subject: string;
  readonly index: number;
  readonly isLast: boolean;
}

export function encryptChunk(key: Buffer, place: ChunkPlace, plain: Uint8Array): Buffer {
  return seal(key, nonceOf(place.header, place.index), chunkData(place), plain);
}

/** Throws when a single bit of chunk, place or key differs. */
export function decryptChunk(key: Buffer, place: ChunkPlace, encrypted: Buffer): Buffer {
  return unseal(key, nonceOf(place.header, place.index), chunkData(place), encrypted);
}

/** `sha256` is of all plain bytes, 64 hex digits. */
export function encryptTrailer(key: Buffer, header: Buffer, sha256: string): Buffer {
  return seal(key, nonceOf(header, trailerIndex), header, Buffer.from(sha256, "hex"));
}

/** Returns the digest as 64 hex digits. Throws when a single bit differs. */
export function decryptTrailer(key: Buffer, header: Buffer, encrypted: Buffer): string {
  return unseal(key, nonceOf(header, trailerIndex), header, encrypted).toString("hex");
}

/** Nonce, encrypted key and tag as hex; bound to the subject. */
export function wrapKey(master: Buffer, subject: string, key: Buffer): string {
  const nonce = randomBytes(nonceBytes);
  return Buffer.concat([nonce, seal(master, nonce, Buffer.from(subject), key)]).toString("hex");
}

/** Throws when the wrapped key is not this subject's or not wrapped by this master key. */
export function unwrapKey(master: Buffer, subject: string, wrapped: string): Buffer {
  const bytes = Buffer.from(wrapped, "hex");
  return unseal(master, bytes.subarray(0, nonceBytes), Buffer.from(subject), bytes.subarray(nonceBytes));
}

function nonceOf(header: Buffer, index: number): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  header.copy(nonce, 0, magic.length);
  nonce.writeUInt32BE(index, noncePrefixBytes);
  return nonce;
}

function chunkData({ header, subject, isLast }: ChunkPlace): Buffer {
  return Buffer.concat([header, Buffer.from([Number(isLast)]), Buffer.from(subject)]);
}

function seal(key: Buffer, nonce: Buffer, additional: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(additional);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: Buffer, nonce: Buffer, additional: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  decipher.final();
  return plain;
}
