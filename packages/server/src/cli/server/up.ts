/** `homeostat up`: starts the server, says where it is, and stops it gracefully on a signal. */
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "@homeostat/client";
import { systemClock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import type { Config } from "../../config/config-schema.ts";
import { loadConfig } from "../../config/config.ts";
import type { LoadedConfig } from "../../config/config.ts";
import { processIdentity } from "../../store/process-identity.ts";
import { databasePlace } from "../../home/state-store.ts";
import { startSystem } from "../../system/system.ts";
import type { System } from "../../system/system.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { findInstallPlace } from "./install-place.ts";
import { findServerAddress, removeServerAddress, writeServerAddress } from "../connection/server-address.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface UpOptions extends GlobalOptions {
  readonly host?: string;
  readonly port?: string;
  readonly role?: string;
}

/** Resolves when the server has stopped. A second signal ends the process at once. */
export async function up(options: UpOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = loadServerConfig(options);
  const { config } = loaded;
  const announce = (line: string): void => terminal.note((paint) => paint("dim", line));
  // Whoever names a role wants several processes on one data folder.
  if (config.role === "all") await refuseSecondServer(config.home, config.port);
  if (config.role !== "worker") await buildDashboard(announce);
  const { version, dashboardFolder, examplesFolder } = findInstallPlace();
  const signal = catchSignals();
  const system = await startSystem({ loaded, version, dashboardFolder, examplesFolder, announce });
  const identity = processIdentity();
  if (system.signInUrl !== undefined) {
    const startedAtMs = systemClock.now();
    writeServerAddress(config.home, { url: system.url, process: identity, startedAtMs });
  }
  sayWhere(system, { config, version, hasDashboard: dashboardFolder !== undefined }, terminal);
  // Else it is written at an orderly end alone, and a server that is killed again and again compiles everything again and again.
  flushCompileCache();
  const broken = system.failed.then((reason) => ({ reason }));
  const name = await Promise.race([signal, broken]);
  if (typeof name !== "string") {
    // Whatever supervises this process starts it anew, on the same data.
    await removeServerAddress(config.home, identity);
    await system.stop(config.http.stopSeconds * 1000);
    throw name.reason;
  }
  terminal.note(
    () => `${name}: stopping, at most ${config.http.stopSeconds} s; a second signal stops at once`,
  );
  // Commands should no longer come here while the last requests are answered.
  await removeServerAddress(config.home, identity);
  await system.stop(config.http.stopSeconds * 1000);
  return exitCodes.done;
}

/** `--host` and `--port` are those of the listener that the role has. */
function loadServerConfig({ host, port, role, token, home, config }: UpOptions): LoadedConfig {
  const flags = { role, token, home, config };
  const { role: chosen } = loadConfig(flags).config;
  const place = chosen === "worker" ? { "worker.host": host, "worker.port": port } : { host, port };
  return loadConfig({ ...flags, ...place });
}

function sayWhere(
  { url, signInUrl }: System,
  about: { readonly config: Config; readonly version: string; readonly hasDashboard: boolean },
  terminal: Terminal,
): void {
  const { config, version, hasDashboard } = about;
  const { home, role } = config;
  terminal.result(
    { url, ...(signInUrl === undefined ? {} : { signInUrl }), role, home, version, pid: process.pid },
    (paint) =>
      [
        signInUrl === undefined
          ? `${paint("bold", `Homeostat ${version}`)} drives runs; probes answer at ${paint("cyan", url)}`
          : `${paint("bold", `Homeostat ${version}`)} runs at ${paint("cyan", url)}\n  sign in  ${signInUrl}`,
        `  data     ${home}`,
        ...(config.databaseUrl === undefined ? [] : [`  database ${databasePlace(config)}`]),
        `  log      ${config.log.file ?? "standard error"}`,
        ...(hasDashboard || signInUrl === undefined
          ? []
          : ["  The dashboard is not built; the API and the commands work."]),
      ].join("\n"),
  );
}

/**
 * A second server that nobody asked for by naming a role is a mistake. Its process alone proves nothing where a container was
 * killed (another pid namespace), so the server has to answer too.
 */
async function refuseSecondServer(home: string, port: number): Promise<void> {
  const url = await findServerAddress(home);
  if (url === undefined) return;
  // Where nobody listens the answer comes at once; a server on a busy machine was seen to need more than a second.
  const isAnswering = await createClient({ baseUrl: url })
    .call("health.live", { signal: AbortSignal.timeout(10_000) })
    .then(
      () => true,
      () => false,
    );
  if (!isAnswering) return;
  const code = new URL(url).port === String(port) ? "PORT_TAKEN" : "DATA_FOLDER_UNUSABLE";
  throw new HomeostatError(
    code,
    `A server already runs on the data folder ${home}, at ${url}`,
    { home, url },
    {
      hint: "Use that one, stop it first, give this one a data folder of its own with HOMEOSTAT_HOME, or add to it with --role worker or --role gateway.",
    },
  );
}

/** Resolves with the first signal's name; the second one ends the process. */
function catchSignals(): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (!isFirst) process.exit(exitCodes.interrupted);
        isFirst = false;
        resolve(name);
      });
    }
  });
}

/** In a clone the dashboard is built on the first start and after changes; the package brings it along. */
async function buildDashboard(announce: (line: string) => void): Promise<void> {
  const { repository } = findInstallPlace();
  if (repository === undefined) return;
  const script = pathToFileURL(join(repository, "scripts", "build-dashboard.ts")).href;
  // By address, not by name: the script belongs to the repository and is not part of the package.
  const { buildDashboardIfStale } = (await import(script)) as {
    buildDashboardIfStale: (repository: string) => boolean;
  };
  if (!buildDashboardIfStale(repository))
    announce("The dashboard could not be built (see above); going on without it.");
}
