/** The work folder as a program in QuickJS sees it: inputs read on demand, writes kept in memory until it has ended. */
import { constants } from "node:fs";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { maxFiles, pagesOf } from "./inputs.ts";
import type { InputList } from "./inputs.ts";
import { findPathProblem } from "./relative-path.ts";
import type { LimitName, SandboxLimits } from "./sandbox.ts";

export interface VirtualFiles {
  /** Bytes of a file. Throws an Error for people when there is none; `/dev/stdin` is the run's stdin. */
  read(path: string): Buffer;
  /** Throws an Error for people when the name is not allowed or a limit is passed. */
  write(path: string, bytes: Buffer): void;
  /** Throws the same Error as `write` for a file of this size: to be asked before its bytes are copied. */
  requireSize(path: string, sizeBytes: number): void;
  /** Paths of all files, inputs and written ones, sorted. */
  list(): readonly string[];
  /** The first limit a write passed. */
  limitHit(): LimitName | undefined;
  /** Writes what differs from the inputs below `folder`, which must be empty; the paths, sorted. */
  store(folder: string): readonly string[];
}

export interface VirtualFilesOptions {
  readonly inputFolder: string;
  readonly inputs: InputList;
  readonly stdin: string;
  readonly limits: Pick<SandboxLimits, "fileBytes" | "diskBytes">;
}

/** Nothing of the host is reachable: a read finds only what was listed before the program started. */
export function createVirtualFiles(options: VirtualFilesOptions): VirtualFiles {
  const { inputFolder, inputs, stdin, limits } = options;
  const known = new Map(inputs.files.map((file) => [file.path, file.sizeBytes]));
  const written = new Map<string, Buffer>();
  const folders = new Set([...known.keys()].flatMap(foldersAbove));
  const budget = createBudget(limits, inputs.diskBytes);
  const isFile = (name: string): boolean => known.has(name) || written.has(name);
  const sizeOf = (name: string): number => pagesOf(written.get(name)?.length ?? known.get(name) ?? 0);

  return {
    read(path) {
      if (path === "/dev/stdin") return Buffer.from(stdin);
      const name = cleanName(path);
      const bytes = written.get(name) ?? (known.has(name) ? readInput(inputFolder, name) : undefined);
      if (bytes === undefined) throw new Error(`ENOENT: there is no file ${path}`);
      return bytes;
    },
    write(path, bytes) {
      const name = cleanName(path);
      const collides = folders.has(name) || foldersAbove(name).some(isFile);
      const problem = findPathProblem(name) ?? (collides ? "a file cannot be a folder too" : undefined);
      if (problem !== undefined) throw new Error(`EINVAL: ${path}: ${problem}`);
      budget.requireSize(path, bytes.length);
      const files = written.size + (written.has(name) ? 0 : 1);
      budget.takeRoom(path, { bytes: pagesOf(bytes.length) - sizeOf(name), files });
      written.set(name, bytes);
      for (const folder of foldersAbove(name)) folders.add(folder);
    },
    requireSize: budget.requireSize,
    list: () => [...new Set([...known.keys(), ...written.keys()])].sort(),
    limitHit: budget.limitHit,
    store(folder) {
      const changed = [...written].filter(
        ([path, bytes]) => !known.has(path) || !readInput(inputFolder, path).equals(bytes),
      );
      for (const [path, bytes] of changed) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), bytes, { flag: "wx", mode: 0o644 });
      }
      return changed.map(([path]) => path).sort();
    },
  };
}

interface Budget {
  requireSize(path: string, sizeBytes: number): void;
  /** `bytes` more or, when negative, less than before; `files` written in all, this one included. */
  takeRoom(path: string, need: { readonly bytes: number; readonly files: number }): void;
  limitHit(): LimitName | undefined;
}

function createBudget({ fileBytes, diskBytes }: VirtualFilesOptions["limits"], inputBytes: number): Budget {
  let usedBytes = inputBytes;
  let limitHit: LimitName | undefined;
  const passed = (limit: LimitName, message: string): Error => {
    limitHit ??= limit;
    return new Error(message);
  };
  return {
    requireSize(path, sizeBytes) {
      if (sizeBytes <= fileBytes) return;
      throw passed("file-size", `EFBIG: ${path} would have ${sizeBytes} bytes, more than ${fileBytes}`);
    },
    takeRoom(path, { bytes, files }) {
      if (usedBytes + bytes > diskBytes || files > maxFiles)
        throw passed("disk", `ENOSPC: ${path} does not fit into ${diskBytes} bytes and ${maxFiles} files`);
      usedBytes += bytes;
    },
    limitHit: () => limitHit,
  };
}

function readInput(folder: string, path: string): Buffer {
  const descriptor = openSync(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** `./a//b` and `/box/a/b` as `a/b`; other absolute and climbing paths stay as they are and find nothing. */
function cleanName(path: string): string {
  return posix.normalize(path).replace(/^\/box\//, "");
}

/** `a/b/c` has `a/b` and `a` above it. */
function foldersAbove(name: string): readonly string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
