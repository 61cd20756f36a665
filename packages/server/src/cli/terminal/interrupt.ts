/** Ctrl-C and a time limit as one signal that says which of them came. */
import { systemClock } from "../../base/clock.ts";
import { exitCodes } from "./exit-code.ts";

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** Why `signal` was aborted. */
  reason(): "interrupted" | "timeout" | undefined;
}

/** The second Ctrl-C ends the process at once. */
export function catchInterrupt(timeoutMs: number | undefined): Interrupt {
  const controller = new AbortController();
  let reason: "interrupted" | "timeout" | undefined;
  const end = (why: "interrupted" | "timeout"): void => {
    reason ??= why;
    controller.abort();
  };
  const onSignal = (): void => {
    if (reason === "interrupted") process.exit(exitCodes.interrupted);
    end("interrupted");
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const over = new AbortController();
  if (timeoutMs !== undefined) {
    systemClock.sleep(timeoutMs, over.signal).then(
      () => end("timeout"),
      // Disposed of before its time.
      () => undefined,
    );
  }
  return {
    signal: controller.signal,
    reason: () => reason,
    [Symbol.dispose]() {
      over.abort();
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
