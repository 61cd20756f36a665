/** How a step ended for now, as the interpreter passes it up: done, stuck on something outside, or failed. */
import type { JsonValue } from "../base/canonical-json.ts";
import type { WaitingFor } from "../queue/task.ts";
import type { RunError } from "./event.ts";

export type StepResult =
  | { readonly kind: "done"; readonly output: JsonValue }
  | { readonly kind: "wait"; readonly waiting: WaitingFor }
  /** A signal (pause, cancel) or shutdown asks the worker to let go between steps. */
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly error: RunError; readonly transient: boolean };

export function failed(error: RunError, transient = false): StepResult {
  return { kind: "failed", error, transient };
}
