/** Builds what stands before every action: policy, limits, remembered answers, and the gate that asks them all. */
import { findStanding } from "../approvals/standing.ts";
import type { JsonValue } from "../base/canonical-json.ts";
import { createGate } from "../gate/gate.ts";
import type { Gate } from "../gate/gate.ts";
import { createPermitOffice } from "../gate/permit.ts";
import type { PermitOffice } from "../gate/permit.ts";
import type { VisibleRateLimiter } from "../guards/rate-limit.ts";
import type { ApiKeys } from "../identity/api-keys.ts";
import type { Foundation } from "./foundation.ts";
import { openLimits } from "./limits.ts";
import type { LimitSystem } from "./limits.ts";
import { openPolicySystem } from "./policy.ts";
import type { PolicySystem } from "./policy.ts";

export interface GateSystem {
  readonly gate: Gate;
  readonly permits: PermitOffice;
  readonly policies: PolicySystem;
  readonly limiting: LimitSystem;
}

export interface GateSystemDeps {
  readonly knownActions: readonly string[];
  /** Of this process, or of all through Redis. */
  readonly limiter: VisibleRateLimiter;
  readonly keys: Pick<ApiKeys, "holderOf">;
}

/** Throws POLICY_INVALID. */
export function openGate(
  foundation: Foundation,
  { knownActions, limiter, keys }: GateSystemDeps,
): GateSystem {
  const { config, home, store, clock, metrics, secrets, redactors } = foundation;
  const isShared = config.databaseUrl !== undefined;
  const policies = openPolicySystem({ ...foundation, path: home.policy, isShared, knownActions });
  const limiting = openLimits({ ...foundation, limiter });
  const permits = createPermitOffice();
  const gate = createGate({
    ...{ clock, permits, decide: policies.decide, limits: limiting.limits, breaker: limiting.breaker },
    pinSecrets: secrets.pin,
    findStanding: (question) => findStanding({ store, clock, holderOf: keys.holderOf }, question),
    defaultIsolation: config.sandbox.minimum,
    redact(value, isPersonalToo) {
      const redactor = isPersonalToo ? redactors.personal : redactors.recorded;
      // A JSON value stays one: only strings in it change.
      return redactor.value(value) as JsonValue;
    },
    observe: (_tool, effect) => metrics.count("homeostat_gate_decisions_total", { effect }),
    maxOutputBytes: 4 * 1024 * 1024,
  });
  return { gate, permits, policies, limiting };
}
