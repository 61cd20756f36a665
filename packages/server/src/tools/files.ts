/** The five file tools and what they share. */
import { createDeleteTool } from "./file-delete.ts";
import { createListTool } from "./file-list.ts";
import { createMoveTool } from "./file-move.ts";
import { createReadTool } from "./file-read.ts";
import { createWriteTool } from "./file-write.ts";
import type { FileAccess } from "./open-folder.ts";

export interface FileTools {
  readonly read: ReturnType<typeof createReadTool>;
  readonly write: ReturnType<typeof createWriteTool>;
  readonly list: ReturnType<typeof createListTool>;
  readonly move: ReturnType<typeof createMoveTool>;
  readonly delete: ReturnType<typeof createDeleteTool>;
}

export function createFileTools(deps: FileAccess): FileTools {
  return {
    read: createReadTool(deps),
    write: createWriteTool(deps),
    list: createListTool(deps),
    move: createMoveTool(deps),
    delete: createDeleteTool(deps),
  };
}
