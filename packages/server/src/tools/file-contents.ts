/** Reads, digests and replaces single regular files inside an open folder; links, pipes and devices are never followed. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { fileError } from "./file-errors.ts";
import type { OpenFolder } from "./open-folder.ts";

export interface FileDigest {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Names of files being written. They are never listed, saved or registered: a crash may leave one behind. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".homeostat-") && name.endsWith(".tmp");
}

/** The same key and name give the same hidden name: a step executed again after a crash finds what it left. */
export function temporaryName(key: string, name: string): string {
  return `.homeostat-${sha256(`${key}\0${name}`).slice(0, 24)}.tmp`;
}

/** `what` names the file in errors. Throws FILE_NOT_FOUND, FILE_CHANGED for a link, ACTION_INVALID for what is no regular file. */
export async function openRegular(
  folder: Pick<OpenFolder, "entry">,
  name: string,
  what: string,
): Promise<FileHandle> {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(folder.entry(name), flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ELOOP") throw fileError(error, `open ${what}`);
    throw new HomeostatError(
      "FILE_CHANGED",
      `${what} is now a symbolic link`,
      { file: what },
      { cause: error },
    );
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new HomeostatError("ACTION_INVALID", `${what} is not a regular file`, { file: what });
}

/** Streams in 256 KiB blocks, so that memory stays constant and the event loop turns between blocks. */
export async function digestFile(handle: FileHandle, signal?: AbortSignal): Promise<FileDigest> {
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafe(256 * 1024);
  let sizeBytes = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, block.length, sizeBytes);
    if (bytesRead === 0) return { sha256: hash.digest("hex"), sizeBytes };
    hash.update(block.subarray(0, bytesRead));
    sizeBytes += bytesRead;
  }
}

/** Digest by absolute path, for looking before a decision; the act digests again through its own open folder. */
export async function digestAt(absolute: string, what: string): Promise<FileDigest> {
  const folder = { entry: () => absolute };
  const handle = await openRegular(folder, "", what);
  try {
    return await digestFile(handle);
  } finally {
    await handle.close();
  }
}

/** Digest of `name`, or undefined when there is no such file. */
export async function findDigest(
  folder: OpenFolder,
  name: string,
  what: string,
  signal?: AbortSignal,
): Promise<FileDigest | undefined> {
  const found = await lstat(folder.entry(name)).catch(() => undefined);
  if (found === undefined) return undefined;
  const handle = await openRegular(folder, name, what);
  try {
    return await digestFile(handle, signal);
  } finally {
    await handle.close();
  }
}

/** Up to `length` bytes from `offset`; fewer at the end of the file. */
export async function readBytes(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The whole file. Throws FILE_TOO_LARGE above `limitBytes`. */
export async function readWhole(handle: FileHandle, what: string, limitBytes: number): Promise<Buffer> {
  const bytes = await readBytes(handle, 0, limitBytes + 1);
  if (bytes.length <= limitBytes) return bytes;
  throw new HomeostatError("FILE_TOO_LARGE", `${what} has more than ${limitBytes} bytes`, {
    file: what,
    limitBytes,
  });
}

export interface Replacement {
  readonly folder: OpenFolder;
  readonly name: string;
  /** Names the file in errors. */
  readonly what: string;
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Of the step; the same step after a crash finds and removes what it left. */
  readonly idempotencyKey: string;
}

/**
 * Writes beside the file, syncs, renames, syncs the folder: at every moment the name holds the old or the new content
 * whole, on disk too. Keeps an existing file's permissions. A link at the name is replaced, never followed.
 */
export async function replaceFile(replacement: Replacement): Promise<void> {
  const { folder, name, what } = replacement;
  const before = await lstat(folder.entry(name)).catch(() => undefined);
  if (before?.isDirectory() === true) {
    throw new HomeostatError("ACTION_INVALID", `${what} is a folder`, { file: what });
  }
  const mode = before?.isFile() === true ? before.mode & 0o777 : 0o644;
  const temporary = folder.entry(temporaryName(replacement.idempotencyKey, name));
  try {
    await writeNew(temporary, replacement.content, mode);
    await rename(temporary, folder.entry(name));
    await folder.sync();
  } catch (error) {
    // What failed is told; a file that cannot be removed now is invisible to listings and removed by the step's retry.
    await unlink(temporary).catch(() => undefined);
    throw fileError(error, `write ${what}`);
  }
}

async function writeNew(path: string, content: Replacement["content"], mode: number): Promise<void> {
  await unlink(path).catch(() => undefined);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, mode);
  try {
    // chmod, because the process's umask narrowed the mode given to open.
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
