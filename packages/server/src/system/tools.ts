/** Builds what actions act with: the sandbox, the roots, and the tools over both. */
import type { Sandbox } from "../sandbox/sandbox.ts";
import { createSandbox } from "../sandbox/run-code.ts";
import { openRoots } from "../home/open-roots.ts";
import type { Need } from "../queue/worker-registry.ts";
import { resolveHostBySystem } from "../tools/http-fetch.ts";
import { openSecretsOf } from "../tools/open-secrets.ts";
import { createOwnListenerCheck } from "../tools/own-listeners.ts";
import { createTools } from "../tools/registry.ts";
import type { AnyTool, Root } from "../tools/tool.ts";
import { offersOf } from "./cluster.ts";
import type { Foundation } from "./foundation.ts";

export interface ToolSystem {
  readonly sandbox: Sandbox;
  readonly roots: readonly Root[];
  /** What this process has for runs that need it. */
  readonly offers: readonly Need[];
  readonly tools: ReadonlyMap<string, AnyTool>;
}

export interface ToolSystemDeps {
  /** One line to the operator while a package is being installed. */
  readonly announce: (line: string) => void;
  /** Where processes of this installation listen on this machine: no tool may call them. */
  readonly ownPorts: () => readonly number[];
}

export async function openTools(
  { config, home, drives, secrets, clock, logger }: Foundation,
  { announce, ownPorts }: ToolSystemDeps,
): Promise<ToolSystem> {
  const sandbox = await createSandbox({
    ...{ clock, log: logger, say: announce },
    mayInstall: config.sandbox.install === "auto",
  });
  // A gateway touches no files; the roots are on the workers' machines.
  const roots = drives ? await openRoots(config.roots, home.folder) : [];
  const closed = createTools({
    forbiddenFolders: [home.folder],
    temporaryFolder: home.scratch,
    canRun: (language) =>
      sandbox.report().languages.some(({ id, available }) => id === language && available),
    http: {
      allowedHosts: config.tools.allowedHosts,
      allowPrivate: config.tools.allowPrivate,
      isOwnListener: createOwnListenerCheck(ownPorts),
      resolveHost: resolveHostBySystem,
    },
  });
  return {
    ...{ sandbox, roots },
    offers: offersOf(config.role, sandbox.report(), roots),
    tools: openSecretsOf(closed, secrets.reveal),
  };
}
