/** The files of a work folder on their way into a sandbox: listed, measured, and streamed with their digests taken. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { HomeostatError } from "../base/error.ts";
import { findPathProblem } from "./relative-path.ts";
import type { SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import type { TarSource } from "./tar.ts";

/** More files than this in a work folder are refused; tmpfs bounds bytes but not names. */
export const maxFiles = 20_000;

export interface InputFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly modifiedAtMs: number;
}

export interface InputList {
  /** Sorted by path. */
  readonly files: readonly InputFile[];
  readonly folders: readonly InputFile[];
  /** Whole memory pages, as tmpfs counts. */
  readonly diskBytes: number;
  readonly largestFileBytes: number;
  readonly refused: SandboxOutcome["refused"];
}

export interface FileDigest {
  readonly sizeBytes: number;
  readonly sha256: string;
}

const noInputs: InputList = { files: [], folders: [], diskBytes: 0, largestFileBytes: 0, refused: [] };

const pageBytes = 4096;

/** What a file of this size takes of a tmpfs. */
export function pagesOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pageBytes) * pageBytes;
}

/**
 * The list of a request's work folder, empty when it has none. Throws SANDBOX_REQUEST_INVALID when the folder takes more
 * than the disk limit or has more than `maxFiles`.
 */
export async function readInputs(
  folder: string | undefined,
  { diskBytes }: Pick<SandboxLimits, "diskBytes">,
): Promise<InputList> {
  const inputs = folder === undefined ? noInputs : await listInputs(folder);
  if (inputs.diskBytes <= diskBytes) return inputs;
  throw new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    `The work folder takes ${inputs.diskBytes} bytes, more than the disk limit of ${diskBytes}`,
    { inputBytes: inputs.diskBytes, diskBytes },
    { hint: "Raise limits.diskBytes or give the step a smaller folder." },
  );
}

/** Lists regular files and folders; links and devices are refused and stay outside. Throws SANDBOX_REQUEST_INVALID above `maxFiles`. */
export async function listInputs(folder: string): Promise<InputList> {
  const files: InputFile[] = [];
  const folders: InputFile[] = [];
  const refused: { path: string; reason: string }[] = [];
  const waiting = [""];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const names = await readdir(join(folder, next));
    if (files.length + folders.length + names.length > maxFiles) throw tooManyFiles(folder);
    const paths = names.map((name) => (next === "" ? name : `${next}/${name}`));
    const statuses = await Promise.all(paths.map((path) => lstat(join(folder, path))));
    for (const [index, path] of paths.entries()) {
      const status = statuses[index]!; // one for each path
      const problem = findPathProblem(path);
      const entry = { path, sizeBytes: status.size, mode: status.mode & 0o700, modifiedAtMs: status.mtimeMs };
      if (problem !== undefined) refused.push({ path, reason: problem });
      else if (status.isFile()) files.push(entry);
      else if (status.isDirectory()) {
        folders.push(entry);
        waiting.push(path);
      } else refused.push({ path, reason: `${describeKind(status)}, not copied in` });
    }
  }
  files.sort(byPath);
  folders.sort(byPath);
  const diskBytes = files.reduce((sum, file) => sum + pagesOf(file.sizeBytes), 0);
  const largestFileBytes = files.reduce((most, file) => Math.max(most, file.sizeBytes), 0);
  return { files, folders, diskBytes, largestFileBytes, refused: refused.sort(byPath) };
}

/** By code units, the order of `written` and `deleted` in every outcome; no two paths are equal. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/**
 * The list as archive members. `digests` is filled while they are read. A file that meanwhile became shorter, or a link,
 * makes the stream fail with SANDBOX_FAILED.
 */
export function inputSources(
  folder: string,
  list: InputList,
  digests: Map<string, FileDigest>,
): readonly TarSource[] {
  return [
    // 0o700: the program must be able to write everywhere, whatever the modes outside were.
    ...list.folders.map((each) => ({ ...each, kind: "folder" as const, mode: 0o700 })),
    ...list.files.map((each) => ({
      ...each,
      kind: "file" as const,
      mode: each.mode | 0o600,
      read: () => readInput(folder, each, digests),
    })),
  ];
}

async function* readInput(
  folder: string,
  file: InputFile,
  digests: Map<string, FileDigest>,
): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const handle = await open(join(folder, file.path), constants.O_RDONLY | constants.O_NOFOLLOW);
  let left = file.sizeBytes;
  try {
    while (left > 0) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(left, 256 * 1024)));
      if (bytesRead === 0) break;
      left -= bytesRead;
      hash.update(buffer.subarray(0, bytesRead));
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
  if (left > 0)
    throw new HomeostatError(
      "SANDBOX_FAILED",
      `${file.path} became shorter while it was copied into the sandbox`,
    );
  digests.set(file.path, { sizeBytes: file.sizeBytes, sha256: hash.digest("hex") });
}

function describeKind(status: { isSymbolicLink(): boolean }): string {
  return status.isSymbolicLink() ? "symbolic link" : "special file";
}

function tooManyFiles(folder: string): HomeostatError {
  return new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    `The work folder ${folder} has more than ${maxFiles} files and folders`,
    { folder, maxFiles },
    { hint: "Give the step a smaller folder." },
  );
}
