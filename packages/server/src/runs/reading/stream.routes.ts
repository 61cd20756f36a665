/** Live routes: one run's events with resume, and what changes anywhere. The journal is read; the hub only wakes. */
import { z } from "zod";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { isOwner } from "../../http/access.ts";
import type { Principal } from "../../http/access.ts";
import type { SseStream } from "../../http/sse.ts";
import { isEnded } from "../../queue/task.ts";
import { createRunChanges } from "./run-changes.ts";
import type { RunChanges } from "./run-changes.ts";
import { attend, createBell } from "../../supervision/mailbox.ts";
import type { Mailbox } from "../../supervision/mailbox.ts";
import { changesBetween, placesOf } from "../../supervision/tree-changes.ts";
import type { TreeNode } from "../../supervision/part.ts";
import { createApprovalWatch } from "./approval-watch.ts";
import { requireRun } from "../control/control.ts";
import type { LiveRuns } from "../session/live.ts";
import { readEvents } from "../journal/run-reader.ts";
import type { RunReaderDeps } from "../journal/run-reader.ts";
import { viewApproval, viewEvent, viewRun } from "../views/views.ts";
import type { Redact } from "../views/views.ts";

export interface StreamRoutesDeps extends RunReaderDeps {
  readonly live: LiveRuns;
  readonly redact: Redact;
  /** The supervision tree of this process; without it nothing is told of parts. */
  readonly tree?: { readonly now: () => TreeNode; readonly onChange: (listener: () => void) => () => void };
}

const pageSize = 200;

export function streamRoutes(deps: StreamRoutesDeps): readonly Route[] {
  const changes = createRunChanges(deps);
  return [
    route({
      method: "GET",
      path: "/v1/runs/{id}/stream",
      operationId: "runs.stream",
      summary: "A run's events as they happen",
      description:
        "Event name = kind, id = seq; resume with Last-Event-ID or `after`. Also `state` (the run's summary), `progress` and, last, `end`.",
      tags: ["runs"],
      access: "viewer",
      params: z.object({ id: z.string().min(1).max(64) }),
      query: z.object({ after: z.coerce.number().int().min(0).default(0) }),
      response: "sse",
      handle: async ({ params: { id }, query, principal: { tenant } }, stream) => {
        await requireRun(deps.store, tenant, id);
        const resumed = Number(stream.lastEventId);
        const after = Number.isSafeInteger(resumed) ? resumed : query.after;
        await streamRun({ ...deps, changes }, { runId: id, tenant, after }, stream);
      },
    }),
    route({
      method: "GET",
      path: "/v1/stream",
      operationId: "stream.all",
      summary: "Runs and approvals as they change",
      description:
        "Events `run` (a run's summary), `approval` and, for admins, `part` (a place of the supervision tree). Nothing is replayed: read the lists first.",
      tags: ["runs"],
      access: "viewer",
      response: "sse",
      handle: ({ principal }, stream) => streamAll({ ...deps, changes }, principal, stream),
    }),
  ];
}

/** What comes while a page is read is heard once; the end of the stream ends the waiting. */
function bellOf({ signal }: SseStream): Mailbox<"news"> {
  const bell = createBell();
  // Whoever went away while they were being let in: the event has been and does not come again.
  if (signal.aborted) bell.close();
  signal.addEventListener("abort", bell.close, { once: true });
  return bell;
}

async function streamRun(
  deps: StreamRoutesDeps & { readonly changes: RunChanges },
  { runId, tenant, after }: { readonly runId: string; readonly tenant: string; readonly after: number },
  stream: SseStream,
): Promise<void> {
  const bell = bellOf(stream);
  // Subscribed before the first read, so that nothing falls between reading and listening.
  // By one reader for all pages: the journal grows with every step of every run.
  const stopChanges = await deps.changes.subscribe((row) => {
    if (row.id === runId) bell.offer("news");
  });
  const stopLive = deps.live.subscribe(runId, (message) => {
    if (message.kind === "progress") {
      stream.send({ event: "progress", data: { step: message.step, text: deps.redact(message.text) } });
    } else bell.offer("news");
  });
  try {
    stream.open();
    let last = after;
    let shownState = "";
    while (!stream.signal.aborted) {
      const events = await readEvents(deps, { runId, afterSeq: last, limit: pageSize });
      for (const event of events) {
        stream.send({ event: event.body.kind, id: event.seq, data: viewEvent(event, deps.redact) });
        last = event.seq;
      }
      await stream.drained();
      if (events.length === pageSize) continue;
      const row = await requireRun(deps.store, tenant, runId);
      if (row.headSeq > last) continue;
      const summary = viewRun(row);
      const text = JSON.stringify(summary);
      if (text !== shownState) stream.send({ event: "state", data: summary });
      shownState = text;
      if (isEnded(row.state)) {
        stream.send({ event: "end", data: { state: row.state } });
        return;
      }
      await bell.take();
    }
  } finally {
    stopChanges();
    stopLive();
  }
}

async function streamAll(
  deps: StreamRoutesDeps & { readonly changes: RunChanges },
  { tenant, role }: Principal,
  stream: SseStream,
): Promise<void> {
  const bell = bellOf(stream);
  const stopTree = role === "admin" && isOwner({ tenant }) ? sendParts(deps.tree, stream) : () => undefined;
  const watch = createApprovalWatch(deps.store, tenant);
  const stopCommits = deps.store.onCommit("approvals", () => void bell.offer("news"));
  // From the database, not from the hub: the run may be driven by another process.
  const stopChanges = await deps.changes.subscribe((row) => {
    if (row.tenant === tenant) stream.send({ event: "run", data: viewRun(row) });
  });
  try {
    stream.open();
    // What is there already stands in the lists.
    await watch.look();
    await attend(bell, async () => {
      for (const approval of await watch.look())
        stream.send({ event: "approval", data: viewApproval(approval, deps.redact) });
    });
  } finally {
    stopCommits();
    stopChanges();
    stopTree();
  }
}

/** Tells of every place that looks different; runs come and go too often to be told one by one, and are told as runs. */
function sendParts(tree: StreamRoutesDeps["tree"], stream: SseStream): () => void {
  if (tree === undefined) return () => undefined;
  let shown = placesOf(tree.now());
  return tree.onChange(() => {
    const places = placesOf(tree.now());
    for (const change of changesBetween(shown, places)) {
      if (!("kind" in change) || change.kind !== "run") stream.send({ event: "part", data: change });
    }
    shown = places;
  });
}
