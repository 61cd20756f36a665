/** Lets events that are folded into one state share what is the same in thousands of them, which is most of what a long run weighs. */
import type { ActionIntent, RunEvent } from "./event.ts";

/** Beyond so many different values newer ones are left as they are. */
const mostValues = 1_000;

/**
 * Returns a function that gives each event back with the values of earlier ones in place of equal own ones. What it returns is
 * equal to what it got, and must not be changed in place.
 */
export function createSharing(): (event: RunEvent) => RunEvent {
  const known = new Map<string, unknown>();
  let before: ActionIntent | undefined;
  return (event) => {
    const { body } = event;
    if (body.kind === "action.completed") return { ...event, body: { ...body, labels: share(body.labels) } };
    if (body.kind !== "action.intended") return event;
    const { intent } = body;
    const shared: ActionIntent = {
      ...intent,
      tool: same(before?.tool, intent.tool),
      effect: same(before?.effect, intent.effect),
      resource: same(before?.resource, intent.resource),
      summary: same(before?.summary, intent.summary),
      labels: share(intent.labels),
      decision: share(intent.decision),
    };
    before = shared;
    return { ...event, body: { ...body, intent: shared } };
  };

  function share<T>(value: T): T {
    const text = JSON.stringify(value);
    const first = known.get(text);
    // What is kept under a text has that text, and so the same shape.
    if (first !== undefined) return first as T;
    if (known.size < mostValues) known.set(text, value);
    return value;
  }
}

/** Equal texts of one loop follow each other, and are then one text in memory. */
function same<T extends string>(before: T | undefined, text: T): T {
  return before === text ? before : text;
}
