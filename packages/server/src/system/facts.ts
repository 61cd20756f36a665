/** Small values that system.ts hands to parts: what belongs to no single feature. */
import { rm } from "node:fs/promises";
import type { Config } from "../config/config-schema.ts";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { OpenApiInfo } from "../http/openapi.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { hashMemoryMigration } from "../runs/workspace/hash-memory.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { ReplicaState, Store } from "../store/store.ts";
import type { Health, Part } from "../supervision/part.ts";
import type { Home } from "../home/home.ts";
import type { DiskDeps } from "../status/disk.ts";
import type { StateStore } from "../home/state-store.ts";

/** The marks of what may never be recorded; personal data may, for runs work with it. */
export const secretMarks = [
  "[KEY_REDACTED]",
  "[TOKEN_REDACTED]",
  "[PRIVATE_KEY_REDACTED]",
  "[PASSWORD_REDACTED]",
] as const;

/** What a process of this role does: `serves` the API and publishes the ledger, `drives` runs. */
export function duties(role: Config["role"]): { readonly serves: boolean; readonly drives: boolean } {
  return { serves: role !== "worker", drives: role !== "gateway" };
}

/** Passwords of configured servers, so that no error message brings one into a log. Short ones would mask ordinary words. */
export function urlPasswords(
  config: Pick<Config, "databaseUrl" | "databaseReadUrl" | "redisUrl">,
): readonly string[] {
  const { databaseUrl, databaseReadUrl, redisUrl } = config;
  return [databaseUrl, databaseReadUrl, redisUrl]
    .map((url) => (url === undefined ? undefined : URL.parse(url.replace("@/", "@localhost/"))?.password))
    .filter((password) => password !== undefined && password.length >= 6)
    .flatMap((password) => [password!, decodedOrRaw(password!)]);
}

function decodedOrRaw(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not encoded as it should be: whoever connects with it takes it as it stands.
  }
}

/** Of a listener; IPv6 addresses stand in brackets. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function apiInfo(version: string): OpenApiInfo {
  const description = "Submit tasks, follow runs, answer approvals, and prove afterwards what happened.";
  return { title: "Homeostat", version, description };
}

/** The rebuildable database; a damaged one is thrown away and begun anew. Throws DATA_FOLDER_UNUSABLE. */
export async function openCache(
  path: string,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<Store> {
  const open = () =>
    openSqliteStore({ path, migrations: [hashMemoryMigration], synchronous: "normal", ...deps });
  try {
    return await open();
  } catch (error) {
    deps.logger.warn({ path, error: errorMessage(error) }, "the cache could not be opened and is begun anew");
    for (const each of ["", "-wal", "-shm"]) await rm(path + each, { force: true });
    return await open();
  }
}

/**
 * The databases as a part: first to start, last to stop. While nothing can be written it has failed, so that balancers send nobody
 * here; a new process would be no better off on a full disk, so none is asked for, until the writer itself is gone.
 */
export function storePart(store: StateStore, cache: Store, metrics: Pick<Metrics, "close">): Part {
  let closed = false;
  return {
    name: "store",
    failed: store.died.then((why) => new Error(why)),
    start: () => Promise.resolve(),
    async stop() {
      if (closed) return;
      closed = true;
      metrics.close();
      await Promise.all([store.close(), cache.close()]);
    },
    health() {
      if (closed) return { kind: "failed", detail: "closed" };
      const problem = store.writeProblem();
      if (problem !== undefined) return { kind: "failed", detail: problem, needsPerson: true };
      return replicaHealth(store.recent.replica());
    },
  };
}

/** What this role writes to: its folders may be volumes of their own. */
export function diskOf({
  config,
  home,
}: {
  readonly config: Config;
  readonly home: Home;
}): Omit<DiskDeps, "clock"> {
  const { serves, drives } = duties(config.role);
  const folders = [
    ...(serves ? [home.ledger] : []),
    ...(config.blobs.url === undefined ? [home.blobs] : []),
    ...(drives ? [home.workspaces] : []),
  ];
  return { home: home.folder, folders, minFreeBytes: config.minFreeMiB * 2 ** 20 };
}

/** Without its replica the database serves everything itself. */
function replicaHealth(replica: ReplicaState | undefined): Health {
  if (replica === undefined) return { kind: "ok" };
  if (replica.kind === "following")
    return { kind: "ok", detail: `the replica is behind by ${Math.round(replica.lagMs)} ms` };
  const what = replica.kind === "away" ? `away: ${replica.why}` : `behind by ${Math.round(replica.lagMs)} ms`;
  return { kind: "degraded", detail: `the replica is ${what}; the primary serves the lists` };
}

/** Counts programs and their time. */
export function measuredSandbox(sandbox: Sandbox, metrics: Metrics): Sandbox["run"] {
  return async (request, minimum) => {
    const { language } = request;
    try {
      const outcome = await sandbox.run(request, minimum);
      const ended = outcome.limitHit ?? (outcome.exitCode === 0 ? "ok" : "failed");
      metrics.count("homeostat_sandbox_runs_total", { language, outcome: ended });
      metrics.observe("homeostat_sandbox_run_duration_seconds", { language }, outcome.durationMs / 1000);
      return outcome;
    } catch (error) {
      metrics.count("homeostat_sandbox_runs_total", { language, outcome: "refused" });
      throw error;
    }
  };
}
