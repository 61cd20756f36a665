/** Lets events that are folded into one state share what is the same in thousands of them, which is most of what a long run weighs. */
import type { RunEvent } from "./event.ts";

/** Beyond so many different values newer ones are left as they are. */
const mostValues = 1_000;

/**
 * Returns a function that gives each event back with the values of earlier ones in place of equal own ones. What it returns is
 * equal to what it got, and must not be changed in place.
 */
export function createSharing(): (event: RunEvent) => RunEvent {
  const known = new Map<string, unknown>();
  return (event) => {
    const { body } = event;
    if (body.kind !== "action.intended") return event;
    const { intent } = body;
    const shared = {
      ...intent,
      tool: share(intent.tool),
      labels: share(intent.labels),
      decision: share(intent.decision),
    };
    return { ...event, body: { ...body, intent: shared } };
  };

  function share<T>(value: T): T {
    const text = JSON.stringify(value);
    const before = known.get(text);
    // What is kept under a text has that text, and so the same shape.
    if (before !== undefined) return before as T;
    if (known.size < mostValues) known.set(text, value);
    return value;
  }
}
