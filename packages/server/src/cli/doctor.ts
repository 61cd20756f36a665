/** `homeostat doctor`: looks at everything a server needs on this machine and says what to do about what is missing. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { createClient } from "@homeostat/client";
import { isApiError } from "@homeostat/client/api-error";
import { systemClock } from "../base/clock.ts";
import { errorMessage, isHomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import type { LoadedConfig } from "../config.ts";
import { findPortOwner } from "../http/find-port-owner.ts";
import { readAdminToken } from "../identity/admin-token.ts";
import { createSandbox } from "../sandbox/run-code.ts";
import { databasePlace, openStateReader } from "../system-store.ts";
import { isInside, openRoots } from "../open-roots.ts";
import { addressOf, loadOptions } from "./connect.ts";
import type { GlobalOptions } from "./connect.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { exitCodes } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import { formatBytes } from "./format-time.ts";
import { findInstallPlace } from "./install-place.ts";
import { checkBlobStore } from "./check-blobs.ts";
import { checkCluster } from "./check-cluster.ts";
import { findServerAddress } from "./server-address.ts";
import type { Terminal } from "./terminal.ts";

/** Exit code 1 when anything has failed. */
export async function doctor(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const checks: Diagnosis[] = [{ name: "node", state: "ok", detail: `Node.js ${process.versions.node}` }];
  const loaded = readConfig(options, checks);
  if (loaded !== undefined) {
    const { config } = loaded;
    checks.push(await checkHome(config.home));
    checks.push(...(await checkRoots(config)));
    checks.push(await checkToken(loaded));
    checks.push(await checkDatabase(loaded));
    checks.push(...(await checkCluster(config)));
    checks.push(await checkBlobStore(config));
    checks.push(await checkServer(loaded));
  }
  checks.push(await checkSandbox());
  checks.push(checkDashboard());
  const isWell = checks.every(({ state }) => state !== "failed");
  terminal.result({ ok: isWell, checks }, (paint) =>
    checks
      .map(({ name, state, detail, hint }) => {
        const style = state === "ok" ? "green" : state === "warning" ? "yellow" : "red";
        const remedy = hint === undefined ? "" : `\n${" ".repeat(20)}${paint("cyan", "hint:")} ${hint}`;
        return `${paint(style, state.padEnd(8))} ${name.padEnd(10)} ${detail}${remedy}`;
      })
      .join("\n"),
  );
  return isWell ? exitCodes.done : exitCodes.failed;
}

function readConfig(options: GlobalOptions, checks: Diagnosis[]): LoadedConfig | undefined {
  try {
    const loaded = loadOptions(options);
    const set = loaded.entries
      .filter(({ origin }) => origin !== "default")
      .map(({ key, origin }) => `${key} from ${origin}`);
    const detail = `${loaded.file ?? "no file"}${set.length === 0 ? ", all defaults" : `; ${set.join(", ")}`}`;
    checks.push({ name: "config", state: "ok", detail });
    return loaded;
  } catch (error) {
    checks.push(failed("config", error));
    return undefined;
  }
}

async function checkHome(home: string): Promise<Diagnosis> {
  try {
    const found = await stat(home);
    if (!found.isDirectory()) {
      const hint = "Give --home or HOMEOSTAT_HOME a folder.";
      return { name: "home", state: "failed", detail: `${home} is a file, not a folder`, hint };
    }
    await access(home, constants.W_OK | constants.R_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(home);
    const freeBytes = bavail * bsize;
    const detail = `${home}, ${formatBytes(freeBytes)} free`;
    if ((found.mode & 0o077) !== 0) {
      return {
        name: "home",
        state: "warning",
        detail: `${detail}, open to other users`,
        hint: `chmod 700 ${home}`,
      };
    }
    // The ledger and the database stop for good when the disk is full; a gigabyte is a warning in time.
    if (freeBytes < 2 ** 30)
      return { name: "home", state: "warning", detail, hint: "Free some space: a full disk stops all runs." };
    return { name: "home", state: "ok", detail };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return { name: "home", state: "ok", detail: `${home} will be made by \`homeostat up\`` };
    }
    return {
      name: "home",
      state: "failed",
      detail: errorMessage(error),
      hint: "Give HOMEOSTAT_HOME a folder that this user may write.",
    };
  }
}

/** A root around the data folder works, with a hole in it that people should know of. */
async function checkRoots({ roots, home }: LoadedConfig["config"]): Promise<readonly Diagnosis[]> {
  try {
    const around = (await openRoots(roots, home)).filter(({ path }) => isInside(home, path));
    return around.map(({ name, path }) => ({
      name: "roots",
      state: "warning",
      detail: `roots.${name} (${path}) holds the data folder, which runs can never open`,
      hint: "Grant the folders beside it instead.",
    }));
  } catch (error) {
    return [failed("roots", error)];
  }
}

async function checkToken({ config }: LoadedConfig): Promise<Diagnosis> {
  if (config.token !== undefined) return { name: "token", state: "ok", detail: "configured" };
  try {
    await readAdminToken(config.home);
    return { name: "token", state: "ok", detail: "in the data folder, readable by its owner alone" };
  } catch (error) {
    if (isHomeostatError(error, "AUTHENTICATION_REQUIRED")) {
      return { name: "token", state: "ok", detail: "will be made by `homeostat up`" };
    }
    return failed("token", error);
  }
}

async function checkDatabase({ config }: LoadedConfig): Promise<Diagnosis> {
  const place = databasePlace(config);
  const isMade =
    config.databaseUrl !== undefined ||
    (await access(place).then(
      () => true,
      () => false,
    ));
  if (!isMade) return { name: "database", state: "ok", detail: "will be made by `homeostat up`" };
  try {
    const store = await openStateReader(config);
    try {
      const [row] = await store.read("SELECT COUNT(*) AS n FROM runs");
      return { name: "database", state: "ok", detail: `${place}, ${String(row?.["n"])} runs` };
    } finally {
      await store.close();
    }
  } catch (error) {
    return failed("database", error);
  }
}

async function checkServer({ config }: LoadedConfig): Promise<Diagnosis> {
  const url = config.url ?? (await findServerAddress(config.home)) ?? addressOf(config.host, config.port);
  try {
    const readiness = await createClient({ baseUrl: url }).call("health.ready", {
      signal: AbortSignal.timeout(3_000),
    });
    const ill = readiness.checks
      .filter(({ kind }) => kind !== "ok")
      .map(({ name, kind }) => `${name} ${kind}`);
    if (ill.length === 0) return { name: "server", state: "ok", detail: `runs at ${url}` };
    return {
      name: "server",
      state: "warning",
      detail: `runs at ${url}; ${ill.join(", ")}`,
      hint: "homeostat logs",
    };
  } catch (error) {
    if (isApiError(error) && error.status === 503) {
      return {
        name: "server",
        state: "failed",
        detail: `${url} says it is not ready`,
        hint: "homeostat logs",
      };
    }
    if (isApiError(error, "SERVER_UNREACHABLE") && config.url === undefined)
      return checkPort(config.host, config.port);
    return { name: "server", state: "failed", detail: `${url}: ${errorMessage(error)}` };
  }
}

async function checkPort(host: string, port: number): Promise<Diagnosis> {
  const problem = await new Promise<string | undefined>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
  if (problem === undefined)
    return { name: "server", state: "ok", detail: `not running; ${host} port ${port} is free` };
  const owner = await findPortOwner(port);
  const by = owner === undefined ? problem : `process ${owner.pid} (${owner.command})`;
  return {
    name: "server",
    state: "failed",
    detail: `port ${port} is taken: ${by}`,
    hint: "Choose another port with --port or HOMEOSTAT_PORT.",
  };
}

async function checkSandbox(): Promise<Diagnosis> {
  const sandbox = await createSandbox({ clock: systemClock, log: createSilentLogger(), mayInstall: false });
  const { level, languages, remedy, checks } = sandbox.report();
  const available = languages.filter((language) => language.available).map(({ id }) => id);
  const detail = `level ${level}; ${available.length === 0 ? "no languages" : available.join(", ")}`;
  if (level !== "none") return { name: "sandbox", state: "ok", detail };
  const why = checks.filter(({ ok }) => !ok).map((check) => `${check.name}: ${check.detail}`);
  return {
    name: "sandbox",
    state: "warning",
    detail: `${detail} (${why.join("; ")})`,
    ...(remedy === undefined ? {} : { hint: remedy }),
  };
}

function checkDashboard(): Diagnosis {
  const { dashboardFolder, repository } = findInstallPlace();
  if (dashboardFolder !== undefined) return { name: "dashboard", state: "ok", detail: dashboardFolder };
  const detail =
    repository === undefined ? "missing from this package" : "not built yet; `homeostat up` builds it";
  return { name: "dashboard", state: repository === undefined ? "warning" : "ok", detail };
}

function failed(name: string, error: unknown): Diagnosis {
  const hint = isHomeostatError(error) ? { hint: error.hint } : {};
  return { name, state: "failed", detail: errorMessage(error), ...hint };
}
