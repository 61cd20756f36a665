/** `homeostat version`. */
import { arch, platform, release } from "node:os";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { findInstallPlace } from "./install-place.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function version(_options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const facts = {
    homeostat: findInstallPlace().version,
    node: process.versions.node,
    sqlite: process.versions["sqlite"] ?? null,
    platform: `${platform()} ${release()} ${arch()}`,
  };
  terminal.result(
    facts,
    () =>
      `homeostat ${facts.homeostat} (Node.js ${facts.node}, SQLite ${facts.sqlite ?? "?"}, ${facts.platform})`,
  );
  return exitCodes.done;
}
