/** Stops calling what keeps failing: closed, open for a while, then one probe decides. One breaker per target name. */
import type { Clock } from "../base/clock.ts";

export interface CircuitBreaker {
  /** Undefined when a call may go; otherwise the wall time when the next probe is let through. */
  blockedUntilMs(target: string): number | undefined;
  succeeded(target: string): void;
  failed(target: string): void;
  /** The call ended without saying anything about the target (cancelled, lease lost): the next call may be the probe. */
  released(target: string): void;
  /** Forgets what has failed, so that the next call goes: of this target, or of all. The targets it knew. */
  reset(target?: string): readonly string[];
  /** Targets that have failed lately, for people. */
  states(): readonly CircuitState[];
}

export interface CircuitState {
  readonly target: string;
  /** `counting`: below the limit; `open`: nothing is let through; `probing`: one call decides. */
  readonly state: "counting" | "open" | "probing";
  readonly failures: number;
  readonly openUntilMs: number | null;
}

/** Times are monotonic: a wall clock set back must not keep a target closed for as long as it was set back. */
interface Circuit {
  failures: number;
  openUntilMs: number;
  /** A probe nobody hears of again (its process let go) is only good until then. */
  probeUntilMs: number;
}

/** `failuresToOpen` consecutive failures open the circuit for `openMs`; at most `maxTargets` are remembered, oldest dropped. */
export function createCircuitBreaker(deps: {
  readonly clock: Clock;
  readonly failuresToOpen?: number;
  readonly openMs?: number;
  readonly maxTargets?: number;
  /** Told when a circuit opened, closed or was reset; that its time is up is seen by the clock alone. Must not throw or block. */
  readonly onChange?: () => void;
}): CircuitBreaker {
  const { clock, failuresToOpen = 5, openMs = 30_000, maxTargets = 1_000, onChange = () => undefined } = deps;
  const circuits = new Map<string, Circuit>();
  const wallOf = (monotonicMs: number): number => Math.ceil(clock.now() + (monotonicMs - clock.monotonic()));
  return {
    blockedUntilMs(target) {
      const circuit = circuits.get(target);
      if (circuit === undefined || circuit.failures < failuresToOpen) return undefined;
      const nowMs = clock.monotonic();
      if (nowMs < circuit.openUntilMs) return wallOf(circuit.openUntilMs);
      if (nowMs < circuit.probeUntilMs) return wallOf(circuit.probeUntilMs);
      circuit.probeUntilMs = nowMs + openMs;
      return undefined;
    },
    succeeded(target) {
      const was = circuits.get(target);
      circuits.delete(target);
      if (was !== undefined && was.failures >= failuresToOpen) onChange();
    },
    failed(target) {
      const circuit = circuits.get(target) ?? { failures: 0, openUntilMs: 0, probeUntilMs: 0 };
      circuit.failures += 1;
      circuit.probeUntilMs = 0;
      if (circuit.failures >= failuresToOpen) circuit.openUntilMs = clock.monotonic() + openMs;
      circuits.delete(target);
      circuits.set(target, circuit);
      if (circuits.size > maxTargets) circuits.delete(circuits.keys().next().value!);
      if (circuit.failures >= failuresToOpen) onChange();
    },
    released(target) {
      const circuit = circuits.get(target);
      if (circuit !== undefined) circuit.probeUntilMs = 0;
    },
    reset(target) {
      const known =
        target === undefined ? [...circuits.keys()] : [target].filter((each) => circuits.has(each));
      for (const each of known) circuits.delete(each);
      if (known.length > 0) onChange();
      return known;
    },
    states: () =>
      [...circuits].map(([target, { failures, openUntilMs }]) => {
        if (failures < failuresToOpen) return { target, state: "counting", failures, openUntilMs: null };
        const state = clock.monotonic() < openUntilMs ? "open" : "probing";
        return { target, state, failures, openUntilMs: wallOf(openUntilMs) };
      }),
  };
}
