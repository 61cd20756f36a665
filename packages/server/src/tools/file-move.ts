/** `file_ops.move`: renames one file, within a root or across, never over another file. */
import { link, lstat, unlink } from "node:fs/promises";
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { describeSize } from "./describe-size.ts";
import { claimFile, findClaimable } from "./claim-file.ts";
import type { ClaimTarget } from "./claim-file.ts";
import { digestAt, findDigest, openRegular, replaceFile } from "./file-contents.ts";
import { fileError } from "./file-errors.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess, OpenFolder } from "./open-folder.ts";
import { parsePath, resolvePath, resourceOf } from "./paths.ts";
import type { NamedPath, ResolvedPath } from "./paths.ts";
import type { ResolvedAction, Tool, ToolContext, ToolResult } from "./tool.ts";

const args = z.strictObject({
  from: z.string().describe("File to move, relative to the workspace, or `root:relative/path`."),
  to: z.string().describe("Where it goes, with its new name. Must not exist; folders are made as needed."),
});

export interface MoveArgs {
  readonly from: string;
  readonly to: string;
}

const resolvedArgs = args.extend({ sha256: z.string(), sizeBytes: z.int() });
type ResolvedArgs = z.infer<typeof resolvedArgs>;

/** Both ends opened for one act. */
interface Ends {
  readonly source: ClaimTarget;
  readonly target: ClaimTarget;
}

export function createMoveTool(deps: FileAccess): Tool<MoveArgs> {
  return {
    name: "file_ops.move",
    description: "Move or rename one file. An existing target is never overwritten.",
    args,
    effect: "checkable",
    risk: "medium",
    argumentRoles: { from: "path", to: "path" },
    defaultTimeoutMs: 60_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const paths = { ...deps, roots: context.roots };
      const from = await resolvePath(given.from, "remove", paths);
      const to = await resolvePath(given.to, "write", paths);
      if (from.absolute === to.absolute) {
        throw new HomeostatError("ACTION_INVALID", `${from.text} would be moved onto itself`, {
          path: from.text,
        });
      }
      const digest = await digestAt(from.absolute, from.resource);
      await requireAbsent(to);
      return {
        resource: from.resource,
        otherResources: [to.resource],
        args: { from: from.text, to: to.text, ...digest },
        summary: `move ${from.text} to ${to.text} (${describeSize(digest.sizeBytes)})`,
      };
    },
    async execute(resolved, context) {
      const given = resolvedArgs.parse(resolved.args);
      await withEnds(resolved, context, { deps, create: true }, (ends) => move(ends, given, context));
      return answer(given);
    },
    async check(resolved, context) {
      const given = resolvedArgs.parse(resolved.args);
      try {
        return await withEnds(resolved, context, { deps, create: false }, (ends) =>
          look(ends, given, context),
        );
      } catch (error) {
        // The target's folder is made by the act itself.
        if ((error as HomeostatError).code === "FILE_NOT_FOUND") return { kind: "did-not-happen" };
        throw error;
      }
    },
  };
}

function answer(given: ResolvedArgs): ToolResult {
  return { output: { ...given }, labels: [], touchedFiles: true };
}

async function withEnds<Value>(
  resolved: ResolvedAction,
  context: ToolContext,
  options: { readonly deps: FileAccess; readonly create: boolean },
  act: (ends: Ends) => Promise<Value>,
): Promise<Value> {
  const given = resolvedArgs.parse(resolved.args);
  const from: NamedPath = parsePath(given.from, "remove", context.roots);
  const to: NamedPath = parsePath(given.to, "write", context.roots);
  const source = await openParent(from, options.deps);
  try {
    const target = await openParent(to, { ...options.deps, create: options.create });
    try {
      const { idempotencyKey } = context;
      return await act({
        source: { ...source, what: resourceOf(from), idempotencyKey },
        target: { ...target, what: resourceOf(to), idempotencyKey },
      });
    } finally {
      await target.folder.close();
    }
  } finally {
    await source.folder.close();
  }
}

async function look(
  { source, target }: Ends,
  given: ResolvedArgs,
  context: ToolContext,
): Promise<Awaited<ReturnType<NonNullable<Tool["check"]>>>> {
  const from = await findClaimable(source, context.signal);
  const to = await findDigest(target.folder, target.name, target.what, context.signal);
  const isPlaced = to?.sha256 === given.sha256;
  if (from === undefined && isPlaced) return { kind: "happened", result: answer(given) };
  // With both there, the act was cut between making the new name and removing the old: executing again finishes it.
  if (from?.sha256 === given.sha256 && (isPlaced || to === undefined)) return { kind: "did-not-happen" };
  return { kind: "unknown" };
}

async function move({ source, target }: Ends, given: ResolvedArgs, context: ToolContext): Promise<void> {
  const claimed = await claimFile(source, given.sha256, context.signal);
  try {
    const there = await findDigest(target.folder, target.name, target.what, context.signal);
    if (there !== undefined && there.sha256 !== given.sha256) throw exists(target.what);
    context.requireTime();
    if (there === undefined) await placeTarget(source.folder, claimed.name, target);
    await target.folder.sync();
  } catch (error) {
    await claimed.release();
    throw fileError(error, `move ${source.what} to ${target.what}`);
  }
  // From here on the move has happened; what is left is the hidden name.
  await unlink(source.folder.entry(claimed.name));
  await source.folder.sync();
}

/**
 * A hard link, because rename would silently replace a target that appeared meanwhile. Across disks and where links are
 * not offered: a synced copy.
 */
async function placeTarget(from: OpenFolder, name: string, target: ClaimTarget): Promise<void> {
  try {
    await link(from.entry(name), target.folder.entry(target.name));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP"].includes(code)) throw error;
    const handle = await openRegular(from, name, target.what);
    try {
      const content = handle.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Uint8Array>;
      await replaceFile({ ...target, content });
    } finally {
      await handle.close();
    }
  }
}

async function requireAbsent(path: ResolvedPath): Promise<void> {
  const found = await lstat(path.absolute).catch(() => undefined);
  if (found !== undefined) throw exists(path.resource);
}

function exists(what: string): HomeostatError {
  return new HomeostatError("FILE_EXISTS", `${what} exists already and is not overwritten`, {
    resource: what,
  });
}
