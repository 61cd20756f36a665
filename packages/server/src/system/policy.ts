/** Builds what policy is made of: the files in force, their versions, the shadow beside them, and the routes of all three. */
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Route } from "../http/route.ts";
import { openActivePolicy } from "../policy/force/active-policy.ts";
import type { ActivePolicy } from "../policy/force/active-policy.ts";
import type { PolicyChange } from "../policy/force/policy-holder.ts";
import { decide } from "../policy/rules/decide.ts";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
import { readingRoutes } from "../runs/reading/reading.routes.ts";
import { policyQuestionsRoutes } from "../policy/questions/policy-questions.routes.ts";
import { policyReplayRoutes } from "../policy/questions/policy-replay.routes.ts";
import { policyRoutes } from "../policy/force/policy.routes.ts";
import type { PolicyRoutesDeps } from "../policy/force/policy.routes.ts";
import { openShadow } from "../policy/force/shadow.ts";
import { createPolicyVersions } from "../policy/force/versions.ts";
import type { PolicyVersions } from "../policy/force/versions.ts";
import { countRecordedRuns, readRecordedRuns } from "../runs/proof/recorded-actions.ts";
import type { RunReaderDeps } from "../runs/journal/run-reader.ts";
import type { Store } from "../store/store.ts";
import type { ChildSpec } from "../supervision/child.ts";
import type { Part } from "../supervision/part.ts";
import { createRenewable } from "../supervision/renewable.ts";

export interface PolicySystemDeps {
  /** Of policy.yaml. */
  readonly path: string;
  readonly store: Store;
  /** Other machines may use the same database: then all of them have its newest version in force. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly knownActions: readonly string[];
  /** Writes a fact to the ledger. */
  readonly record: (type: string, data: JsonObject) => void;
}

export interface PolicySystem {
  readonly policy: ActivePolicy;
  /** By the policy in force; the shadow looks on. */
  decide(request: ActionRequest): Decision;
  readonly parts: readonly Part[];
  /** The shadow decides nothing, so it can be made anew at any time. */
  readonly shadow: ChildSpec;
  routes(reader: RunReaderDeps & Pick<PolicyRoutesDeps, "holdsSecret">): readonly Route[];
}

export function openPolicySystem(deps: PolicySystemDeps): PolicySystem {
  const { store, clock, logger, knownActions } = deps;
  const versions = createPolicyVersions(store);
  const { report, kept } = createChronicle(deps, versions);
  const shared = deps.isShared ? { shared: versions } : {};
  const policy = openActivePolicy({ path: deps.path, clock, knownActions, report, ...shared });
  const count = (change: string): void =>
    deps.metrics.count("homeostat_policy_shadow_decisions_total", { change });
  const renewable = createRenewable(() => openShadow({ store, clock, logger, count }));
  const { current: shadow } = renewable;
  return {
    policy,
    decide(request) {
      const decision = decide(policy.current(), request);
      // A question in between, on the way to the answer that counts.
      if (request.transformed !== "all") shadow().observe(request, decision);
      return decision;
    },
    parts: [policy],
    shadow: renewable.child,
    routes(reader) {
      const recorded = {
        countRuns: (query: Parameters<typeof countRecordedRuns>[1]) => countRecordedRuns(reader, query),
        readRuns: (query: Parameters<typeof readRecordedRuns>[1]) => readRecordedRuns(reader, query),
      };
      return [
        ...policyRoutes({
          policy,
          versions,
          kept,
          knownActions,
          holdsSecret: reader.holdsSecret,
        }),
        ...policyQuestionsRoutes({ policy, versions, clock }),
        ...readingRoutes({ policy, tools: knownActions }),
        ...policyReplayRoutes({
          ...{ policy, versions, recorded, clock },
          shadow: {
            set: (files, by) => shadow().set(files, by),
            clear: () => shadow().clear(),
            report: () => shadow().report(),
          },
        }),
      ];
    },
  };
}

/** Every change is told, and a new one kept among the versions. */
function createChronicle(
  { clock, logger, record }: PolicySystemDeps,
  versions: PolicyVersions,
): { readonly report: (change: PolicyChange) => void; readonly kept: () => Promise<void> } {
  let keeping: Promise<void> = Promise.resolve();
  return {
    kept: () => keeping,
    report(change) {
      if (change.kind === "rejected") {
        record("policy.rejected", { kept: change.kept, findings: change.findings.length });
        logger.info(change, "policy rejected");
        return;
      }
      const { files, ...shown } = change;
      logger.info(shown, "policy activated");
      const { revision, rules, by, note, version } = change;
      if (version !== null) return;
      const activated = { revision, rules, by, note, files, atMs: clock.now() };
      keeping = versions.add(activated).catch((error: unknown) => {
        // It is in force all the same; the store's own health tells the operator.
        logger.error(
          { revision, error: errorMessage(error) },
          "a policy could not be kept among the versions",
        );
      });
    },
  };
}
