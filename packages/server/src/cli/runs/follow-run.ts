/** Watches a run until it ends or waits for a person, handing on each event. */
import type { Client } from "@homeostat/client";
import type { RunEvent, RunSummary } from "@homeostat/client/api";

export interface FollowOptions {
  readonly client: Client;
  readonly runId: string;
  /** Events with a higher seq only. */
  readonly after: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  readonly onProgress?: (step: string, text: string) => void;
  /** True: `wait` goes on while a person is asked. */
  readonly throughApprovals: boolean;
}

/** How the watching ended. `aborted`: the signal came first; the run goes on. */
export type Followed = "ended" | "waiting" | "aborted";

/** Throws ApiError when the stream cannot be had; short breaks are bridged by the client. */
export async function followRun(options: FollowOptions): Promise<Followed> {
  const { client, runId, signal } = options;
  const stream = client.stream("runs.stream", {
    params: { id: runId },
    query: {},
    after: options.after,
    signal,
  });
  for await (const { event, data } of stream) {
    if (event === "end") return "ended";
    // The server's own routes write these events with these shapes.
    if (event === "state") {
      if (!options.throughApprovals && waitsForPerson(data as RunSummary)) return "waiting";
    } else if (event === "progress") {
      const { step, text } = data as { readonly step: string; readonly text: string };
      options.onProgress?.(step, text);
    } else options.onEvent(data as RunEvent);
  }
  return signal.aborted ? "aborted" : "ended";
}

function waitsForPerson({ state, waitingFor }: RunSummary): boolean {
  return state === "WAITING" && (waitingFor?.kind === "approval" || waitingFor?.kind === "outcome");
}
