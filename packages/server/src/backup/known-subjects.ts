/** Which blobs belong to a copied database: those whose key stands in it. */
import { join } from "node:path";
import { openSqliteSnapshot } from "../store/move/snapshot.ts";

export interface KnownSubjects {
  /** Asked in the order of folders, one subject after the other: it remembers the last answer alone. */
  has(subject: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Of the `state.db` in the folder. A subject's key is made with its first blob, so a blob may be copied whose key was made after the
 * database was: nobody can ever read it, and where a run of the copy writes the same content under a key of its own, it would stand
 * in the way. Throws as `openSqliteSnapshot`.
 */
export async function openKnownSubjects(folder: string): Promise<KnownSubjects> {
  const snapshot = await openSqliteSnapshot(join(folder, "state.db"));
  let last = { subject: "", isKnown: false };
  return {
    async has(subject) {
      if (subject !== last.subject) {
        const rows = await snapshot.read("SELECT 1 AS found FROM blob_keys WHERE subject = ?", [subject]);
        last = { subject, isKnown: rows.length > 0 };
      }
      return last.isKnown;
    },
    close: snapshot.close,
  };
}
