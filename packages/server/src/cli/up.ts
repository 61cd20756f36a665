/** `homeostat up`: starts the server, says where it is, and stops it gracefully on a signal. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "@homeostat/client";
import { HomeostatError } from "../base/error.ts";
import { loadConfig } from "../config.ts";
import { startSystem } from "../system.ts";
import type { System } from "../system.ts";
import type { GlobalOptions } from "./connect.ts";
import { exitCodes } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import { findInstallPlace } from "./install-place.ts";
import { findServerAddress, removeServerAddress, writeServerAddress } from "./server-address.ts";
import type { Terminal } from "./terminal.ts";

export interface UpOptions extends GlobalOptions {
  readonly host?: string;
  readonly port?: string;
  readonly role?: string;
}

/** Resolves when the server has stopped. A second signal ends the process at once. */
export async function up(options: UpOptions, terminal: Terminal): Promise<ExitCode> {
  const { host, port, role, token, home, config: file } = options;
  const loaded = loadConfig({ host, port, role, token, home, config: file });
  const { config } = loaded;
  const announce = (line: string): void => terminal.note((paint) => paint("dim", line));
  await refuseSecondServer(config.home, config.port);
  await buildDashboard(announce);
  const { version, dashboardFolder, examplesFolder } = findInstallPlace();
  const signal = catchSignals();
  const system = await startSystem({ loaded, version, dashboardFolder, examplesFolder, announce });
  writeServerAddress(config.home, system.url);
  terminal.result(
    { url: system.url, signInUrl: system.signInUrl, home: config.home, version, pid: process.pid },
    (paint) =>
      [
        `${paint("bold", `Homeostat ${version}`)} runs at ${paint("cyan", system.url)}`,
        `  sign in  ${system.signInUrl}`,
        `  data     ${config.home}`,
        `  log      ${config.log.file ?? "standard error"}`,
        ...(dashboardFolder === undefined
          ? ["  The dashboard is not built; the API and the commands work."]
          : []),
      ].join("\n"),
  );
  const name = await signal;
  terminal.note(
    () => `${name}: stopping, at most ${config.http.stopSeconds} s; a second signal stops at once`,
  );
  await stop(system, config.home, config.http.stopSeconds * 1000);
  return exitCodes.done;
}

/**
 * One server per data folder: a second one would empty the first one's scratch space. Its process alone proves nothing where a
 * container was killed (another pid namespace), so the server has to answer too.
 */
async function refuseSecondServer(home: string, port: number): Promise<void> {
  const url = await findServerAddress(home);
  if (url === undefined) return;
  const isAnswering = await createClient({ baseUrl: url })
    .call("health.live", { signal: AbortSignal.timeout(1_000) })
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
      hint: "Use that one, stop it first, or give this one a data folder of its own with HOMEOSTAT_HOME.",
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

async function stop(system: System, home: string, deadlineMs: number): Promise<void> {
  // Commands should no longer come here while the last requests are answered.
  await removeServerAddress(home);
  await system.stop(deadlineMs);
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
