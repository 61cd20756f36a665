/** Blobs as they are stored, encrypted: what a backup copies without being able to read it. */
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { HomeostatError } from "../base/error.ts";

export interface StoredBlob {
  readonly subject: string;
  /** Of the plain bytes; the name it is stored under. */
  readonly sha256: string;
}

/** A second way into a `BlobStore`'s place; every depot passes `describeDepot`. */
export interface BlobDepot {
  /** Every whole blob, subject by subject, in bounded memory. One that comes or goes meanwhile may or may not be there. */
  list(): AsyncIterable<StoredBlob>;
  /** Throws BLOB_NOT_FOUND when it went meanwhile. */
  read(blob: StoredBlob): AsyncIterable<Uint8Array>;
  /** Durable when it resolves; nothing is there before. */
  write(blob: StoredBlob, content: AsyncIterable<Uint8Array>): Promise<void>;
}

const subjectPattern = /^[a-z0-9_-]{1,80}$/;
const digestPattern = /^[0-9a-f]{64}$/;

/** Throws BLOB_NOT_FOUND for names that no blob has; anything else would be a way out of the folder. */
export function requireBlobName({ subject, sha256 }: StoredBlob): void {
  if (subjectPattern.test(subject) && digestPattern.test(sha256)) return;
  throw new HomeostatError(
    "BLOB_NOT_FOUND",
    `${JSON.stringify(`${subject}/${sha256}`.slice(0, 80))} is no blob`,
  );
}

/** The same for a subject alone. */
export function requireSubject(subject: string): void {
  if (subjectPattern.test(subject)) return;
  throw new HomeostatError(
    "BLOB_NOT_FOUND",
    `${JSON.stringify(subject.slice(0, 80))} is no subject of blobs`,
  );
}

export function openFolderDepot(folder: string): BlobDepot {
  const pathOf = (blob: StoredBlob): string => {
    requireBlobName(blob);
    return join(folder, blob.subject, blob.sha256);
  };
  return {
    async *list() {
      for (const subject of await namesIn(folder)) {
        if (!subjectPattern.test(subject)) continue;
        // Half-written blobs have other names.
        const names = (await namesIn(join(folder, subject))).filter((name) => digestPattern.test(name));
        for (const sha256 of names) yield { subject, sha256 };
      }
    },
    async *read(blob) {
      const path = pathOf(blob);
      if ((await stat(path).catch(() => undefined)) === undefined)
        throw new HomeostatError("BLOB_NOT_FOUND", `The blob ${path} is missing`, { path });
      yield* createReadStream(path) as AsyncIterable<Buffer>;
    },
    async write(blob, content) {
      const path = pathOf(blob);
      await mkdir(join(folder, blob.subject), { recursive: true, mode: 0o700 });
      const file = await open(`${path}.tmp`, "w", 0o600);
      try {
        for await (const piece of content) await file.writeFile(piece);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${path}.tmp`, path);
    },
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    // Not made yet, or erased meanwhile.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
