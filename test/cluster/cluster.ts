/** Several processes of Homeostat on one data folder, with PostgreSQL and Redis of their own if asked: started, killed, checked. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreReader } from "../../packages/server/src/store/store.ts";
import { startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { startTestRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import type { TestRedis } from "../../packages/server/src/store/test-redis.fixture.ts";
import { openStateReader } from "../../packages/server/src/home/state-store.ts";
import { startMember } from "./member-process.ts";
import type { Member, Role } from "./member-process.ts";

export interface ClusterOptions {
  readonly database: "sqlite" | "postgres";
  readonly redis?: boolean;
  /** Allows everything by default. */
  readonly policy?: string;
  /** HOMEOSTAT_* of all members. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Cluster {
  readonly home: string;
  readonly token: string;
  readonly postgres: TestPostgres | undefined;
  readonly redis: TestRedis | undefined;
  /** Every member that was ever started. */
  readonly members: readonly Member[];
  start(role: Role, environment?: Readonly<Record<string, string>>): Promise<Member>;
  living(role?: Role): readonly Member[];
  /**
   * A call to any living gateway, tried at others while the connection breaks: so a POST needs an Idempotency-Key, which is given by
   * `key`. Throws the status and body of an answer that is no success.
   */
  call<T>(method: "GET" | "POST", path: string, request?: CallBody): Promise<T>;
  /** Reads the database itself, beside the members. */
  openReader(): Promise<StoreReader>;
  /** Runs a command of the command line against this cluster's data folder. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface CallBody {
  readonly body?: unknown;
  readonly key?: string;
}

const allowAll = `version: 1
rules:
  - name: everything
    action: "*"
    effect: allow
`;

/** The test server asks for none; members are given it so that a test can look for it in what they say. */
export const databasePassword = "sesame-2f6b";

const token = `hst_${"k".repeat(43)}`;

export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const home = await mkdtemp(join(tmpdir(), "homeostat-cluster-"));
  await writeFile(join(home, "policy.yaml"), options.policy ?? allowAll);
  const postgres = options.database === "postgres" ? await startTestPostgres() : undefined;
  const redis = options.redis === true ? await startTestRedis() : undefined;
  const databaseUrl = (await postgres?.schema("homeostat"))?.replace("@", `:${databasePassword}@`);
  const environment: Readonly<Record<string, string>> = {
    HOME: home,
    HOMEOSTAT_HOME: home,
    HOMEOSTAT_TOKEN: token,
    HOMEOSTAT_SANDBOX_INSTALL: "never",
    ...(databaseUrl === undefined ? {} : { HOMEOSTAT_DATABASE_URL: databaseUrl }),
    ...(redis === undefined ? {} : { HOMEOSTAT_REDIS_URL: redis.url }),
    ...options.environment,
  };
  const members: Member[] = [];
  const starts = new Set<Promise<Member>>();
  const living = (role?: Role): readonly Member[] =>
    members.filter((member) => member.isAlive() && (role === undefined || member.role === role));
  const openReader = (): Promise<StoreReader> =>
    openStateReader({ home, databaseUrl, databaseReadUrl: undefined });
  return {
    home,
    token,
    postgres,
    redis,
    members,
    environment,
    living,
    openReader,
    async start(role, more = {}) {
      const start = startMember({ role, environment: { ...environment, ...more } });
      starts.add(start);
      try {
        const member = await start;
        members.push(member);
        return member;
      } finally {
        starts.delete(start);
      }
    },
    call: (method, path, request = {}) =>
      callAny(() => living().filter(({ role }) => role !== "worker"), { method, path, ...request }),
    async stop() {
      // Those that are still starting would write into the folder while it is removed.
      await Promise.allSettled(starts);
      await Promise.all(living().map((member) => member.kill()));
      await redis?.stop();
      await postgres?.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Long enough for killed gateways to be started again on a busy machine. */
const callPatienceMs = 60_000;

async function callAny<T>(
  gateways: () => readonly Member[],
  { method, path, body, key }: CallBody & { readonly method: string; readonly path: string },
): Promise<T> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  let why: unknown = "no gateway lives";
  const endMs = Date.now() + callPatienceMs;
  while (Date.now() < endMs) {
    const there = gateways();
    const gateway = there[Math.floor(Math.random() * there.length)];
    if (gateway !== undefined) {
      try {
        const answer = await fetch(`${gateway.url}${path}`, { ...init, signal: AbortSignal.timeout(30_000) });
        const text = await answer.text();
        if (answer.ok) return JSON.parse(text) as T;
        // Another gateway died while it worked on this very request: its key is free again after a while.
        const isUnderWay = answer.status === 409 && text.includes("REQUEST_CONFLICT");
        if (answer.status < 500 && !isUnderWay)
          throw new AnswerError(`${method} ${path}: ${answer.status} ${text}`);
        why = `${answer.status} ${text}`;
      } catch (error) {
        if (error instanceof AnswerError) throw error;
        why = error;
      }
    }
    await sleep(50);
  }
  throw new Error(`${method} ${path} got no answer: ${String(why)}`);
}

class AnswerError extends Error {}
