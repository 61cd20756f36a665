/** Blobs in a bucket of an S3 server: `prefix/<subject>/<sha256>`, in the very form that they have in a folder. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Store } from "../store/store.ts";
import type { BlobReader, BlobRef, BlobStore } from "./blob.ts";
import { requireBlobName, requireSubject } from "./depot.ts";
import type { BlobDepot } from "./depot.ts";
import { encryptedBytes } from "./encrypt.ts";
import { createKeyReader, createSubjectKeys } from "./keys.ts";
import type { SubjectKeys } from "./keys.ts";
import { decryptStream } from "./read-stream.ts";
import { partBytes } from "./s3-bucket.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { encryptWhole, writeContent } from "./write-content.ts";
import type { Writing } from "./write-content.ts";

export interface S3BlobsOptions {
  readonly bucket: S3Bucket;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly master: Buffer;
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
  /** Where large contents lie, encrypted, until their digest is known. */
  readonly scratchFolder: string;
}

/** Up to this size a content is encrypted and sent from memory; two copies of it exist for a moment. */
const memoryBytes = 4 * 1024 * 1024;

export function createS3Blobs(options: S3BlobsOptions): BlobStore {
  const { bucket, prefix } = options;
  const keys = createSubjectKeys(options);
  return {
    ...readFrom(options, keys),
    async put(subject, content) {
      requireSubject(subject);
      const writing = { key: await keys.forWriting(subject), subject };
      if (!(content instanceof Uint8Array)) return await putSpooled(options, writing, content);
      const ref = { subject, sha256: sha256(content), sizeBytes: content.length };
      const name = nameOf(prefix, ref);
      const found = await bucket.size(name);
      if (found === encryptedBytes(ref.sizeBytes)) return ref;
      if (content.length > memoryBytes) return await putSpooled(options, writing, content);
      // One of another length is damaged, and replaced.
      await bucket.put(name, encryptWhole(writing, content), { onlyIfAbsent: found === undefined });
      return ref;
    },
    async erase(subject) {
      requireSubject(subject);
      await keys.erase(subject);
      const below = `${prefix}${subject}/`;
      // From the start each time: a page's end may name an object that was just removed.
      for (
        let page = await firstNames(bucket, below);
        page.length > 0;
        page = await firstNames(bucket, below)
      )
        await bucket.remove(page);
      await bucket.abortUploads(below);
    },
  };
}

/** For reading alone: makes no key and no object. */
export function createS3Reader(
  options: Pick<S3BlobsOptions, "bucket" | "prefix" | "master"> & { readonly store: Pick<Store, "read"> },
): BlobReader {
  return readFrom(options, createKeyReader(options));
}

/** The encrypted objects, for backups. */
export function createS3Depot({
  bucket,
  prefix,
  scratchFolder,
}: Pick<S3BlobsOptions, "bucket" | "prefix" | "scratchFolder">): BlobDepot {
  return {
    async *list() {
      for await (const name of bucket.list(prefix)) {
        const match = /^([a-z0-9_-]{1,80})\/([0-9a-f]{64})$/.exec(name.slice(prefix.length));
        if (match !== null) yield { subject: match[1]!, sha256: match[2]! };
      }
    },
    async *read(blob) {
      requireBlobName(blob);
      const name = nameOf(prefix, blob);
      const found = await bucket.get(name);
      if (found === undefined) throw notFound(name);
      yield* found.body;
    },
    async write(blob, content) {
      requireBlobName(blob);
      await spooled(scratchFolder, async (file) => {
        for await (const piece of content) {
          await file.writeFile(piece).catch((error: unknown) => {
            throw spoolError(scratchFolder, error);
          });
        }
        await send({ bucket, name: nameOf(prefix, blob) }, file);
      });
    },
  };
}

function readFrom(
  { bucket, prefix }: Pick<S3BlobsOptions, "bucket" | "prefix">,
  keys: Pick<SubjectKeys, "forReading" | "reasonFor">,
): BlobReader {
  async function* stream(ref: BlobRef): AsyncGenerator<Buffer> {
    requireBlobName(ref);
    const name = nameOf(prefix, ref);
    const key = await keys.forReading(ref.subject);
    const found = await bucket.get(name);
    if (found === undefined) throw await keys.reasonFor(notFound(name), ref.subject);
    yield* decryptStream({ place: name, ...found }, key, ref);
  }
  return {
    stream,
    async get(ref) {
      const pieces: Buffer[] = [];
      for await (const bytes of stream(ref)) pieces.push(bytes);
      return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    },
    async has(ref) {
      requireBlobName(ref);
      try {
        await keys.forReading(ref.subject);
      } catch (error) {
        if (isHomeostatError(error, "BLOB_NOT_FOUND", "BLOB_ERASED")) return false;
        throw error;
      }
      return (await bucket.size(nameOf(prefix, ref))) === encryptedBytes(ref.sizeBytes);
    },
    async verify(ref) {
      for await (const bytes of stream(ref)) void bytes;
    },
  };
}

/** As many as one call may remove. */
async function firstNames(bucket: S3Bucket, prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of bucket.list(prefix)) {
    names.push(name);
    if (names.length === 1_000) break;
  }
  return names;
}

function nameOf(prefix: string, { subject, sha256: digest }: Pick<BlobRef, "subject" | "sha256">): string {
  return `${prefix}${subject}/${digest}`;
}

/** Its name is its digest, which is known at the end; until then the content lies encrypted in a file. */
async function putSpooled(
  { bucket, prefix, scratchFolder }: S3BlobsOptions,
  writing: Writing,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<BlobRef> {
  return await spooled(scratchFolder, async (file) => {
    const sender = watchSender(content);
    const ref = await writeContent(file, writing, sender.content).catch((error: unknown) => {
      throw sender.failedWith(error) ? error : spoolError(scratchFolder, error);
    });
    const name = nameOf(prefix, ref);
    if ((await bucket.size(name)) !== encryptedBytes(ref.sizeBytes)) await send({ bucket, name }, file);
    return ref;
  });
}

interface WatchedSender {
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** True for the very error that the sender's stream ended with: that is the caller's to understand, not ours. */
  failedWith(error: unknown): boolean;
}

function watchSender(content: Uint8Array | AsyncIterable<Uint8Array>): WatchedSender {
  const failures: unknown[] = [];
  async function* watched(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      failures.push(error);
      throw error;
    }
  }
  return {
    content: content instanceof Uint8Array ? content : watched(content),
    failedWith: (error) => failures.includes(error),
  };
}

type SpoolFile = Awaited<ReturnType<typeof open>>;

async function send(
  { bucket, name }: { readonly bucket: S3Bucket; readonly name: string },
  file: SpoolFile,
): Promise<void> {
  const { size } = await file.stat();
  if (size > partBytes) return await bucket.putFile(name, file, size);
  const content = Buffer.alloc(size);
  await file.read(content, 0, size, 0);
  await bucket.put(name, content);
}

/** The file is gone from the folder before it holds anything, so that no crash leaves it. */
async function spooled<T>(folder: string, work: (file: SpoolFile) => Promise<T>): Promise<T> {
  const path = join(folder, `${randomBytes(12).toString("hex")}.spool`);
  let file: SpoolFile;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    file = await open(path, "wx+", 0o600);
    await rm(path);
  } catch (error) {
    throw spoolError(folder, error);
  }
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

function spoolError(folder: string, error: unknown): HomeostatError {
  const text = `Cannot keep a blob in ${folder} on its way to the bucket: ${errorMessage(error)}`;
  return new HomeostatError("STORE_UNAVAILABLE", text, { folder }, { cause: error });
}

function notFound(name: string): HomeostatError {
  return new HomeostatError("BLOB_NOT_FOUND", `The blob ${name} is missing`, { path: name });
}
