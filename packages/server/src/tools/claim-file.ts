/**
 * Takes a file out of everybody's reach before it is deleted or moved: renamed to a hidden name first and looked at
 * then, what is acted on is what was approved, however fast somebody swaps the visible name.
 */
import { link, lstat, rename, unlink } from "node:fs/promises";
import { HomeostatError } from "../base/error.ts";
import { digestFile, findDigest, openRegular, temporaryName } from "./file-contents.ts";
import type { FileDigest } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import type { OpenFolder } from "./open-folder.ts";

export interface ClaimTarget {
  readonly folder: OpenFolder;
  readonly name: string;
  /** Names the file in errors. */
  readonly what: string;
  /** Of the step: executed again after a crash, it finds what it claimed. */
  readonly idempotencyKey: string;
}

export interface ClaimedFile {
  /** The hidden name in the same folder. */
  readonly name: string;
  /** Gives the file its name back; when that is taken meanwhile, throws FILE_EXISTS that says where the file is. */
  release(): Promise<void>;
}

/** Whether there is anything at the name or at the name an earlier try of the same step gave it. */
export async function isClaimable(target: ClaimTarget): Promise<boolean> {
  const { folder, name } = target;
  return (await exists(folder.entry(name))) || exists(folder.entry(claimName(target)));
}

/** The file at its name, or where an earlier try of the same step left it; undefined when there is neither. */
export async function findClaimable(
  target: ClaimTarget,
  signal: AbortSignal,
): Promise<FileDigest | undefined> {
  const { folder, name, what } = target;
  const visible = await findDigest(folder, name, what, signal);
  return visible ?? findDigest(folder, claimName(target), what, signal);
}

/** Throws FILE_CHANGED when it is not the expected content (it has its name again then), FILE_NOT_FOUND when it is gone. */
export async function claimFile(
  target: ClaimTarget,
  sha256: string,
  signal: AbortSignal,
): Promise<ClaimedFile> {
  const { folder, name, what } = target;
  const hidden = claimName(target);
  const isClaimed = await exists(folder.entry(hidden));
  // With both there, the earlier claim stays and the visible file is somebody else's.
  if (!isClaimed) {
    await rename(folder.entry(name), folder.entry(hidden)).catch((error: unknown) => {
      throw fileError(error, `claim ${what}`);
    });
  }
  const claimed = { name: hidden, release: () => release(target, hidden) };
  try {
    await requireContent(target, hidden, sha256, signal);
    return claimed;
  } catch (error) {
    await claimed.release();
    throw error;
  }
}

function claimName(target: ClaimTarget): string {
  return temporaryName(`claim\0${target.idempotencyKey}`, target.name);
}

async function requireContent(
  target: ClaimTarget,
  hidden: string,
  sha256: string,
  signal: AbortSignal,
): Promise<void> {
  const handle = await openRegular(target.folder, hidden, target.what);
  try {
    if ((await digestFile(handle, signal)).sha256 === sha256) return;
  } finally {
    await handle.close();
  }
  throw new HomeostatError("FILE_CHANGED", `${target.what} changed since it was judged and was left alone`, {
    resource: target.what,
    expected: sha256,
  });
}

/** A link and then unlink, because rename would replace a file that took the name meanwhile. */
async function release({ folder, name, what }: ClaimTarget, hidden: string): Promise<void> {
  try {
    await link(folder.entry(hidden), folder.entry(name));
    await unlink(folder.entry(hidden));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return;
    if (code !== "EEXIST" && !(await exists(folder.entry(name)))) {
      // A disk without hard links.
      return rename(folder.entry(hidden), folder.entry(name));
    }
    const told = `${what} appeared anew while it was looked at; the file that was there is now ${hidden}`;
    throw new HomeostatError("FILE_EXISTS", told, { resource: what, kept: hidden }, { cause: error });
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
