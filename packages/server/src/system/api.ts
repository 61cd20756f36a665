/** The API of one process: every feature's routes with what they read and change, in the order of the reference. */
import { standingRoutes } from "../approvals/standing.routes.ts";
import { createArtifactRoutes } from "../artifacts/artifacts.routes.ts";
import type { LoadedConfig } from "../config/config.ts";
import { verifyHome } from "../home/verify-home.ts";
import type { Route } from "../http/route.ts";
import { ledgerRoutes } from "../ledger/ledger.routes.ts";
import type { Queue } from "../queue/local-queue.ts";
import { retentionRoutes } from "../retention/retention.routes.ts";
import { approvalLinksRoutes } from "../runs/answers/approval-links.routes.ts";
import { approvalsRoutes } from "../runs/answers/approvals.routes.ts";
import { checkEdits } from "../runs/answers/check-edits.ts";
import { runControlRoutes } from "../runs/control/run-control.routes.ts";
import { signalsRoutes } from "../runs/control/signals.routes.ts";
import { graphRoutes } from "../runs/reading/graph.routes.ts";
import { runsRoutes } from "../runs/reading/runs.routes.ts";
import { streamRoutes } from "../runs/reading/stream.routes.ts";
import { listExamples, loadExample } from "../runs/submission/examples.ts";
import { tasksRoutes } from "../runs/submission/tasks.routes.ts";
import { workflowsRoutes } from "../runs/triggers/workflows.routes.ts";
import { secretsRoutes } from "../secrets/secrets.routes.ts";
import { statusRoutes } from "../status/status.routes.ts";
import { workersRoutes } from "../status/workers.routes.ts";
import { describeTools } from "../tools/registry.ts";
import type { Foundation } from "./foundation.ts";
import type { GateSystem } from "./gate.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { IdentitySystem } from "./identity.ts";
import type { LedgerSystem } from "./ledger.ts";
import type { QueueSystem } from "./queue.ts";
import type { RunSystem } from "./runs.ts";
import type { ToolSystem } from "./tools.ts";
import type { Tree } from "./tree.ts";
import { createRegistered } from "./workflows.ts";

export interface ApiDeps {
  readonly foundation: Foundation;
  readonly ledger: LedgerSystem;
  readonly hands: ToolSystem;
  readonly guarding: GateSystem;
  readonly running: RunSystem;
  readonly queue: Queue;
  readonly queueing: QueueSystem;
  readonly housekeeping: Housekeeping;
  readonly identity: IdentitySystem;
  readonly tree: Pick<Tree, "now" | "onChange">;
  readonly examplesFolder: string;
  readonly configEntries: LoadedConfig["entries"];
  /** Where people reach this process. */
  readonly origin: () => string;
}

export function createApi(deps: ApiDeps): readonly Route[] {
  const { foundation, guarding, running, identity } = deps;
  const { store, clock, isOwnerDead, secretChanges } = foundation;
  const { holdsSecret } = running;
  return [
    ...runRoutes(deps),
    ...answerRoutes(deps),
    ...recordRoutes(deps),
    ...guarding.policies.routes({ ...running.reader, holdsSecret }),
    ...stateRoutes(deps),
    ...workflowRoutes(deps),
    ...workersRoutes({ store, now: clock.now, isOwnerDead }),
    ...guarding.limiting.routes,
    ...secretsRoutes({ changes: secretChanges, holdsSecret }),
    ...identity.routes,
  ];
}

/** Tasks, and the runs that they become. */
function runRoutes({ foundation, running, tree, examplesFolder }: ApiDeps): readonly Route[] {
  const { clock, config, redactors } = foundation;
  const { submit, reader, engine, holdsSecret } = running;
  const showing = { ...reader, redact: redactors.shown.value, holdsSecret, foldUnheld: engine.foldUnheld };
  return [
    ...tasksRoutes({
      submit,
      listExamples: () => listExamples(examplesFolder),
      loadExample: (name) => loadExample(examplesFolder, name),
      bodyLimitBytes: config.http.bodyLimitBytes,
    }),
    ...runsRoutes({ ...showing, clock }),
    ...runControlRoutes({ ...submit, ...showing }),
    ...streamRoutes({ ...showing, live: engine.live, tree }),
  ];
}

/** Questions to people, and what they said once for many. */
function answerRoutes({ foundation, hands, running, identity, origin }: ApiDeps): readonly Route[] {
  const { store, clock, config, redactors } = foundation;
  const { holdsSecret } = running;
  const { holderOf } = identity.keys;
  const answering = {
    ...{ store, clock, holderOf, holdsSecret, origin },
    redact: redactors.shown.value,
    checkArguments: checkEdits(hands.tools, { holdsSecret }),
    links: config.approvals.links,
  };
  return [
    ...approvalsRoutes(answering),
    ...approvalLinksRoutes(answering),
    ...standingRoutes({ store, clock, holderOf }),
  ];
}

/** What is kept of runs, and proved. */
function recordRoutes({ foundation, running, housekeeping, ledger }: ApiDeps): readonly Route[] {
  const { store, blobs, home } = foundation;
  return [
    ...createArtifactRoutes({
      store,
      readContent: ({ runId: subject, sha256, sizeBytes }) => blobs.get({ subject, sha256, sizeBytes }),
    }),
    ...retentionRoutes({ ...housekeeping.erasure, holdsSecret: running.holdsSecret }),
    ...ledgerRoutes({
      ...{ store, publisher: ledger.publisher },
      verify: (runId) => verifyHome({ home, store, blobs, runId }),
    }),
  ];
}

function stateRoutes(deps: ApiDeps): readonly Route[] {
  const { foundation, guarding, hands, ledger, queue } = deps;
  const { version, home, startedAtMs, clock } = foundation;
  const { policy } = guarding.policies;
  return statusRoutes({
    ...{ version, home: home.folder, startedAtMs, now: clock.now },
    tree: deps.tree.now,
    sandbox: hands.sandbox.report,
    counts: queue.counts,
    ledger: () => ledger.publisher().state(),
    policy: () => ({ revision: policy.current().revision, rules: policy.current().rules.length }),
    config: () => deps.configEntries,
    tools: () => describeTools(hands.tools),
  });
}

/** What starts runs by itself, and what they wait for from outside. */
function workflowRoutes({ foundation, running, queueing, identity }: ApiDeps): readonly Route[] {
  const { store, clock, logger, secrets, secretChanges: changes } = foundation;
  const { workflows: registry, submit, reader, holdsSecret } = running;
  const { timetable } = queueing;
  const registered = { registry, store, clock, logger, secrets, changes, submit, timetable };
  return [
    ...workflowsRoutes(createRegistered({ ...registered, keys: identity.keys })),
    ...queueing.routes,
    ...signalsRoutes({ ...reader, clock, holdsSecret }),
    ...graphRoutes(reader),
  ];
}
