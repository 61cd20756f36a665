/** Writes bytes, encrypted, into an open file: what goes into a folder, or on its way into a bucket. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { sha256 } from "../base/digest.ts";
import type { BlobRef } from "./blob.ts";
import { toChunks } from "./chunks.ts";
import { chunkBytes, createHeader, encryptChunk, encryptTrailer } from "./encrypt.ts";

export interface Writing {
  readonly key: Buffer;
  readonly subject: string;
}

/** Throws the file system's errors, and what the stream throws. */
export async function writeContent(
  file: FileHandle,
  { key, subject }: Writing,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<BlobRef> {
  const header = createHeader();
  const digest = createHash("sha256");
  let sizeBytes = 0;
  await file.writeFile(header);
  for await (const { bytes, index, isLast } of toChunks(content, chunkBytes)) {
    digest.update(bytes);
    sizeBytes += bytes.length;
    await file.writeFile(encryptChunk(key, { header, subject, index, isLast }, bytes));
  }
  const sha256Text = digest.digest("hex");
  await file.writeFile(encryptTrailer(key, header, sha256Text));
  return { subject, sha256: sha256Text, sizeBytes };
}

/** The same, in memory, for what is small. */
export function encryptWhole({ key, subject }: Writing, content: Uint8Array): Buffer {
  const header = createHeader();
  const parts: Buffer[] = [header];
  for (let at = 0, index = 0; index === 0 || at < content.length; at += chunkBytes, index += 1) {
    const bytes = content.subarray(at, at + chunkBytes);
    const isLast = at + chunkBytes >= content.length;
    parts.push(encryptChunk(key, { header, subject, index, isLast }, bytes));
  }
  return Buffer.concat([...parts, encryptTrailer(key, header, sha256(content))]);
}
