/** The work folder as a program in QuickJS sees it: inputs read on demand, writes kept in memory until it has ended. */
import { constants } from "node:fs";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { pagesOf } from "./inputs.ts";
import type { InputList } from "./inputs.ts";
import { findPathProblem } from "./relative-path.ts";
import type { LimitName, SandboxLimits } from "./sandbox.ts";

export interface VirtualFiles {
  /** Bytes of a file. Throws an Error for people when there is none; `/dev/stdin` is the run's stdin. */
  read(path: string): Buffer;
  /** Throws an Error for people when the name is not allowed or a limit is passed. */
  write(path: string, bytes: Buffer): void;
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
export function createVirtualFiles({
  inputFolder,
  inputs,
  stdin,
  limits,
}: VirtualFilesOptions): VirtualFiles {
  const known = new Map(inputs.files.map((file) => [file.path, file.sizeBytes]));
  const written = new Map<string, Buffer>();
  let limitHit: LimitName | undefined;

  const passed = (limit: LimitName, message: string): Error => {
    limitHit ??= limit;
    return new Error(message);
  };
  const readInput = (path: string): Buffer => {
    const descriptor = openSync(join(inputFolder, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };
  const usedBytes = (without: string): number => {
    let sum = 0;
    for (const [path, sizeBytes] of known)
      if (path !== without && !written.has(path)) sum += pagesOf(sizeBytes);
    for (const [path, bytes] of written) if (path !== without) sum += pagesOf(bytes.length);
    return sum;
  };

  return {
    read(path) {
      if (path === "/dev/stdin") return Buffer.from(stdin);
      const name = cleanName(path);
      const bytes = written.get(name) ?? (known.has(name) ? readInput(name) : undefined);
      if (bytes === undefined) throw new Error(`ENOENT: there is no file ${path}`);
      return bytes;
    },
    write(path, bytes) {
      const name = cleanName(path);
      const problem = findPathProblem(name) ?? findCollision(name, [...known.keys(), ...written.keys()]);
      if (problem !== undefined) throw new Error(`EINVAL: ${path}: ${problem}`);
      if (bytes.length > limits.fileBytes)
        throw passed(
          "file-size",
          `EFBIG: ${path} would have ${bytes.length} bytes, more than ${limits.fileBytes}`,
        );
      if (usedBytes(name) + pagesOf(bytes.length) > limits.diskBytes)
        throw passed("disk", `ENOSPC: ${path} does not fit into ${limits.diskBytes} bytes`);
      written.set(name, bytes);
    },
    list: () => [...new Set([...known.keys(), ...written.keys()])].sort(),
    limitHit: () => limitHit,
    store(folder) {
      const changed = [...written].filter(
        ([path, bytes]) => !known.has(path) || !readInput(path).equals(bytes),
      );
      for (const [path, bytes] of changed) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), bytes, { flag: "wx", mode: 0o644 });
      }
      return changed.map(([path]) => path).sort();
    },
  };
}

/** `./a//b` and `/box/a/b` as `a/b`; other absolute and climbing paths stay as they are and find nothing. */
function cleanName(path: string): string {
  return posix.normalize(path).replace(/^\/box\//, "");
}

/** A name cannot be both a file and a folder. */
function findCollision(name: string, others: readonly string[]): string | undefined {
  const other = others.find((each) => each.startsWith(`${name}/`) || name.startsWith(`${each}/`));
  return other === undefined ? undefined : `${other} exists already`;
}
