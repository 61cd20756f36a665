/** One data key per subject, kept wrapped by the master key; deleting a subject's key erases all its blobs at once. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { openKeyFile, readKeyFile } from "../base/key-file.ts";
import type { KeyFile } from "../base/key-file.ts";
import type { Migration, Statement, Store } from "../store/store.ts";
import { unwrapKey, wrapKey } from "./encrypt.ts";

export const blobKeysMigration: Migration = {
  id: "0005-blob-keys",
  statements: () => [
    `CREATE TABLE blob_keys (
      subject TEXT PRIMARY KEY,
      wrapped TEXT,
      created_at_ms BIGINT NOT NULL,
      erased_at_ms BIGINT
    )`,
  ],
};

export interface SubjectKeys {
  /** The subject's key, made on first use. Throws BLOB_ERASED. */
  forWriting(subject: string): Promise<Buffer>;
  /** Throws BLOB_ERASED, BLOB_NOT_FOUND (no key was ever made), BLOB_CORRUPT (the wrapped key was changed). */
  forReading(subject: string): Promise<Buffer>;
  /** Why a blob is not there: BLOB_ERASED when another process erased it since its key was read; else the error as it is. */
  reasonFor(error: unknown, subject: string): Promise<unknown>;
  erase(subject: string): Promise<void>;
}

/** Keys in memory at most; the rest is unwrapped again when needed. */
const maxCached = 1_000;

export function createSubjectKeys(deps: {
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
  readonly master: Buffer;
}): SubjectKeys {
  const { store, clock, master } = deps;
  const reader = createKeyReader(deps);
  return {
    forReading: reader.forReading,
    reasonFor: reader.reasonFor,
    async forWriting(subject) {
      const known = await reader.find(subject);
      if (known !== undefined) return known;
      const key = randomBytes(32);
      try {
        await store.write([
          {
            sql: "INSERT INTO blob_keys (subject, wrapped, created_at_ms) VALUES (?, ?, ?)",
            params: [subject, wrapKey(master, subject, key), clock.now()],
          },
        ]);
        return key;
      } catch (error) {
        if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
        // Another writer made the key first; that one counts.
        return await reader.forReading(subject);
      }
    },
    async erase(subject) {
      await store.write([eraseKey(subject, clock.now())]);
      reader.forget(subject);
    },
  };
}

/** Destroys a subject's key, for one batch with all else that goes with it; then its blobs are noise. */
export function eraseKey(subject: string, nowMs: number): Statement {
  return {
    sql: "UPDATE blob_keys SET wrapped = NULL, erased_at_ms = ? WHERE subject = ? AND wrapped IS NOT NULL",
    params: [nowMs, subject],
  };
}

export interface KeyReader extends Pick<SubjectKeys, "forReading" | "reasonFor"> {
  /** Undefined when no key was ever made. Throws as `forReading` otherwise. */
  find(subject: string): Promise<Buffer | undefined>;
  forget(subject: string): void;
}

export function createKeyReader(deps: {
  readonly store: Pick<Store, "read">;
  readonly master: Buffer;
}): KeyReader {
  const cache = new Map<string, Buffer>();
  return {
    find,
    forget: (subject) => void cache.delete(subject),
    async reasonFor(error, subject) {
      if (!isHomeostatError(error, "BLOB_NOT_FOUND")) return error;
      cache.delete(subject);
      return await find(subject).then(
        () => error,
        (reason: unknown) => reason,
      );
    },
    async forReading(subject) {
      const key = await find(subject);
      if (key !== undefined) return key;
      throw new HomeostatError("BLOB_NOT_FOUND", `There is no key for blobs of ${subject}`, { subject });
    },
  };

  async function find(subject: string): Promise<Buffer | undefined> {
    const known = cache.get(subject);
    if (known !== undefined) return known;
    const [row] = await deps.store.read("SELECT wrapped FROM blob_keys WHERE subject = ?", [subject]);
    if (row === undefined) return undefined;
    const wrapped = row["wrapped"] as string | null;
    if (wrapped === null)
      throw new HomeostatError("BLOB_ERASED", `The blobs of ${subject} were erased`, { subject });
    const key = open(subject, wrapped);
    cache.set(subject, key);
    if (cache.size > maxCached) cache.delete(cache.keys().next().value!);
    return key;
  }

  function open(subject: string, wrapped: string): Buffer {
    try {
      return unwrapKey(deps.master, subject, wrapped);
    } catch (error) {
      throw new HomeostatError(
        "BLOB_CORRUPT",
        `The key of the blobs of ${subject} (state.db, table blob_keys) was changed, or keys/blob-master.key was`,
        { subject },
        { cause: error },
      );
    }
  }
}

export function masterKeyPath(keysFolder: string): string {
  return join(keysFolder, "blob-master.key");
}

/** Reads the master key, making it on first start. Throws as `readMasterKey`. */
export async function openMasterKey(path: string): Promise<Buffer> {
  return await openKeyFile(masterKeyFile(path));
}

/** Throws BLOB_KEYS_UNUSABLE when it is missing, may be read by others, or is no key. */
export async function readMasterKey(path: string): Promise<Buffer> {
  return await readKeyFile(masterKeyFile(path));
}

function masterKeyFile(path: string): KeyFile {
  return { path, what: "The master key of the blobs", code: "BLOB_KEYS_UNUSABLE" };
}

/** `place` is where the text stands. Throws BLOB_KEYS_UNUSABLE unless it is 64 hex digits. */
export function parseMasterKey(text: string, place: string): Buffer {
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  throw new HomeostatError("BLOB_KEYS_UNUSABLE", `${place} does not hold a master key`, { place });
}
