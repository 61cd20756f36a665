/** What `doctor` says of Redis and of the processes that share the database. */
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import type { Config } from "../../config/config-schema.ts";
import { findUnmetNeeds, listWorkers } from "../../queue/worker-registry.ts";
import type { WorkerRow } from "../../queue/worker-registry.ts";
import { isProcessDead } from "../../store/process-identity.ts";
import { openRedisLink } from "../../store/redis.ts";
import type { RedisLink } from "../../store/redis.ts";
import { openStateReader } from "../../home/state-store.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** Nothing while there is only one process or none, and no Redis. */
export async function checkCluster(config: Config): Promise<readonly Diagnosis[]> {
  return [...(await checkRedis(config)), ...(await checkWorkers(config))];
}

/** Long enough for a connection across networks, short enough for a person who waits. */
const patienceMs = 2_000;

async function checkRedis({ redisUrl }: Config): Promise<readonly Diagnosis[]> {
  if (redisUrl === undefined) return [];
  const link = await openRedisLink({ url: redisUrl, clock, logger: createSilentLogger() });
  try {
    const endMs = clock.monotonic() + patienceMs;
    while (!link.isUp() && clock.monotonic() < endMs) await clock.sleep(20);
    if (link.isUp()) return [{ name: "redis", state: "ok", detail: await redisVersion(link) }];
    return [
      {
        name: "redis",
        state: "warning",
        detail: `does not answer (${link.why()}): the database wakes workers, rate limits hold per process`,
        hint: "Start Redis, or correct redisUrl.",
      },
    ];
  } finally {
    await link.close();
  }
}

/** A server that answers but will not tell its version (ACL) is no worse for it. */
async function redisVersion(link: RedisLink): Promise<string> {
  const facts = await link.client.info("server").catch(() => "");
  const version = /^redis_version:(\S+)/m.exec(facts)?.[1];
  return version === undefined ? "answers" : `Redis ${version} answers`;
}

async function checkWorkers(config: Config): Promise<readonly Diagnosis[]> {
  // A database that cannot be read, or that an older version made, has been told of before.
  const store = await openStateReader(config).catch(() => undefined);
  if (store === undefined) return [];
  try {
    const nowMs = clock.now();
    const known = await listWorkers(store, { nowMs, isOwnerDead: isProcessDead });
    return judgeWorkers(known, await findUnmetNeeds(store, known, nowMs));
  } catch {
    // See above: its tables are those of an older version.
    return [];
  } finally {
    await store.close();
  }
}

/** Pure. */
export function judgeWorkers(
  known: readonly WorkerRow[],
  unmet: readonly { readonly need: string; readonly runs: number }[],
): readonly Diagnosis[] {
  const name = "workers";
  const living = known.filter(({ state }) => state === "running");
  if (living.length === 0) return [];
  const gateways = living.filter(({ role }) => role !== "worker").length;
  const drivers = living.filter(({ role }) => role !== "gateway").length;
  const count = (text: string, of: number): string => `${of} ${text}${of === 1 ? "" : "s"}`;
  const detail = `${count("gateway", gateways)}, ${count("worker", drivers)}`;
  const warnings: Diagnosis[] = [];
  const warn = (what: string, hint: string): void =>
    void warnings.push({ name, state: "warning", detail: `${detail}; ${what}`, hint });
  if (gateways === 0)
    warn(
      "nobody publishes the ledger, so unsafe actions wait",
      "Start one with `homeostat up --role gateway`.",
    );
  if (drivers === 0) warn("nobody drives runs", "Start one with `homeostat up --role worker`.");
  if (new Set(living.map(({ policyRevision }) => policyRevision)).size > 1)
    warn("they do not all have the same policy", "Give every machine the same policy.yaml.");
  const versions = new Set(living.map(({ version }) => version));
  if (versions.size > 1)
    warn(
      `they do not all have the same version: ${[...versions].map((version) => describeVersion(version, living)).join("; ")}`,
      "Finish the upgrade: restart those that run the older one.",
    );
  const silent = known.filter(({ state }) => state === "silent");
  for (const { role, pid, host } of silent)
    warn(`${role} ${pid} on ${host} is silent`, "Look at its log, and whether it reaches the database.");
  for (const { need, runs } of unmet)
    warn(`${runs} due runs need ${need}, which nobody has`, "Start a worker that has it.");
  return warnings.length > 0 ? warnings : [{ name, state: "ok", detail }];
}

function describeVersion(version: string, living: readonly WorkerRow[]): string {
  const mine = living.filter((worker) => worker.version === version);
  const shown = mine.slice(0, 3).map(({ role, pid, host }) => `${role} ${pid} on ${host}`);
  return `${version} (${shown.join(", ")}${mine.length > shown.length ? `, ${mine.length - shown.length} more` : ""})`;
}
