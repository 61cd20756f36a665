/** The five file tools and what they share. */
import { createDeleteTool } from "./file-delete.ts";
import { createListTool } from "./file-list.ts";
import { createMoveTool } from "./file-move.ts";
import { createReadTool } from "./file-read.ts";
import { createWriteTool } from "./file-write.ts";

export interface FileToolDeps {
  /** Absolute folders no path may reach whatever policy says: the data folder. A run's own workspace in it is exempt. */
  readonly forbiddenFolders: readonly string[];
  /** See OpenFolderOptions; for tests. */
  readonly useDescriptors?: boolean;
}

export interface FileTools {
  readonly read: ReturnType<typeof createReadTool>;
  readonly write: ReturnType<typeof createWriteTool>;
  readonly list: ReturnType<typeof createListTool>;
  readonly move: ReturnType<typeof createMoveTool>;
  readonly delete: ReturnType<typeof createDeleteTool>;
}

export function createFileTools(deps: FileToolDeps): FileTools {
  return {
    read: createReadTool(deps),
    write: createWriteTool(deps),
    list: createListTool(deps),
    move: createMoveTool(deps),
    delete: createDeleteTool(deps),
  };
}
