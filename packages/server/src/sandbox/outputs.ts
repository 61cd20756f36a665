/** What a program left behind, taken out of an untrusted stream: only new or changed regular files reach the host. */
import { createHash } from "node:crypto";
import { mkdir, open, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { byPath, maxFiles, pagesOf } from "./inputs.ts";
import type { FileDigest } from "./inputs.ts";
import { findPathProblem } from "./relative-path.ts";
import type { LimitName, SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import { readTar } from "./tar.ts";
import type { TarEntry } from "./tar.ts";

export type CollectedOutputs = Pick<SandboxOutcome, "written" | "deleted" | "refused"> & {
  /** What the files themselves show of a limit: a full disk, or a file that ends exactly at the most allowed. */
  readonly limitHit?: LimitName;
};

export interface CollectOptions {
  readonly outputFolder: string;
  /** What was copied in: an equal file is not an output, a missing one was deleted. */
  readonly inputs: ReadonlyMap<string, FileDigest>;
  readonly limits: Pick<SandboxLimits, "diskBytes" | "fileBytes">;
}

/** What the step inside writes instead of an archive when the work folder is empty. */
export const emptyMark = "empty";

/**
 * Writes the archive's regular files below `outputFolder`, which the caller made and nobody else writes: since links are
 * refused, no component can lead elsewhere. An archive without its end mark gives nothing at all.
 */
export async function collectOutputs(
  chunks: AsyncIterable<Buffer>,
  options: CollectOptions,
): Promise<CollectedOutputs> {
  const collector = createCollector(options);
  const { isEmpty, stream } = await peekEmpty(chunks);
  if (isEmpty) return collector.finish();
  let reason = "the program was ended before its files could be collected";
  for await (const entry of readTar(stream)) {
    if (entry.kind === "end") return collector.finish();
    const problem = entry.kind === "broken" ? entry.reason : await collector.add(entry);
    if (problem !== undefined) {
      reason = problem;
      break;
    }
  }
  return collector.discard(reason);
}

type FileEntry = Extract<TarEntry, { kind: "file" }>;
type Refusal = SandboxOutcome["refused"][number];

interface Collector {
  /** A sentence when the whole collection has to be given up. */
  add(entry: Exclude<TarEntry, { kind: "end" | "broken" }>): Promise<string | undefined>;
  finish(): CollectedOutputs;
  discard(reason: string): Promise<CollectedOutputs>;
}

function createCollector({ outputFolder, inputs, limits }: CollectOptions): Collector {
  const written: string[] = [];
  const refused: Refusal[] = [];
  const seen = new Set<string>();
  let entries = 0;
  let diskBytes = 0;
  let isFileLimitHit = false;

  async function addFile(entry: FileEntry): Promise<void> {
    const problem = findPathProblem(entry.path) ?? tooLarge(entry, inputs.get(entry.path), limits);
    if (problem !== undefined) return void refused.push({ path: entry.path, reason: problem });
    const stored = await storeFile(outputFolder, entry);
    if (typeof stored === "string") return void refused.push({ path: entry.path, reason: stored });
    const before = inputs.get(entry.path);
    if (before?.sha256 === stored.sha256) return removeOutput(outputFolder, entry.path);
    isFileLimitHit ||= entry.sizeBytes === limits.fileBytes;
    written.push(entry.path);
  }

  return {
    async add(entry) {
      entries += 1;
      if (entries > maxFiles) return `there are more than ${maxFiles} files and folders`;
      if (entry.kind === "folder") return undefined;
      seen.add(entry.path);
      if (entry.kind === "other") {
        refused.push({ path: entry.path, reason: entry.what });
        return undefined;
      }
      diskBytes += pagesOf(entry.sizeBytes);
      // A sparse file can claim any size: what it claims beyond the disk is never read.
      if (diskBytes > limits.diskBytes) return "the files claim more bytes than the disk limit";
      await addFile(entry);
      return undefined;
    },
    finish() {
      const deleted = [...inputs.keys()].filter((path) => !seen.has(path)).sort();
      const isDiskFull = diskBytes > limits.diskBytes - 2 * pagesOf(1);
      const limitHit = isFileLimitHit ? "file-size" : isDiskFull ? "disk" : undefined;
      const lists = { written: written.sort(), deleted, refused: refused.sort(byPath) };
      return limitHit === undefined ? lists : { ...lists, limitHit };
    },
    async discard(reason) {
      for (const path of written) await removeOutput(outputFolder, path);
      const limitHit =
        diskBytes > limits.diskBytes || entries > maxFiles ? { limitHit: "disk" as const } : {};
      return {
        written: [],
        deleted: [],
        refused: [{ path: ".", reason: `nothing kept: ${reason}` }],
        ...limitHit,
      };
    },
  };
}

/** An input may be larger than a program may write; it comes back only unchanged, which is not an output. */
function tooLarge(
  entry: FileEntry,
  before: FileDigest | undefined,
  { fileBytes }: Pick<SandboxLimits, "fileBytes">,
): string | undefined {
  if (entry.sizeBytes <= fileBytes || entry.sizeBytes === before?.sizeBytes) return undefined;
  return `${entry.sizeBytes} bytes are more than the file limit of ${fileBytes}`;
}

/** The digest of what was stored, or why it was not. Errors of the host itself (a full disk) are thrown. */
async function storeFile(folder: string, entry: FileEntry): Promise<FileDigest | string> {
  const path = join(folder, entry.path);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    await mkdir(dirname(path), { recursive: true });
    await using handle = await open(path, "wx", 0o644);
    for await (const chunk of entry.body) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await handle.writeFile(chunk);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // only file system calls are made above
    if (code === "EEXIST" || code === "ENOTDIR") return "the name collides with another output";
    throw error;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** Removes the file and the folders that were made for it alone. */
async function removeOutput(folder: string, path: string): Promise<void> {
  await rm(join(folder, path));
  try {
    for (let above = dirname(path); above !== "."; above = dirname(above)) await rmdir(join(folder, above));
  } catch {
    // ENOTEMPTY: another output lies in it.
  }
}

/** Looks whether the stream is the mark of an empty folder; the bytes looked at are given again. */
async function peekEmpty(
  chunks: AsyncIterable<Buffer>,
): Promise<{ isEmpty: boolean; stream: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < emptyMark.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* again(): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  // An archive is at least two blocks, so five bytes and no more are the mark.
  return { isEmpty: head.toString("latin1") === emptyMark, stream: again() };
}
