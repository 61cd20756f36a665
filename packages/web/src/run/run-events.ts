/** The journal of a run as the Events view holds it. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "../api/calls.ts";
import type { RunEvent } from "../api/contract.ts";

/** More than a person reads; the command line and the API give the rest. */
export const mostEvents = 10_000;

export function eventsKey(runId: string): readonly string[] {
  return ["run-events", runId];
}

export function runEventsQuery(runId: string) {
  return queryOptions({
    queryKey: eventsKey(runId),
    queryFn: async ({ signal }) => {
      const events: RunEvent[] = [];
      for (;;) {
        const page = await api.runEvents(runId, events.at(-1)?.seq ?? 0, signal);
        events.push(...page.data);
        if (page.nextCursor === null || page.data.length === 0 || events.length >= mostEvents) return events;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The list with the event at its end; unchanged for one it has; null when events between are missing. */
export function appendEvent(known: readonly RunEvent[], event: RunEvent): readonly RunEvent[] | null {
  const lastSeq = known.at(-1)?.seq ?? 0;
  if (event.seq <= lastSeq) return known;
  return event.seq === lastSeq + 1 ? [...known, event] : null;
}

export interface EventFilter {
  /** Empty: every kind. */
  readonly kind: string;
  /** Looked for in step, kind, digest and body, ignoring case; empty shows all. */
  readonly text: string;
}

export function filterEvents(events: readonly RunEvent[], filter: EventFilter): readonly RunEvent[] {
  const text = filter.text.trim().toLowerCase();
  return events.filter((event) => {
    if (filter.kind !== "" && event.kind !== filter.kind) return false;
    if (text === "") return true;
    const all = `${event.seq} ${event.kind} ${event.step ?? ""} ${event.digest} ${JSON.stringify(event.body)}`;
    return all.toLowerCase().includes(text);
  });
}

/** Each kind with its count, most frequent first. */
export function countKinds(events: readonly RunEvent[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
