/** Bounds how many programs run at once and how many may wait for it. */
import { HomeostatError } from "../base/error.ts";

export interface Slots {
  /**
   * Resolves, in the order of asking, with the function that frees the place again. Rejects SANDBOX_BUSY at once when too
   * many wait already, and with the signal's reason when it is aborted while waiting.
   */
  take(signal: AbortSignal): Promise<() => void>;
}

export interface SlotBounds {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

export function createSlots({ maxRunning, maxWaiting }: SlotBounds): Slots {
  const waiting: (() => void)[] = [];
  let running = 0;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next(); // the place goes on to the next one
  };
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (running < maxRunning) running += 1;
      else if (waiting.length >= maxWaiting) throw busy(maxRunning, maxWaiting);
      else await waitForTurn(waiting, signal);
      return release;
    },
  };
}

function waitForTurn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = (): void => {
      waiting.splice(waiting.indexOf(go), 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", leave, { once: true });
    waiting.push(go);
  });
}

function busy(maxRunning: number, maxWaiting: number): HomeostatError {
  return new HomeostatError("SANDBOX_BUSY", `${maxRunning} programs run and ${maxWaiting} wait already`, {
    maxRunning,
    maxWaiting,
    transient: true,
  });
}
