/** Blobs: bodies too large or too private for a row, found by their digest, encrypted per subject (a run). */

export interface BlobRef {
  /** Whose key encrypts it: a run's id. */
  readonly subject: string;
  /** Of the plain bytes, lower-case hex. */
  readonly sha256: string;
  /** Of the plain bytes. */
  readonly sizeBytes: number;
}

/**
 * Every store passes `describeBlobs`. Reading throws BLOB_NOT_FOUND, BLOB_CORRUPT (names the file), BLOB_ERASED; writing
 * throws BLOB_ERASED, STORE_UNAVAILABLE (disk full). A blob is there as a whole or not at all.
 */
export interface BlobStore {
  /** Resolves once the blob is durable. The same bytes of the same subject are kept once. A stream is never wholly in memory. */
  put(subject: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef>;
  get(ref: BlobRef): Promise<Buffer>;
  /** Pieces of at most 1 MiB, each authenticated before it is handed out; throws at the end when the whole has another digest. */
  stream(ref: BlobRef): AsyncIterable<Buffer>;
  /** True when `get` would find a file and a key; says nothing about damage. */
  has(ref: BlobRef): Promise<boolean>;
  /** Reads all of it, in bounded memory. Throws as `get` does. */
  verify(ref: BlobRef): Promise<void>;
  /** Destroys the subject's key and files: its digests still prove what was, nobody can read it. */
  erase(subject: string): Promise<void>;
}

/** What can be done without the right to write. */
export type BlobReader = Omit<BlobStore, "put" | "erase">;
