/** `file_ops.delete`: removes files whose contents are exactly those that were approved. */
import { unlink } from "node:fs/promises";
import { z } from "zod";
import type { JsonObject } from "../base/canonical-json.ts";
import { isHomeostatError } from "../base/error.ts";
import { claimFile, findClaimable, isClaimable } from "./claim-file.ts";
import type { ClaimTarget, ClaimedFile } from "./claim-file.ts";
import { describeSize } from "./describe-size.ts";
import { digestAt } from "./file-contents.ts";
import type { FileDigest } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { parsePath, resolvePath, resourceOf } from "./paths.ts";
import type { ResolvedPath } from "./paths.ts";
import type { ResolvedAction, Tool, ToolContext, ToolResult } from "./tool.ts";

/** Each file's folder is held open for the act, and a process has about a thousand descriptors by default. */
const largestBatch = 256;

const args = z
  .strictObject({
    path: z.string().optional().describe("One file, relative to the workspace, or `root:relative/path`."),
    paths: z
      .array(z.string())
      .min(1)
      .max(largestBatch)
      .optional()
      .describe("Several files, deleted in one action."),
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

interface OpenFile extends FileDigest {
  readonly path: string;
  readonly target: ClaimTarget | undefined;
}

export function createDeleteTool(deps: FileAccess): Tool<DeleteArgs> {
  return {
    name: "file_ops.delete",
    description: "Delete one file or several. Folders and links are not deleted.",
    args,
    effect: "checkable",
    risk: "high",
    argumentRoles: { path: "path", paths: "path" },
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
      return withFiles(resolved, context, deps, async (files) => {
        const claims = await claimAll(files, context);
        for (const { target, claimed } of claims) await removeClaimed(target, claimed);
        const isDeleted = (file: OpenFile): boolean => claims.some(({ target }) => target === file.target);
        return answer(
          files.filter(isDeleted),
          files.filter((file) => !isDeleted(file)),
        );
      });
    },
    async check(resolved, context) {
      return withFiles(resolved, context, deps, async (files) => {
        let remaining = 0;
        for (const file of files) {
          const now = file.target && (await findClaimable(file.target, context.signal));
          if (now === undefined) continue;
          if (now.sha256 !== file.sha256) return { kind: "unknown" };
          remaining += 1;
        }
        // Some left is "did not happen" too: executing again removes the rest and tells what was gone already.
        if (remaining > 0) return { kind: "did-not-happen" };
        return { kind: "happened", result: answer(files, []) };
      });
    },
  };
}

/** `missing` were gone before this execution: removed by an earlier one that was cut short, or by somebody else. */
function answer(deleted: readonly OpenFile[], missing: readonly OpenFile[]): ToolResult {
  const tell = ({ path, sha256, sizeBytes }: OpenFile): JsonObject => ({ path, sha256, sizeBytes });
  const output = {
    deleted: deleted.map(tell),
    missing: missing.map(tell),
    freedBytes: deleted.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
  return { output, labels: [], touchedFiles: true };
}

/** Opens each file's folder for the time of `act`; a file whose folder is gone has no target. */
async function withFiles<Value>(
  resolved: ResolvedAction,
  context: ToolContext,
  deps: FileAccess,
  act: (files: readonly OpenFile[]) => Promise<Value>,
): Promise<Value> {
  const files: OpenFile[] = [];
  try {
    for (const file of resolvedArgs.parse(resolved.args).files) {
      const path = parsePath(file.path, "remove", context.roots);
      const opened = await openParent(path, deps).catch((error: unknown) => {
        if (isHomeostatError(error, "FILE_NOT_FOUND")) return undefined;
        throw error;
      });
      const { idempotencyKey } = context;
      const target = opened && { ...opened, what: resourceOf(path), idempotencyKey };
      files.push({ ...file, target });
    }
    return await act(files);
  } finally {
    for (const file of files) await file.target?.folder.close();
  }
}

interface Claim {
  readonly target: ClaimTarget;
  readonly claimed: ClaimedFile;
}

/** All are claimed before the first is removed: one changed file spares the others. Files already gone are left out. */
async function claimAll(
  files: readonly OpenFile[],
  context: Pick<ToolContext, "signal" | "requireTime">,
): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  try {
    for (const { target, sha256 } of files) {
      if (target === undefined || !(await isClaimable(target))) continue;
      claims.push({ target, claimed: await claimFile(target, sha256, context.signal) });
    }
    context.signal.throwIfAborted();
    context.requireTime();
    return claims;
  } catch (error) {
    for (const { claimed } of claims) await claimed.release();
    throw error;
  }
}

async function removeClaimed({ folder, what }: ClaimTarget, claimed: ClaimedFile): Promise<void> {
  try {
    await unlink(folder.entry(claimed.name));
    await folder.sync();
  } catch (error) {
    throw fileError(error, `delete ${what}`);
  }
}

function summarize(files: readonly { readonly path: string; readonly sizeBytes: number }[]): string {
  const size = describeSize(files.reduce((sum, file) => sum + file.sizeBytes, 0));
  if (files.length === 1) return `delete ${files[0]!.path} (${size})`;
  const shown = files.slice(0, 3).map((file) => file.path);
  const more = files.length > shown.length ? ` and ${files.length - shown.length} more` : "";
  return `delete ${files.length} files (${size}): ${shown.join(", ")}${more}`;
}
