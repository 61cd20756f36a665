/** Looks at the health of children: one that stays failed has broken down, even when nothing in it threw. */
import type { Clock } from "../base/clock.ts";
import type { Child } from "./child.ts";
import type { Part } from "./part.ts";

export interface HealthWatch {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly everyMs: number;
  readonly patienceMs: number;
  /** Told when a child's health is of another kind than at the last look. */
  readonly changed: () => void;
}

/** Resolves when the signal is aborted. */
export async function watchHealth(children: readonly Child[], watch: HealthWatch): Promise<void> {
  const { clock, signal } = watch;
  const unwellSince = new Map<Part, number>();
  let seen = "";
  while (!signal.aborted) {
    const kinds: string[] = [];
    for (const child of children) {
      const looked = child.look();
      kinds.push(looked?.health.kind ?? "absent");
      if (looked === undefined) continue;
      const { part, health } = looked;
      if (health.kind !== "failed" || health.needsPerson === true) {
        unwellSince.delete(part);
        continue;
      }
      const sinceMs = unwellSince.get(part) ?? clock.monotonic();
      unwellSince.set(part, sinceMs);
      if (clock.monotonic() - sinceMs < watch.patienceMs) continue;
      unwellSince.delete(part);
      child.broke(part, new Error(health.detail));
    }
    const kindsText = kinds.join(" ");
    if (kindsText !== seen) watch.changed();
    seen = kindsText;
    // Aborted when the supervisor stops.
    await clock.sleep(watch.everyMs, signal).catch(() => undefined);
  }
}
