/** Lets one loop sleep until something may be to do. */
import type { Clock } from "../base/clock.ts";

export interface Bell {
  /** Wakes the sleeper; a ring while nobody sleeps is heard by the next. */
  readonly ring: () => void;
  /** Resolves after a ring or after `ms`. One sleeper at a time. */
  wait(ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let hasRung = false;
  let sleeper: AbortController | undefined;
  return {
    ring() {
      hasRung = true;
      sleeper?.abort();
    },
    async wait(ms) {
      if (!hasRung) {
        sleeper = new AbortController();
        // A sleep that was cut short is what a ring is for.
        await clock.sleep(ms, sleeper.signal).catch(() => {});
        sleeper = undefined;
      }
      hasRung = false;
    },
  };
}
