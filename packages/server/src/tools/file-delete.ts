/** `file_ops.delete`: removes files whose contents are exactly those that were approved. */
import { lstat, unlink } from "node:fs/promises";
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { describeSize } from "./describe-size.ts";
import { digestAt, digestFile, findDigest, openRegular } from "./file-contents.ts";
import type { FileDigest } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import { openParent } from "./open-folder.ts";
import { formatPath, parsePath, resolvePath, resourceOf } from "./paths.ts";
import type { NamedPath, ResolvedPath } from "./paths.ts";
import type { FileToolDeps } from "./files.ts";
import type { ResolvedAction, Tool, ToolContext } from "./tool.ts";

const args = z
  .strictObject({
    path: z.string().optional().describe("One file, relative to the workspace, or `root:relative/path`."),
    paths: z.array(z.string()).min(1).max(1_000).optional().describe("Several files, deleted in one action."),
  })
  .refine((given) => (given.path === undefined) !== (given.paths === undefined), {
    message: "give either `path` or `paths`",
  });

export interface DeleteArgs {
  readonly path?: string | undefined;
  readonly paths?: readonly string[] | undefined;
}

/** Digests are part of the arguments, so that an approval is for these contents and no others. */
const resolvedArgs = z.strictObject({
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), sizeBytes: z.int() })),
});

interface Doomed extends FileDigest {
  readonly named: NamedPath;
}

export function createDeleteTool(deps: FileToolDeps): Tool<DeleteArgs> {
  return {
    name: "file_ops.delete",
    description: "Delete one file or several. Folders and links are not deleted.",
    args,
    effect: "checkable",
    risk: "high",
    defaultTimeoutMs: 60_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const texts = given.paths ?? [given.path!];
      const found = new Map<string, ResolvedPath>();
      for (const text of texts) {
        const path = await resolvePath(text, "remove", { ...deps, roots: context.roots });
        found.set(path.resource, path);
      }
      const files: { path: string; sha256: string; sizeBytes: number }[] = [];
      for (const path of found.values())
        files.push({ path: path.text, ...(await digestAt(path.absolute, path.resource)) });
      const [first, ...others] = [...found.keys()];
      return { resource: first!, otherResources: others, args: { files }, summary: summarize(files) };
    },
    async execute(resolved, context) {
      const files = readResolved(resolved, context);
      const present: Doomed[] = [];
      const missing: Doomed[] = [];
      // All are looked at before the first is removed: one changed file spares the others.
      for (const file of files) {
        const now = await digestOf(file.named, deps, context.signal);
        if (now !== undefined) requireSame(file, now);
        (now === undefined ? missing : present).push(file);
      }
      for (const file of present) await remove(file, deps, context.signal);
      return answer(present, missing);
    },
    async check(resolved, context) {
      const files = readResolved(resolved, context);
      let remaining = 0;
      for (const file of files) {
        const now = await digestOf(file.named, deps, context.signal);
        if (now === undefined) continue;
        if (now.sha256 !== file.sha256) return { kind: "unknown" };
        remaining += 1;
      }
      // Some left is "did not happen" too: executing again removes the rest and tells what was gone already.
      return remaining === 0 ? { kind: "happened", result: answer(files, []) } : { kind: "did-not-happen" };
    },
  };
}

/** `missing` were gone before this execution: removed by an earlier one that was cut short, or by somebody else. */
function answer(
  deleted: readonly Doomed[],
  missing: readonly Doomed[],
): Awaited<ReturnType<Tool["execute"]>> {
  const tell = (file: Doomed): { path: string; sha256: string; sizeBytes: number } => ({
    path: formatPath(file.named),
    sha256: file.sha256,
    sizeBytes: file.sizeBytes,
  });
  const output = {
    deleted: deleted.map(tell),
    missing: missing.map(tell),
    freedBytes: deleted.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
  return { output, labels: [], touchedFiles: true };
}

function readResolved(resolved: ResolvedAction, context: ToolContext): readonly Doomed[] {
  return resolvedArgs.parse(resolved.args).files.map(({ path, ...digest }) => ({
    named: parsePath(path, "remove", context.roots),
    ...digest,
  }));
}

/** Undefined when the file or a folder on its way does not exist. */
async function digestOf(
  path: NamedPath,
  deps: FileToolDeps,
  signal: AbortSignal,
): Promise<FileDigest | undefined> {
  const opened = await openParent(path, deps).catch((error: HomeostatError) => {
    if (error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  });
  if (opened === undefined) return undefined;
  try {
    return await findDigest(opened.folder, opened.name, resourceOf(path), signal);
  } finally {
    await opened.folder.close();
  }
}

/**
 * Hashes once more through an open handle and compares the name's inode and time of change with it right before
 * unlink: what remains is the instant between two system calls, which no portable call closes.
 */
async function remove(file: Doomed, deps: FileToolDeps, signal: AbortSignal): Promise<void> {
  const what = resourceOf(file.named);
  const { folder, name } = await openParent(file.named, deps);
  try {
    const handle = await openRegular(folder, name, what);
    try {
      requireSame(file, await digestFile(handle, signal));
      const held = await handle.stat({ bigint: true });
      const named = await lstat(folder.entry(name), { bigint: true });
      if (held.ino !== named.ino || held.dev !== named.dev || held.ctimeNs !== named.ctimeNs)
        throw changed(file);
      await unlink(folder.entry(name));
    } finally {
      await handle.close();
    }
    await folder.sync();
  } catch (error) {
    throw fileError(error, `delete ${what}`);
  } finally {
    await folder.close();
  }
}

function requireSame(file: Doomed, now: FileDigest): void {
  if (now.sha256 !== file.sha256) throw changed(file);
}

function changed(file: Doomed): HomeostatError {
  return new HomeostatError(
    "FILE_CHANGED",
    `${resourceOf(file.named)} changed since it was judged and was not deleted`,
    { resource: resourceOf(file.named), expected: file.sha256 },
  );
}

function summarize(files: readonly { readonly path: string; readonly sizeBytes: number }[]): string {
  const size = describeSize(files.reduce((sum, file) => sum + file.sizeBytes, 0));
  if (files.length === 1) return `delete ${files[0]!.path} (${size})`;
  const shown = files.slice(0, 3).map((file) => file.path);
  const more = files.length > shown.length ? ` and ${files.length - shown.length} more` : "";
  return `delete ${files.length} files (${size}): ${shown.join(", ")}${more}`;
}
