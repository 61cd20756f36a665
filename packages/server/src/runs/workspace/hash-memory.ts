/** What files hashed to when they were last read, so that an unchanged workspace costs a stat a file. Rebuildable: lives in cache.db. */
import type { Clock } from "../../base/clock.ts";
import type { Migration, Store } from "../../store/store.ts";

export const hashMemoryMigration: Migration = {
  id: "0001-workspace-hashes",
  statements: () => [
    `CREATE TABLE workspace_hashes (
      run_id TEXT NOT NULL,
      path TEXT NOT NULL,
      signature TEXT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (run_id, path)
    )`,
  ],
};

export interface FileSignature {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** Losing any or all of it only costs hashing. */
export interface HashMemory {
  /** The digest of a file that still has the signature it was hashed under. */
  find(runId: string, path: string, signature: FileSignature): Promise<string | undefined>;
  /** Not kept when the file was changed so lately that another change could leave the same signature. Never throws. */
  remember(
    runId: string,
    path: string,
    file: { readonly signature: FileSignature; readonly sha256: string },
  ): void;
}

/** Timestamps of common file systems are no finer than a clock tick; git's rule for "racily clean" entries uses the same idea. */
const racyMs = 20;

export function createHashMemory(deps: { readonly cache: Store; readonly clock: Clock }): HashMemory {
  const { cache, clock } = deps;
  return {
    async find(runId, path, signature) {
      const sql = "SELECT signature, sha256 FROM workspace_hashes WHERE run_id = ? AND path = ?";
      const [row] = await cache.read(sql, [runId, path]);
      return row?.["signature"] === textOf(signature) ? (row["sha256"] as string) : undefined;
    },
    remember(runId, path, { signature, sha256 }) {
      const changedMs = Number(
        (signature.mtimeNs > signature.ctimeNs ? signature.mtimeNs : signature.ctimeNs) / 1_000_000n,
      );
      if (clock.now() - changedMs < racyMs) return;
      cache
        .write([
          {
            sql: `INSERT INTO workspace_hashes (run_id, path, signature, sha256) VALUES (?, ?, ?, ?)
              ON CONFLICT (run_id, path) DO UPDATE SET signature = excluded.signature, sha256 = excluded.sha256`,
            params: [runId, path, textOf(signature), sha256],
          },
        ])
        .catch(() => {
          // A cache that cannot be written is slower, never wrong.
        });
    },
  };
}

function textOf({ size, mtimeNs, ctimeNs, ino }: FileSignature): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}
