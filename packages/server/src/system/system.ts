/** Builds every part and connects them; reading it from top to bottom is reading the architecture. It decides nothing. */
import { standingRoutes } from "../approvals/standing.routes.ts";
import { findStanding } from "../approvals/standing.ts";
import { createArtifactRoutes } from "../artifacts/artifacts.routes.ts";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { systemClock as clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import { createLogger, fileLogStream, standardErrorStream } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { blobPlaces, openBlobs } from "../blobs/open-blobs.ts";
import type { LoadedConfig } from "../config/config.ts";
import { createGate } from "../gate/gate.ts";
import { createPermitOffice } from "../gate/permit.ts";
import { prepareHome } from "../home/home.ts";
import { recordFact } from "../home/record-fact.ts";
import type { Home } from "../home/home.ts";
import { healthRoutes } from "../http/health.ts";
import { createOpenApiDocument } from "../http/openapi.ts";
import { referenceRoutes } from "../http/reference-page.ts";
import type { Route } from "../http/route.ts";
import { createHttpServer } from "../http/server.ts";
import { openAdminToken } from "../identity/admin-token.ts";
import { ledgerRoutes } from "../ledger/ledger.routes.ts";
import { createPublicationWatch } from "../ledger/publication-watch.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "../ledger/publish.ts";
import { approvalLinksRoutes } from "../runs/answers/approval-links.routes.ts";
import { approvalsRoutes } from "../runs/answers/approvals.routes.ts";
import { checkEdits } from "../runs/answers/check-edits.ts";
import { createEngine } from "../runs/worker/engine.ts";
import { observeEvents, readQueueGauges } from "../runs/session/run-metrics.ts";
import { createHashMemory } from "../runs/workspace/hash-memory.ts";
import { runControlRoutes } from "../runs/control/run-control.routes.ts";
import { runsRoutes } from "../runs/reading/runs.routes.ts";
import { streamRoutes } from "../runs/reading/stream.routes.ts";
import { listExamples, loadExample } from "../runs/submission/examples.ts";
import { tasksRoutes } from "../runs/submission/tasks.routes.ts";
import { createSandbox } from "../sandbox/run-code.ts";
import { secretsRoutes } from "../secrets/secrets.routes.ts";
import { statusRoutes } from "../status/status.routes.ts";
import { workersRoutes } from "../status/workers.routes.ts";
import { retentionRoutes } from "../retention/retention.routes.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";
import { createRenewable } from "../supervision/renewable.ts";
import { partsOf } from "../supervision/tree-changes.ts";
import { apiInfo, duties, measuredSandbox, openCache, storePart, urlOf, urlPasswords } from "./facts.ts";
import { resolveHostBySystem } from "../tools/http-fetch.ts";
import { createOwnListenerCheck } from "../tools/own-listeners.ts";
import { createTools, describeTools, digestTools } from "../tools/registry.ts";
import { openSecretsOf } from "../tools/open-secrets.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createRedactors, openSecretSystem } from "./secrets.ts";
import { neighbourPorts, offersOf, openCluster, openRegistry, requireSharedKeys } from "./cluster.ts";
import { openPolicySystem } from "./policy.ts";
import { openStateStore } from "../home/state-store.ts";
import { createIdentity } from "./identity.ts";
import { claimingOf, createQueueSystem } from "./queue.ts";
import { openRoots } from "../home/open-roots.ts";
import { openLimits } from "./limits.ts";
import { createTree, fixed } from "./tree.ts";
import { verifyHome } from "../home/verify-home.ts";
import { createRegistered } from "./workflows.ts";
import { graphRoutes } from "../runs/reading/graph.routes.ts";
import { signalsRoutes } from "../runs/control/signals.routes.ts";
import { workflowsRoutes } from "../runs/triggers/workflows.routes.ts";
import { createWorkflowRegistry } from "../workflows/registry.ts";

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
  const { config } = options.loaded;
  const { serves, drives } = duties(config.role);
  const startedAtMs = clock.now();
  const home = await prepareHome(config.home);
  const token = await openAdminToken(home.folder, config.token);

  // Logs and everything shown lose personal data too; the journal loses secrets only, for runs work with its values.
  const redactors = createRedactors(token.value, urlPasswords(config));
  const { shown, recorded, personal } = redactors;
  const logger = createLogger({
    level: config.log.level,
    redact: shown.text,
    streams: [
      config.log.file === undefined ? standardErrorStream() : fileLogStream(config.log.file, config.log),
    ],
    clock,
  });
  const metrics = createMetrics({ clock, version: options.version, nodeVersion: process.version });

  const store = await openStateStore(config, { logger, metrics });
  const cache = await openCache(home.cacheDatabase, { clock, logger });
  const { secrets, changes } = await openSecretSystem({
    settings: config.secrets,
    environment: options.loaded.secretEnvironment,
    keysFolder: home.keys,
    store,
    clock,
    logger,
  });
  redactors.learn(secrets);
  const owner = processIdentity();
  const isOwnerDead = isProcessDead;
  const blobs = await openBlobs(blobPlaces(home, config.blobs), { store, clock });
  await requireSharedKeys(store, home, { serves });
  const record = (type: string, data: JsonObject): void => {
    // A fact that cannot be written now is in the log; the store's own health tells the operator.
    store.write([recordFact(type, data, clock.now())]).catch((error: unknown) => {
      logger.error({ type, error: errorMessage(error) }, "a fact could not be recorded");
    });
  };

  const publisher = createRenewable(() =>
    createLedgerPublisher({
      store,
      clock,
      logger,
      ledgerFolder: home.ledger,
      keysFolder: home.keys,
      owner,
      isOwnerDead,
      settings: defaultPublisherSettings,
      observeCommit: ({ count }) => metrics.count("homeostat_ledger_published_total", {}, count),
    }),
  );
  const ledger = serves ? publisher : createRenewable(() => createPublicationWatch({ store, clock, logger }));
  const sandbox = await createSandbox({
    clock,
    log: logger,
    mayInstall: config.sandbox.install === "auto",
    say: options.announce,
  });
  // A gateway touches no files; the roots are on the workers' machines.
  const roots = drives ? await openRoots(config.roots, home.folder) : [];
  const offers = offersOf(config.role, sandbox.report(), roots);
  const shared = { config, store, logger, owner, isOwnerDead, offers };
  const cluster = await openCluster(shared);

  const listening: number[] = [];
  const identity = createIdentity({
    ...{ store, clock, adminToken: token.value },
    sessionHours: config.http.sessionHours,
  });
  const { keys } = identity;
  const closedTools = createTools({
    forbiddenFolders: [home.folder],
    temporaryFolder: home.scratch,
    canRun: (language) =>
      sandbox.report().languages.some(({ id, available }) => id === language && available),
    http: {
      allowedHosts: config.tools.allowedHosts,
      allowPrivate: config.tools.allowPrivate,
      isOwnListener: createOwnListenerCheck(() => [...listening, ...neighbourPorts(registry.current())]),
      resolveHost: resolveHostBySystem,
    },
  });
  const tools = openSecretsOf(closedTools, secrets.reveal);
  const knownActions = [...tools.keys()];
  const policies = openPolicySystem({
    path: home.policy,
    isShared: config.databaseUrl !== undefined,
    store,
    clock,
    logger,
    metrics,
    knownActions,
    record,
  });
  const { policy } = policies;
  const permits = createPermitOffice();
  const limiting = openLimits({ ...shared, clock, metrics, record, limiter: cluster.limiter });
  const gate = createGate({
    clock,
    decide: policies.decide,
    limits: limiting.limits,
    breaker: limiting.breaker,
    permits,
    pinSecrets: secrets.pin,
    findStanding: (question) => findStanding({ store, clock, holderOf: keys.holderOf }, question),
    defaultIsolation: config.sandbox.minimum,
    // A JSON value stays one: only strings in it change.
    redact: (value, isPersonalToo) => (isPersonalToo ? personal : recorded).value(value) as JsonValue,
    observe: (_tool, effect) => metrics.count("homeostat_gate_decisions_total", { effect }),
    maxOutputBytes: 4 * 1024 * 1024,
  });

  const { queue } = cluster;
  readQueueGauges(metrics, { queue, store });
  const workflows = createWorkflowRegistry({ store, clock });
  const engine = createEngine({
    workflows,
    store,
    blobs,
    hashes: createHashMemory({ cache, clock }),
    queue,
    clock,
    logger,
    gate,
    permits,
    tools,
    published: (key, signal) => ledger.current().published(key, signal),
    runSandboxed: measuredSandbox(sandbox, metrics),
    workspacesFolder: home.workspaces,
    roots,
    roleOf: keys.currentRole,
    owner,
    isOwnerDead,
    concurrency: config.runs.concurrency,
    leaseTtlMs: config.runs.leaseSeconds * 1000,
    ...claimingOf(config.queue, offers),
    version: options.version,
    random: Math.random,
    redactText: shown.text,
    observe: (events, row) => observeEvents(metrics, events, row),
  });

  const holdsSecret = (text: string): boolean => recorded.text(text) !== text;
  const submit = {
    store,
    blobs,
    clock,
    workspaces: engine.workspaces,
    tools,
    toolDigests: new Map(Object.entries(digestTools(tools))),
    workflows,
    holdsSecret,
    announce: engine.announce,
    version: options.version,
    defaultMaxAttempts: config.runs.maxAttempts,
  };
  const reader = { store, readBlobText: engine.readBlobText };
  const redact = shown.value;
  const answering = {
    store,
    clock,
    redact,
    currentRole: keys.currentRole,
    checkArguments: checkEdits(tools, { holdsSecret }),
    holdsSecret,
    origin: () => config.http.publicOrigins[0] ?? address(),
    links: config.approvals.links,
  };
  let isReady = false;
  const { version } = options;
  const house = { config, home, store, blobs, clock, logger, owner, isOwnerDead, version, serves, record };
  const housekeeping = createHousekeeping(house);
  const queueing = createQueueSystem({
    ...{ store, clock, logger, owner, isOwnerDead, serves, submit, redact, roleOf: keys.currentRole },
    ...{ registry: workflows, readBlobText: engine.readBlobText, foldUnheld: engine.foldUnheld },
    settings: config.queue,
  });
  const { timetable } = queueing;
  const probes = healthRoutes({ parts: () => partsOf(tree.now()), isReady: () => isReady, metrics });
  const api: readonly Route[] = [
    ...tasksRoutes({
      submit,
      listExamples: () => listExamples(options.examplesFolder),
      loadExample: (name) => loadExample(options.examplesFolder, name),
      bodyLimitBytes: config.http.bodyLimitBytes,
    }),
    ...runsRoutes({ ...reader, clock, redact, holdsSecret, foldUnheld: engine.foldUnheld }),
    ...runControlRoutes({ ...submit, ...reader, redact, foldUnheld: engine.foldUnheld }),
    ...streamRoutes({
      ...reader,
      live: engine.live,
      redact,
      tree: { now: () => tree.now(), onChange: (heard) => tree.onChange(heard) },
    }),
    ...approvalsRoutes(answering),
    ...approvalLinksRoutes(answering),
    ...standingRoutes({ store, clock, holderOf: keys.holderOf }),
    ...createArtifactRoutes({
      store,
      readContent: ({ runId: subject, sha256, sizeBytes }) => blobs.get({ subject, sha256, sizeBytes }),
    }),
    ...retentionRoutes({ ...housekeeping.erasure, holdsSecret }),
    ...ledgerRoutes({
      ...{ store, publisher: publisher.current },
      verify: (runId) => verifyHome({ home, store, blobs, runId }),
    }),
    ...policies.routes({ ...reader, holdsSecret }),
    ...statusRoutes({
      ...{ version: options.version, home: home.folder, startedAtMs, now: clock.now },
      tree: () => tree.now(),
      sandbox: sandbox.report,
      counts: queue.counts,
      ledger: () => publisher.current().state(),
      policy: () => ({ revision: policy.current().revision, rules: policy.current().rules.length }),
      config: () => options.loaded.entries,
      tools: () => describeTools(tools),
    }),
    ...workflowsRoutes(
      createRegistered({
        ...{ registry: workflows, store, clock, logger, secrets, changes, submit, timetable, keys },
      }),
    ),
    ...queueing.routes,
    ...signalsRoutes({ ...reader, clock, holdsSecret }),
    ...graphRoutes(reader),
    ...workersRoutes({ store, now: clock.now, isOwnerDead }),
    ...limiting.routes,
    ...secretsRoutes({ changes, holdsSecret }),
    ...identity.routes,
    ...probes,
  ];
  const document = createOpenApiDocument(api, apiInfo(options.version));
  const http = createHttpServer({
    ...(serves ? { host: config.host, port: config.port } : config.worker),
    routes: serves ? [...api, ...referenceRoutes(() => document)] : probes,
    authenticate: identity.authenticate,
    ...(options.dashboardFolder === undefined || !serves ? {} : { staticFolder: options.dashboardFolder }),
    store,
    owner,
    isOwnerDead,
    clock,
    logger,
    metrics,
    limits: { maxStreams: config.http.maxStreams },
    allowedHosts: config.http.allowedHosts,
    publicOrigins: config.http.publicOrigins,
  });

  const address = (): string => urlOf(serves ? config.host : config.worker.host, http.address().port);
  const isolation = sandbox.report().level;
  const registry = openRegistry(shared, { version, isolation, startedAtMs }, () => ({
    url: address(),
    active: worker.current().activeRuns(),
    policyRevision: policy.current().revision,
  }));

  const worker = createRenewable(engine.createWorker);
  const tree = createTree({
    clock,
    logger,
    metrics,
    record,
    children: [
      fixed(storePart(store, cache, metrics)),
      ...cluster.parts.map(fixed),
      ledger.child,
      ...policies.parts.map(fixed),
      fixed(http),
      ...(drives ? [worker.child] : []),
    ],
    upkeep: [
      ...cluster.upkeep,
      limiting.upkeep,
      policies.shadow,
      ...queueing.upkeep,
      ...housekeeping.upkeep,
      registry.child,
    ],
  });
  await tree.supervisor.start().catch(async (error: unknown) => {
    await Promise.all([store.close(), cache.close()]);
    throw error;
  });
  listening.push(http.address().port);
  isReady = true;
  const url = address();
  record("runtime.started", { version: options.version, role: config.role });
  logger.info({ url, home: home.folder, role: config.role }, "started");
  return {
    url,
    ...(serves ? { signInUrl: `${url}/#token=${token.value}` } : {}),
    home,
    async stop(deadlineMs) {
      isReady = false;
      await tree.supervisor.stop(deadlineMs);
    },
    failed: tree.supervisor.failed!,
  };
}
