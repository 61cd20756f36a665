/** Builds every part and connects them; reading it from top to bottom is reading the architecture. It decides nothing. */
import type { LoadedConfig } from "../config/config.ts";
import type { Home } from "../home/home.ts";
import { healthRoutes } from "../http/health.ts";
import { createOpenApiDocument } from "../http/openapi.ts";
import type { OpenApiDocument } from "../http/openapi.ts";
import { referenceRoutes } from "../http/reference-page.ts";
import type { Route } from "../http/route.ts";
import { createHttpServer } from "../http/server.ts";
import type { HttpServer } from "../http/server.ts";
import { createDiskPart } from "../status/disk.ts";
import { createRenewable } from "../supervision/renewable.ts";
import { partsOf } from "../supervision/tree-changes.ts";
import { createApi } from "./api.ts";
import { neighbourPorts, openCluster, openRegistry } from "./cluster.ts";
import { apiInfo, diskOf, storePart, urlOf } from "./facts.ts";
import { openFoundation } from "./foundation.ts";
import type { Foundation } from "./foundation.ts";
import { openGate } from "./gate.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createIdentity } from "./identity.ts";
import type { IdentitySystem } from "./identity.ts";
import { createLedger } from "./ledger.ts";
import { createQueueSystem } from "./queue.ts";
import { createRuns } from "./runs.ts";
import { openTools } from "./tools.ts";
import { createTree, fixed } from "./tree.ts";
import type { Tree } from "./tree.ts";

export interface SystemOptions {
  readonly loaded: LoadedConfig;
  readonly version: string;
  /** Built dashboard and shipped examples; where they lie differs between clone and package. */
  readonly dashboardFolder: string | undefined;
  readonly examplesFolder: string;
  /** One line to the operator while starting, for example that a package is being installed. */
  readonly announce: (line: string) => void;
}

export interface System {
  readonly url: string;
  /** The token is in the fragment, which browsers never send. A worker has nothing to sign in to. */
  readonly signInUrl?: string;
  readonly home: Home;
  stop(deadlineMs: number): Promise<void>;
  /** Resolves with the reason when parts break down that cannot be made anew: the process should stop and end. */
  readonly failed: Promise<unknown>;
}

/** Rejects with a HomeostatError that says what stands in the way: DATA_FOLDER_UNUSABLE, PORT_TAKEN, POLICY_INVALID and others. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { foundation, tree, address, setReady } = await build(options);
  const { config, home, serves, store, cache } = foundation;
  await tree.supervisor.start().catch(async (error: unknown) => {
    await Promise.all([store.close(), cache.close()]);
    throw error;
  });
  setReady(true);
  const url = address();
  foundation.record("runtime.started", { version: options.version, role: config.role });
  foundation.logger.info({ url, home: home.folder, role: config.role }, "started");
  return {
    url,
    ...(serves ? { signInUrl: `${url}/#token=${foundation.adminToken}` } : {}),
    home,
    async stop(deadlineMs) {
      setReady(false);
      await tree.supervisor.stop(deadlineMs);
    },
    failed: tree.supervisor.failed!,
  };
}

interface Built {
  readonly foundation: Foundation;
  /** Not started yet. */
  readonly tree: Tree;
  /** Of the door; throws before it is open. */
  readonly address: () => string;
  readonly setReady: (isReady: boolean) => void;
}

/** Every part with what it needs. Arrow functions stand where one needs what is built further down: they are called once all run. */
async function build(options: SystemOptions): Promise<Built> {
  const { examplesFolder, loaded } = options;
  const foundation = await openFoundation(options);
  const { config, version, serves, drives, store, metrics } = foundation;
  let isReady = false;

  const ledger = createLedger(foundation);
  const ownPorts = (): readonly number[] => [
    ...(isReady ? [http.address().port] : []),
    ...neighbourPorts(registry.current()),
  ];
  const hands = await openTools(foundation, { announce: options.announce, ownPorts });
  const sharing = { ...foundation, offers: hands.offers };
  const cluster = await openCluster(sharing);
  const { queue, limiter } = cluster;
  const identity = createIdentity({ ...foundation, sessionHours: config.http.sessionHours });
  const { keys } = identity;
  const knownActions = [...hands.tools.keys()];
  const guarding = openGate(foundation, { knownActions, limiter, keys });
  const { policies, limiting } = guarding;
  const running = createRuns(foundation, { hands, guarding, ledger, queue, keys });
  const { engine } = running;
  const housekeeping = createHousekeeping(foundation);
  const queueing = createQueueSystem(foundation, { running, keys });

  const worker = createRenewable(engine.createWorker);
  const probes = healthRoutes({ parts: () => partsOf(tree.now()), isReady: () => isReady, metrics });
  const api = createApi({
    ...{ foundation, ledger, hands, guarding, running, queue, queueing, housekeeping, identity },
    ...{ examplesFolder, configEntries: loaded.entries },
    tree: { now: () => tree.now(), onChange: (heard) => tree.onChange(heard) },
    origin: () => config.http.publicOrigins[0] ?? address(),
  });
  const http = createDoor(foundation, { api, probes, identity, dashboardFolder: options.dashboardFolder });
  const address = (): string => urlOf(serves ? config.host : config.worker.host, http.address().port);
  const about = { version, startedAtMs: foundation.startedAtMs, isolation: hands.sandbox.report().level };
  const registry = openRegistry(sharing, about, () => ({
    url: address(),
    active: worker.current().activeRuns(),
    policyRevision: policies.policy.current().revision,
  }));

  const disk = createDiskPart({ ...foundation, ...diskOf(foundation) });
  const first = [storePart(store, foundation.cache, metrics), disk, ...cluster.parts].map(fixed);
  const doors = [...policies.parts, http].map(fixed);
  const tree = createTree({
    ...foundation,
    children: [...first, ledger.child, ...doors, ...(drives ? [worker.child] : [])],
    upkeep: [
      ...[...cluster.upkeep, limiting.upkeep, policies.shadow],
      ...[...queueing.upkeep, ...housekeeping.upkeep, registry.child],
    ],
  });
  return { foundation, tree, address, setReady: (now) => void (isReady = now) };
}

interface DoorDeps {
  readonly api: readonly Route[];
  /** For balancers and machines; all that a worker answers. */
  readonly probes: readonly Route[];
  readonly identity: IdentitySystem;
  readonly dashboardFolder: string | undefined;
}

function createDoor(
  foundation: Foundation,
  { api, probes, identity, dashboardFolder }: DoorDeps,
): HttpServer {
  const { config, serves, version } = foundation;
  const all = [...api, ...probes];
  // A third of a second's work that a start need not wait for, and that a worker never needs.
  let made: OpenApiDocument | undefined;
  const document = (): OpenApiDocument => (made ??= createOpenApiDocument(all, apiInfo(version)));
  return createHttpServer({
    ...foundation,
    ...(serves ? { host: config.host, port: config.port } : config.worker),
    routes: serves ? [...all, ...referenceRoutes(document)] : probes,
    authenticate: identity.authenticate,
    ...(dashboardFolder === undefined || !serves ? {} : { staticFolder: dashboardFolder }),
    limits: { maxStreams: config.http.maxStreams },
    allowedHosts: config.http.allowedHosts,
    publicOrigins: config.http.publicOrigins,
  });
}
