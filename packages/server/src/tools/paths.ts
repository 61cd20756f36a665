/** Turns the path a user or agent wrote into the real file inside a named root, or refuses it; policy judges the result. */
import { lstat, realpath } from "node:fs/promises";
import { join, relative as relativePath, sep } from "node:path";
import { HomeostatError } from "../base/error.ts";
import { suggestName } from "../base/nearest.ts";
import { fileError } from "./file-errors.ts";
import type { Root } from "./tool.ts";

/** The root every run has; a path without `root:` lies in it. */
export const workspaceRoot = "workspace";

/** `read` may follow a link that stays inside; `remove` (delete, move away) never takes a link; both others need a writable root. */
export type PathUse = "read" | "write" | "remove";

/** A place inside a root. `relative` is `/`-separated, without `.` and `..`; the root itself is `.`. */
export interface NamedPath {
  readonly root: Root;
  readonly relative: string;
}

export interface ResolvedPath extends NamedPath {
  /** Real path on this host. For looking only: acts go through `openParent`, which follows no link. */
  readonly absolute: string;
  /** `<root>/<relative>`, what policy judges. */
  readonly resource: string;
  /** The form arguments and outputs carry; `parsePath` reads it back. */
  readonly text: string;
}

export interface PathContext {
  readonly roots: readonly Root[];
  /** Absolute folders nobody may touch whatever policy says: the data folder with its keys. A run's own workspace in it is exempt. */
  readonly forbiddenFolders: readonly string[];
}

/** PATH_MAX and NAME_MAX of Linux, in bytes. */
const longestPath = 4096;
const longestName = 255;

/** `\p{Cc}`: control characters; the others turn text around (Unicode UAX 9), so that an approver reads another name than the real one. */
const deceptive = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/**
 * Reads `relative/path` (in the workspace) or `root:relative/path` without looking at the disk.
 * Throws ACTION_INVALID for anything that is not a plain relative path (absolute, `..`, NUL, control characters) and for
 * changing a root itself, ACTION_DENIED for changing a read-only root.
 */
export function parsePath(input: string, use: PathUse, roots: readonly Root[]): NamedPath {
  const prefix = /^([a-z][a-z0-9_-]*):/.exec(input);
  const name = prefix?.[1] ?? workspaceRoot;
  const rest = prefix === null ? input : input.slice(prefix[0].length);
  const root = roots.find((candidate) => candidate.name === name);
  if (root === undefined) throw unknownRoot(input, name, roots);
  const path = { root, relative: normalize(input, rest) };
  if (use !== "read") requireChangeable(path);
  return path;
}

/** The shortest text `parsePath` reads back as this place. */
export function formatPath(path: NamedPath): string {
  const isPlain = path.root.name === workspaceRoot && !path.relative.includes(":");
  return isPlain ? path.relative : `${path.root.name}:${path.relative}`;
}

export function resourceOf(path: NamedPath): string {
  return `${path.root.name}/${path.relative}`;
}

/**
 * Follows every link on the way and answers with the real place, existing or not.
 * Throws ACTION_INVALID for malformed paths, ACTION_DENIED when the real place is outside the root, in a forbidden
 * folder, or in a root that may not be written. What it answers is what is judged, approved and used.
 */
export async function resolvePath(input: string, use: PathUse, context: PathContext): Promise<ResolvedPath> {
  const named = parsePath(input, use, context.roots);
  const { root } = named;
  const rootReal = await realpath(root.path).catch((error: unknown) => {
    throw fileError(error, `open root ${root.name}`);
  });
  if (use === "remove") await requireNoLink(join(rootReal, named.relative), input);
  const absolute = await realpathOfFuture(rootReal, named.relative, input);
  if (!isInside(absolute, rootReal)) {
    throw denied(input, `it leads out of root ${root.name} through a symbolic link`, "PATH_ESCAPES");
  }
  await requirePermitted(root, absolute, input, context.forbiddenFolders);
  const inside = relativePath(rootReal, absolute).split(sep).join("/");
  const path = { root, relative: inside === "" ? "." : normalize(input, inside) };
  return { ...path, absolute, resource: resourceOf(path), text: formatPath(path) };
}

/** Both absolute and normal; a folder is inside itself. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function normalize(input: string, rest: string): string {
  if (!rest.isWellFormed() || deceptive.test(rest))
    throw invalid(input, "it holds control or direction characters");
  if (rest === "") throw invalid(input, "it is empty; the root itself is `.`");
  if (rest.startsWith("/") || rest.startsWith("~") || rest.includes("\\")) {
    throw invalid(input, "only paths relative to a root are taken, with `/` between folders");
  }
  const segments = rest.split("/").filter((segment) => segment !== "" && segment !== ".");
  // `a/../b` would mean another place once `a` is a link; nothing is lost by refusing it.
  if (segments.includes("..")) throw invalid(input, "`..` is not taken");
  if (Buffer.byteLength(rest) > longestPath) throw invalid(input, `it is longer than ${longestPath} bytes`);
  if (segments.some((segment) => Buffer.byteLength(segment) > longestName)) {
    throw invalid(input, `a name in it is longer than ${longestName} bytes`);
  }
  return segments.length === 0 ? "." : segments.join("/");
}

/** Real path of the nearest existing parent plus the rest. A dangling link counts as existing and is refused. */
async function realpathOfFuture(rootReal: string, relative: string, input: string): Promise<string> {
  const existing = relative.split("/");
  const missing: string[] = [];
  for (;;) {
    const candidate = join(rootReal, ...existing);
    try {
      return join(await realpath(candidate), ...missing);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fileError(error, `look at ${input}`);
    }
    await requireNoLink(candidate, input);
    // Ends at the latest at the root, whose real path was just found.
    missing.unshift(existing.pop()!);
  }
}

async function requireNoLink(path: string, input: string): Promise<void> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isSymbolicLink() === true) throw invalid(input, "it is a symbolic link");
}

async function requirePermitted(
  root: Root,
  absolute: string,
  input: string,
  forbiddenFolders: readonly string[],
): Promise<void> {
  // The run's own workspace lies in the data folder; everything else there is out of reach. Inside-ness was checked before.
  if (root.name === workspaceRoot) return;
  for (const folder of forbiddenFolders) {
    const real = await realpath(folder).catch(() => folder);
    if (isInside(absolute, real)) {
      throw denied(
        input,
        "it lies in Homeostat's own data folder, which no policy can open",
        "PATH_FORBIDDEN",
      );
    }
  }
}

function requireChangeable(path: NamedPath): void {
  if (path.relative === ".") throw invalid(`${path.root.name}:.`, "a root itself cannot be changed");
  if (!path.root.writable) {
    throw new HomeostatError(
      "ACTION_DENIED",
      `Root ${path.root.name} may only be read`,
      { root: path.root.name, reason: "ROOT_READ_ONLY" },
      { hint: "Set `writable: true` for this root in homeostat.yaml." },
    );
  }
}

function unknownRoot(input: string, name: string, roots: readonly Root[]): HomeostatError {
  const names = roots.map((root) => root.name);
  return new HomeostatError(
    "ACTION_INVALID",
    `Path ${JSON.stringify(input)} names the root ${name}, which does not exist`,
    { path: input, root: name },
    {
      hint: `${suggestName(name, names)}; a workspace file with a colon in its name is written \`workspace:name\``,
    },
  );
}

function invalid(input: string, why: string): HomeostatError {
  return new HomeostatError("ACTION_INVALID", `Path ${JSON.stringify(input)} is not taken: ${why}`, {
    path: input,
  });
}

function denied(input: string, why: string, reason: string): HomeostatError {
  return new HomeostatError("ACTION_DENIED", `Path ${JSON.stringify(input)} is refused: ${why}`, {
    path: input,
    reason,
  });
}
