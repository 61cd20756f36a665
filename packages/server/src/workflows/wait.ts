/** When a `wait` step ends. */
import { durationForm, parseDuration } from "../base/duration.ts";
import { HomeostatError } from "../base/error.ts";
import type { Scope } from "../expression/expression.ts";
import { renderValue } from "../expression/template-value.ts";
import { isTime } from "./wait-kind.ts";
import type { StepPlace, TimeWait } from "./workflow.ts";

/** Milliseconds since 1970, given when the wait began. Throws EXPRESSION_INVALID when a template gives no duration or time. */
export function waitEndsAt(
  step: { readonly wait: TimeWait; readonly place: StepPlace },
  scope: Scope,
  beganAt: number,
): number {
  const { kind, value } = step.wait;
  const rendered = renderValue(value, scope);
  if (typeof rendered === "string") {
    const durationMs = kind === "for" ? parseDuration(rendered) : undefined;
    if (durationMs !== undefined) return beganAt + durationMs;
    if (kind === "until" && isTime(rendered)) return Date.parse(rendered);
  }
  const wanted = kind === "for" ? durationForm : "a time such as 2026-01-31T09:00:00Z";
  const path = `${step.place.path}.wait.${kind}`;
  const shown = JSON.stringify(rendered)?.slice(0, 80);
  throw new HomeostatError(
    "EXPRESSION_INVALID",
    `${path}: expected ${wanted}, got ${shown}`,
    {},
    { place: step.place },
  );
}
