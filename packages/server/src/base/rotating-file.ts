/** A file of lines that begins anew when it is large: `name`, `name.1` (the one before) and so on, of which the oldest goes. */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface RotatingFile {
  /** Appends one line with its line end. What cannot be written is lost: a full disk must not stop the writer. */
  write(line: string): void;
}

export interface Rotation {
  readonly maxBytes: number;
  /** Full files that are kept beside the one that grows. */
  readonly keep: number;
}

/**
 * Readable by this user alone; its folder is created. Several processes may write to one file: each line goes in whole, and who
 * finds that another has begun a new file follows. Synchronous, so that a crash does not eat its own reason.
 */
export function openRotatingFile(path: string, { maxBytes, keep }: Rotation): RotatingFile {
  let file: { readonly descriptor: number; sizeBytes: number; readonly inode: number } | undefined;
  return {
    write(line) {
      const bytes = Buffer.from(line);
      try {
        if (file === undefined || file.sizeBytes + bytes.length > maxBytes) beginAnew(bytes.length);
        writeSync(file!.descriptor, bytes);
        file!.sizeBytes += bytes.length;
      } catch {
        // Perhaps the disk is full, perhaps somebody removed the folder; the next line tries from the start.
        close();
      }
    },
  };

  /** Another process may have written to the file, or begun a new one, since we looked. */
  function beginAnew(moreBytes: number): void {
    const wasOurs = file?.inode;
    open();
    const isStillFull = file!.sizeBytes > 0 && file!.sizeBytes + moreBytes > maxBytes;
    if (!isStillFull || (wasOurs !== undefined && wasOurs !== file!.inode)) return;
    shift();
    open();
  }

  function open(): void {
    close();
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, "a", 0o600);
    const { size, ino } = fstatSync(descriptor);
    file = { descriptor, sizeBytes: size, inode: ino };
  }

  function shift(): void {
    rmSync(`${path}.${keep}`, { force: true });
    for (let number = keep - 1; number >= 1; number -= 1)
      renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    if (keep > 0) renameSync(path, `${path}.1`);
    else rmSync(path);
  }

  function close(): void {
    if (file !== undefined) closeSync(file.descriptor);
    file = undefined;
  }
}

function renameIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}
