/** Takes over what a sandboxed program wrote: regular files only, each whole or not at all, into the workspace. */
import { openRegular, isTemporaryName, replaceFile } from "./file-contents.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { parsePath, resourceOf, workspaceRoot } from "./paths.ts";
import type { NamedPath } from "./paths.ts";
import type { SandboxOutcome } from "../sandbox/sandbox.ts";
import type { ToolContext } from "./tool.ts";

export interface CollectedOutputs {
  /** Relative to the workspace, in the order of the sandbox. */
  readonly written: readonly string[];
  /** What the sandbox or this function left behind, and why. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/** `outputFolder` is the one handed to the sandbox. Names were chosen by the program: every one is checked again here. */
export async function collectOutputs(
  outcome: SandboxOutcome,
  outputFolder: string,
  context: ToolContext,
  deps: FileAccess,
): Promise<CollectedOutputs> {
  const outputRoot = { name: "output", path: outputFolder, writable: false };
  const written: string[] = [];
  const refused = [...outcome.refused];
  for (const path of outcome.written) {
    context.signal.throwIfAborted();
    try {
      const from = parsePath(`output:${path}`, "read", [outputRoot]);
      const to = parsePath(`${workspaceRoot}:${path}`, "write", context.roots);
      if (isTemporaryName(path.split("/").at(-1)!)) {
        throw new HomeostatError("ACTION_INVALID", "The name is kept for files being written", { path });
      }
      await copy(from, to, context, deps);
      written.push(to.relative);
    } catch (error) {
      // A bad name or a file in the place of a folder concerns this one output; a full disk concerns the step.
      if (!isHomeostatError(error, "ACTION_INVALID", "FILE_CHANGED")) throw error;
      refused.push({ path, reason: error.message });
    }
  }
  return { written, refused };
}

async function copy(from: NamedPath, to: NamedPath, context: ToolContext, deps: FileAccess): Promise<void> {
  // The output folder is ours and lies in the data folder: nothing in it is forbidden.
  const source = await openParent(from, { ...deps, forbiddenFolders: [] });
  try {
    const handle = await openRegular(source.folder, source.name, resourceOf(from));
    try {
      const target = await openParent(to, { ...deps, create: true });
      try {
        const content = handle.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Uint8Array>;
        const { idempotencyKey } = context;
        await replaceFile({ ...target, what: resourceOf(to), content, idempotencyKey });
      } finally {
        await target.folder.close();
      }
    } finally {
      await handle.close();
    }
  } finally {
    await source.folder.close();
  }
}
