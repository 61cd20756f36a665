/** The tools of this program, for checks that need no server. */
import { createTools } from "../../tools/registry.ts";

/** Only their names and schemas are asked for: nothing here can act. */
export function builtInTools(): ReturnType<typeof createTools> {
  const http = {
    allowedHosts: [],
    allowPrivate: [],
    isOwnListener: () => true,
    resolveHost: () => Promise.resolve([]),
  };
  return createTools({
    forbiddenFolders: ["/"],
    temporaryFolder: "/nonexistent",
    canRun: () => false,
    http,
  });
}
