/** For tests: the real server on a free port with a real store in a temporary folder. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import type { Metrics } from "../base/metrics.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { createAuthenticator } from "./authenticate.ts";
import type { Role } from "./access.ts";
import { idempotencyMigration } from "./idempotency.ts";
import type { Route } from "./route.ts";
import { createHttpServer } from "./server.ts";
import type { HttpServer, HttpServerOptions } from "./server.ts";

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: HttpServer;
  readonly store: Store;
  readonly metrics: Metrics;
  /** A fetch with the admin's token, unless `headers` says otherwise. */
  call(path: string, init?: RequestInit): Promise<Response>;
}

/** Tokens of the test server are the roles' own names: `Bearer viewer` is a viewer. Cookies likewise. */
export async function startTestServer(
  routes: readonly Route[],
  options: Partial<HttpServerOptions> & { readonly clock?: Clock } = {},
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-http-"));
  const clock = options.clock ?? systemClock;
  const logger = createSilentLogger();
  const metrics = createMetrics({ clock, version: "0.0.0", nodeVersion: process.version });
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [idempotencyMigration],
    clock: systemClock,
    logger,
  });
  const known: readonly Role[] = ["viewer", "operator", "approver", "admin"];
  const find = (name: string): Promise<{ id: string; role: Role; tenant: string } | undefined> => {
    const role = known.find((candidate) => candidate === name);
    return Promise.resolve(role === undefined ? undefined : { id: role, role, tenant: "default" });
  };
  const server = createHttpServer({
    host: "127.0.0.1",
    port: 0,
    routes,
    owner: "test",
    isOwnerDead: () => false,
    authenticate: createAuthenticator({ findByToken: find, findBySession: find, clock }),
    store,
    clock,
    logger,
    metrics,
    ...options,
  });
  await server.start();
  const { port } = server.address();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    server,
    store,
    metrics,
    call: (path, init = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: "Bearer admin", ...init.headers } }),
    async [Symbol.asyncDispose]() {
      await server.stop(1_000);
      metrics.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
