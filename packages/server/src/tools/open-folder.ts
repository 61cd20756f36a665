/** Opens the folder an act happens in by following no link at all, so that nothing swapped after the decision is obeyed. */
import { constants, existsSync } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, mkdir, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HomeostatError } from "../base/error.ts";
import { fileError } from "./file-errors.ts";
import { resourceOf } from "./paths.ts";
import type { NamedPath } from "./paths.ts";

/** Close it when the act is done. */
export interface OpenFolder {
  /** Where to reach `name` in exactly this folder, even if its path has been swapped since. The name itself may be a link: open with O_NOFOLLOW. */
  entry(name: string): string;
  /** The folder itself, for reading its names. */
  readonly self: string;
  /** Makes a rename or removal in it survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What every act on files is handed. */
export interface FileAccess {
  /** Absolute folders no path may reach whatever policy says: the data folder. A run's own workspace in it is exempt. */
  readonly forbiddenFolders: readonly string[];
  /**
   * False acts by path after checking each component: all a system without /proc/self/fd can do; a swap in the few
   * microseconds between check and act would then be obeyed. Default: whether this host has it.
   */
  readonly useDescriptors?: boolean;
}

export interface OpenFolderOptions extends FileAccess {
  /** Makes missing folders on the way. */
  readonly create?: boolean;
}

/** The open folder that holds `path`, and the name in it. `path.relative` must not be `.`. */
export async function openParent(
  path: NamedPath,
  options: OpenFolderOptions,
): Promise<{ readonly folder: OpenFolder; readonly name: string }> {
  const parent = dirname(path.relative);
  return {
    folder: await openFolder({ root: path.root, relative: parent }, options),
    name: basename(path.relative),
  };
}

/**
 * Throws FILE_CHANGED when a component has become a link or leads into a forbidden folder (by device and inode, so
 * that bind mounts do not help), FILE_NOT_FOUND when one is missing and `create` is not set.
 */
export async function openFolder(path: NamedPath, options: OpenFolderOptions): Promise<OpenFolder> {
  const useDescriptors = options.useDescriptors ?? existsSync("/proc/self/fd");
  const forbidden = await identities(options.forbiddenFolders);
  const segments = path.relative === "." ? [] : path.relative.split("/");
  const doing = `open ${resourceOf(path)}`;
  try {
    let handle = await open(path.root.path, constants.O_RDONLY | constants.O_DIRECTORY);
    let place = path.root.path;
    for (const segment of segments) {
      const inside = useDescriptors ? `/proc/self/fd/${handle.fd}/${segment}` : join(place, segment);
      const next = await enter(inside, path, options.create === true).finally(() => handle.close());
      handle = next;
      place = join(place, segment);
      await requireNotForbidden(handle, forbidden, path);
    }
    return folderOf(handle, useDescriptors ? `/proc/self/fd/${handle.fd}` : place);
  } catch (error) {
    throw fileError(error, doing);
  }
}

async function enter(inside: string, path: NamedPath, create: boolean): Promise<FileHandle> {
  // mkdir first: an existing entry of any kind answers EEXIST and is judged by the open that follows.
  if (create) await mkdir(inside, { mode: 0o755 }).catch(ignoreExisting);
  try {
    return await open(inside, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (await isLink(inside)) throw changed(path, "a folder in its path is now a symbolic link");
    throw error;
  }
}

function folderOf(handle: FileHandle, self: string): OpenFolder {
  return {
    self,
    entry: (name) => `${self}/${name}`,
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function identities(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await Promise.all(folders.map((folder) => stat(folder).then(identity, () => "")));
  return new Set(found);
}

function identity(info: Stats): string {
  return `${info.dev}:${info.ino}`;
}

async function requireNotForbidden(
  handle: FileHandle,
  forbidden: ReadonlySet<string>,
  path: NamedPath,
): Promise<void> {
  if (!forbidden.has(identity(await handle.stat()))) return;
  await handle.close();
  throw changed(path, "its path leads into Homeostat's own data folder");
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (info) => info.isSymbolicLink(),
    () => false,
  );
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

function changed(path: NamedPath, why: string): HomeostatError {
  return new HomeostatError("FILE_CHANGED", `${resourceOf(path)} was not touched: ${why}`, {
    resource: resourceOf(path),
  });
}
