/** One line of what `doctor` found. */
import { errorMessage, isHomeostatError } from "../../base/error.ts";

/** `warning`: it works, with less; `failed`: something will not work. */
export interface Diagnosis {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly hint?: string;
}

/** What was thrown while looking, with its own hint where it has one. */
export function failed(name: string, error: unknown): Diagnosis {
  const hint = isHomeostatError(error) ? { hint: error.hint } : {};
  return { name, state: "failed", detail: errorMessage(error), ...hint };
}
