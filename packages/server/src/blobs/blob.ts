/** Blobs: bodies too large or too private for a row, found by their digest, encrypted per subject (a run). */

export interface BlobRef {
  /** Whose key encrypts it: a run's id. */
  readonly subject: string;
  /** Of the plain bytes, lower-case hex. */
  readonly sha256: string;
  /** Of the plain bytes. */
  readonly sizeBytes: number;
}

export interface BlobStore {
  /** Resolves once the blob is durable. The same bytes of the same subject are kept once. */
  put(subject: string, bytes: Uint8Array): Promise<BlobRef>;
  /** Throws BLOB_NOT_FOUND, BLOB_CORRUPT, BLOB_ERASED. */
  get(ref: BlobRef): Promise<Buffer>;
  /** Destroys the subject's key and files: its digests still prove what was, nobody can read it. */
  erase(subject: string): Promise<void>;
}
