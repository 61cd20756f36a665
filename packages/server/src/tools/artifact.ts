/** `artifact.register`: gives a file of the workspace a title and description, so that people find it among a run's results. */
import { z } from "zod";
import { describeSize } from "./describe-size.ts";
import { digestFile, openRegular } from "./file-contents.ts";
import { openParent } from "./open-folder.ts";
import type { FileAccess } from "./open-folder.ts";
import { HomeostatError } from "../base/error.ts";
import { parsePath, resolvePath, resourceOf, workspaceRoot } from "./paths.ts";
import type { ArtifactNote, Tool } from "./tool.ts";

const args = z.strictObject({
  path: z.string().describe("File in the workspace."),
  title: z.string().min(1).max(200).describe("What people will see."),
  description: z.string().max(2_000).optional().describe("One or two sentences about what it holds."),
});

export interface ArtifactArgs {
  readonly path: string;
  readonly title: string;
  readonly description?: string | undefined;
}

export function createArtifactTool(deps: FileAccess): Tool<ArtifactArgs> {
  return {
    name: "artifact.register",
    description: "Give a file of the workspace a title and description among the run's artifacts.",
    args,
    effect: "idempotent",
    risk: "low",
    argumentRoles: { path: "path", title: "body", description: "body" },
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const path = await resolvePath(given.path, "read", { ...deps, roots: context.roots });
      if (path.root.name !== workspaceRoot) {
        throw new HomeostatError("ACTION_INVALID", `${path.resource} is not in the workspace`, {
          path: path.text,
        });
      }
      return {
        resource: path.resource,
        args: { ...given, path: path.text },
        summary: `register ${path.text} as ${JSON.stringify(given.title)}`,
      };
    },
    async execute(resolved, context) {
      const given = args.parse(resolved.args);
      const path = parsePath(given.path, "read", context.roots);
      const { folder, name } = await openParent(path, deps);
      try {
        const handle = await openRegular(folder, name, resourceOf(path));
        try {
          const digest = await digestFile(handle, context.signal);
          context.progress(`registered ${path.relative} (${describeSize(digest.sizeBytes)})`);
          const { description } = given;
          const note: ArtifactNote = {
            path: path.relative,
            title: given.title,
            ...(description === undefined ? {} : { description }),
          };
          return { output: { ...note, ...digest }, labels: [], touchedFiles: false, artifacts: [note] };
        } finally {
          await handle.close();
        }
      } finally {
        await folder.close();
      }
    },
  };
}
