/** What processes that share a database need of each other: the same keys, the registry of who works, and what each offers. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { createRateLimiter } from "../guards/rate-limit.ts";
import type { VisibleRateLimiter } from "../guards/rate-limit.ts";
import { createRedisRateLimiter } from "../guards/redis-rate-limit.ts";
import type { Home } from "../home/home.ts";
import { readVerifierKey } from "../ledger/keys.ts";
import { createBullmqQueue } from "../queue/bullmq-queue.ts";
import type { BullmqQueue } from "../queue/bullmq-queue.ts";
import { createLocalQueue } from "../queue/local-queue.ts";
import type { Queue } from "../queue/local-queue.ts";
import { createWorkerRegistry } from "../queue/worker-registry.ts";
import type { Need, WorkerFacts, WorkerRegistry } from "../queue/worker-registry.ts";
import type { SandboxReport } from "../sandbox/sandbox.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openRedisLink } from "../store/redis.ts";
import type { RedisLink } from "../store/redis.ts";
import { openSharedFact, requireSameFact } from "../store/shared-facts.ts";
import type { Store } from "../store/store.ts";
import type { ChildSpec } from "../supervision/child.ts";
import type { Part } from "../supervision/part.ts";
import { createRenewable } from "../supervision/renewable.ts";
import type { Renewable } from "../supervision/renewable.ts";
import { createSingleton } from "../supervision/singleton.ts";
import { duties } from "./facts.ts";
import type { Root } from "../tools/tool.ts";

export interface ClusterDeps {
  readonly config: Config;
  readonly store: LeaseStore;
  readonly logger: Logger;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly offers: readonly Need[];
}

export interface Cluster {
  readonly queue: Queue;
  readonly limiter: VisibleRateLimiter;
  /** To start before what uses them. */
  readonly parts: readonly Part[];
  /** What can be made anew at any time. */
  readonly upkeep: readonly ChildSpec[];
}

/** Wake-ups and rate limits: of this process and its database alone, or through Redis when it is configured. */
export async function openCluster(deps: ClusterDeps): Promise<Cluster> {
  const { config, store, logger, offers } = deps;
  const local = createLocalQueue({ store, offers, owner: deps.owner });
  const fallback = createRateLimiter({ clock });
  if (config.redisUrl === undefined) return { queue: local, limiter: fallback, parts: [], upkeep: [] };
  const redis = await openRedisLink({ url: config.redisUrl, clock, logger });
  const id = await openSharedFact(store, { name: "deployment", value: randomBytes(8).toString("hex") });
  const prefix = `homeostat-${id}:`;
  const queue = await createBullmqQueue({ local, redis, prefix, clock, logger });
  const limiter = createRedisRateLimiter({ redis, prefix, fallback, clock, logger });
  const work = (signal: AbortSignal): Promise<void> => queue.dispatch(store, signal);
  const name = "dispatcher";
  const dispatcher: ChildSpec = { name, create: () => createSingleton({ ...deps, clock, name, work }) };
  const upkeep = duties(config.role).serves ? [dispatcher] : [];
  return { queue, limiter, parts: [redisPart(redis, queue)], upkeep };
}

function redisPart(redis: RedisLink, queue: BullmqQueue): Part {
  return {
    name: "redis",
    start: () => Promise.resolve(),
    async stop() {
      await queue.close();
      await redis.close();
    },
    health: () =>
      redis.isUp()
        ? { kind: "ok" }
        : { kind: "degraded", detail: `Redis is away (${redis.why()}); the database wakes workers` },
  };
}

/** What this process has for runs that need it. A gateway drives none, so it offers nothing. */
export function offersOf(
  role: Config["role"],
  { languages }: Pick<SandboxReport, "languages">,
  roots: readonly Pick<Root, "name">[],
): readonly Need[] {
  if (role === "gateway") return [];
  const available = languages.filter((language) => language.available);
  return [
    ...available.map(({ id }): Need => `language:${id}`),
    ...roots.map(({ name }): Need => `root:${name}`),
  ].toSorted();
}

/** `now` tells what changes; the rest stays the same as long as the process lives. */
export function openRegistry(
  { config, offers, owner: id, ...deps }: ClusterDeps,
  about: Pick<WorkerFacts, "version" | "isolation" | "startedAtMs">,
  now: () => Pick<WorkerFacts, "active" | "policyRevision" | "url">,
): Renewable<WorkerRegistry> {
  const { role } = config;
  const concurrency = role === "gateway" ? 0 : config.runs.concurrency;
  const facts = { ...about, id, role, offers, host: hostname(), pid: process.pid, concurrency };
  return createRenewable(() =>
    createWorkerRegistry({ ...deps, clock, self: () => ({ ...facts, ...now() }) }),
  );
}

/** Ports of other processes on this machine, which no tool may call. */
export function neighbourPorts(registry: Pick<WorkerRegistry, "known">): readonly number[] {
  const here = hostname();
  return registry
    .known()
    .filter(({ host }) => host === here)
    .map(({ url }) => Number(new URL(url).port));
}

/**
 * Processes on several machines share keys/ (and gateways ledger/) by a volume; `openBlobs` refuses other keys of blobs, this
 * another ledger. Throws LEDGER_KEYS_UNUSABLE.
 */
export async function requireSharedKeys(
  store: Store,
  home: Home,
  { serves }: { readonly serves: boolean },
): Promise<void> {
  if (!serves) return;
  const verifier = join(home.ledger, "key.pub");
  const copyLedger =
    "Mount the folders `ledger` and `keys` that the other gateways use; see docs/scaling.md.";
  if (!existsSync(verifier)) {
    const [row] = await store.read("SELECT size FROM ledger_position");
    if (Number(row?.["size"] ?? 0) === 0) return;
    const text = `The ledger of this database is not in ${home.ledger}, which is empty`;
    throw differs(text, copyLedger);
  }
  const { name, id } = readVerifierKey(verifier);
  await requireSameFact(store, { name: "ledger-verifier-key", value: `${name} ${id}` }, () =>
    differs(`The ledger in ${home.ledger} is not the one of this database`, copyLedger),
  );
}

function differs(message: string, hint: string): HomeostatError {
  return new HomeostatError("LEDGER_KEYS_UNUSABLE", message, {}, { hint });
}
