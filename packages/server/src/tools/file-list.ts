/** `file_ops.list`: what lies in a folder, sorted, without following links. */
import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { z } from "zod";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { isTemporaryName } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import { openFolder } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { formatPath, parsePath, resolvePath } from "./paths.ts";
import type { NamedPath } from "./paths.ts";
import type { Tool } from "./tool.ts";

/** More names than this are no use in a journal; narrower folders are. */
const largestList = 100_000;
const deepestFolder = 64;

const args = z.strictObject({
  path: z.string().default(".").describe("Folder, relative to the workspace, or `root:relative/path`."),
  recursive: z.boolean().default(false).describe("Also what lies in folders below."),
  limit: z.int().min(1).max(largestList).default(10_000).describe("Most entries to answer with."),
});

export interface ListArgs {
  readonly path: string;
  readonly recursive: boolean;
  readonly limit: number;
}

type EntryKind = "file" | "folder" | "link" | "other";

interface Entry {
  readonly path: string;
  readonly kind: EntryKind;
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly modifiedAt: string;
}

export function createListTool(deps: FileAccess): Tool<ListArgs> {
  return {
    name: "file_ops.list",
    description: "List files and folders with size and time of change.",
    args,
    effect: "pure",
    files: "reads",
    risk: "low",
    argumentRoles: { path: "path", recursive: "option", limit: "option" },
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const path = await resolvePath(given.path, "read", { ...deps, roots: context.roots });
      const depth = given.recursive ? " with all folders below" : "";
      return {
        resource: path.resource,
        args: { ...given, path: path.text },
        summary: `list ${path.text}${depth}`,
      };
    },
    async execute(resolved, context) {
      const given = args.parse(resolved.args);
      const path = parsePath(given.path, "read", context.roots);
      const entries: Entry[] = [];
      await collect(path, { ...given, signal: context.signal, deps, depth: 0 }, entries);
      entries.sort((a, b) => (a.path < b.path ? -1 : 1));
      const kept = entries.slice(0, given.limit);
      const files = kept.filter((entry) => entry.kind === "file");
      const output = {
        path: given.path,
        files: files.map((entry) => ({ ...entry })),
        /** Folders, links (never followed) and devices. */
        others: kept.filter((entry) => entry.kind !== "file").map((entry) => ({ ...entry })),
        totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
        truncated: entries.length > given.limit,
      };
      return { output, labels: ["file"], touchedFiles: false };
    },
  };
}

interface Walk {
  readonly recursive: boolean;
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly deps: FileAccess;
  readonly depth: number;
}

/** Stops one entry above the limit, so that the caller sees there is more. Folders out of reach below the first are left out. */
async function collect(path: NamedPath, walk: Walk, entries: Entry[]): Promise<void> {
  const folder = await openFolder(path, walk.deps);
  const inner: NamedPath[] = [];
  try {
    const names = await readdir(folder.self).catch((error: unknown) => {
      throw fileError(error, `list ${formatPath(path)}`);
    });
    for (const name of names.sort()) {
      if (entries.length > walk.limit) return;
      if (isTemporaryName(name)) continue;
      walk.signal.throwIfAborted();
      // A file deleted while we list is no longer there: leave it out.
      const info = await lstat(folder.entry(name)).catch(() => undefined);
      if (info === undefined) continue;
      const place = { root: path.root, relative: path.relative === "." ? name : `${path.relative}/${name}` };
      entries.push(describe(place, info));
      if (info.isDirectory()) inner.push(place);
    }
  } finally {
    await folder.close();
  }
  if (!walk.recursive) return;
  for (const place of inner) {
    if (entries.length > walk.limit) return;
    if (walk.depth >= deepestFolder) throw tooDeep(place);
    await collect(place, { ...walk, depth: walk.depth + 1 }, entries).catch(ignoreUnreachable);
  }
}

function describe(place: NamedPath, info: Stats): Entry {
  return {
    path: formatPath(place),
    kind: kindOf(info),
    sizeBytes: info.isFile() ? info.size : 0,
    modifiedAt: new Date(info.mtimeMs).toISOString(),
  };
}

function kindOf(info: Stats): EntryKind {
  if (info.isFile()) return "file";
  if (info.isDirectory()) return "folder";
  return info.isSymbolicLink() ? "link" : "other";
}

/** A folder that vanished, became a link, may not be read or is our own is listed by name but not entered. */
function ignoreUnreachable(error: unknown): void {
  if (!isHomeostatError(error, "FILE_NOT_FOUND", "FILE_CHANGED", "FILE_UNAVAILABLE")) throw error;
}

function tooDeep(place: NamedPath): HomeostatError {
  return new HomeostatError("FILE_TOO_LARGE", `Folders below ${formatPath(place)} are nested too deep`, {
    depth: deepestFolder,
  });
}
