/** Small files written so that a crash leaves the old one or the new one, never a half of either. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** What a crash may leave behind next to `path`; safe to delete when nobody is writing. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

/** Writes beside `path`, syncs, renames, syncs the folder. `mode` is that of the new file, for example 0o600. One writer per path. */
export function writeFileDurably(path: string, data: string | Uint8Array, mode: number): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const file = openSync(temporaryPath(path), "w", mode);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporaryPath(path), path);
  syncFolder(dirname(path));
}

/** Makes created, renamed and removed names in the folder survive a power loss. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
