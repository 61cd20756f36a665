/** Stops calling what keeps failing: closed, open for a while, then one probe decides. One breaker per target name. */
import type { Clock } from "../base/clock.ts";

export interface CircuitBreaker {
  /** Undefined when a call may go; otherwise the wall time when the next probe is let through. */
  blockedUntilMs(target: string): number | undefined;
  succeeded(target: string): void;
  failed(target: string): void;
}

interface Circuit {
  failures: number;
  openUntilMs: number;
  probing: boolean;
}

/** `failuresToOpen` consecutive failures open the circuit for `openMs`; at most `maxTargets` are remembered, oldest dropped. */
export function createCircuitBreaker(deps: {
  readonly clock: Clock;
  readonly failuresToOpen?: number;
  readonly openMs?: number;
  readonly maxTargets?: number;
}): CircuitBreaker {
  const { clock, failuresToOpen = 5, openMs = 30_000, maxTargets = 1_000 } = deps;
  const circuits = new Map<string, Circuit>();
  return {
    blockedUntilMs(target) {
      const circuit = circuits.get(target);
      if (circuit === undefined || circuit.failures < failuresToOpen) return undefined;
      if (clock.now() < circuit.openUntilMs) return circuit.openUntilMs;
      if (circuit.probing) return clock.now() + openMs;
      circuit.probing = true;
      return undefined;
    },
    succeeded(target) {
      circuits.delete(target);
    },
    failed(target) {
      const circuit = circuits.get(target) ?? { failures: 0, openUntilMs: 0, probing: false };
      circuit.failures += 1;
      circuit.probing = false;
      if (circuit.failures >= failuresToOpen) circuit.openUntilMs = clock.now() + openMs;
      circuits.delete(target);
      circuits.set(target, circuit);
      if (circuits.size > maxTargets) circuits.delete(circuits.keys().next().value!);
    },
  };
}
