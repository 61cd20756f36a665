/** Every call of the dashboard to the server, one function each, over the typed client. The session cookie says who asks. */
import { addressOf, createClient, type Client } from "@homeostat/client";
import type {
  Approval,
  Artifact,
  CheckResult,
  ConfigRow,
  Decision,
  Example,
  LedgerRow,
  LedgerState,
  Page,
  PolicyView,
  RunCommand,
  RunDetail,
  RunEvent,
  RunSummary,
  Session,
  SystemStatus,
  TaskSubmission,
  VerifyReport,
} from "./contract.ts";

interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string | undefined;
}
interface RunsQuery extends PageQuery {
  /** Comma-separated; empty for every state. */
  readonly state?: string;
  /** Empty for every workflow. */
  readonly workflow?: string;
  readonly label?: string | undefined;
  readonly parent?: string | undefined;
}

export const client = createClient({ baseUrl: "" });

/** Each rejects with an ApiError. */
export const api = {
  session: (signal?: AbortSignal): Promise<Session> => client.call("session.get", { signal }),
  signIn: (token: string): Promise<Session> => createClient({ baseUrl: "", token }).call("session.create"),
  signOut: (): Promise<undefined> => client.call("session.delete"),

  runs: ({ state, workflow, ...rest }: RunsQuery, signal?: AbortSignal): Promise<Page<RunSummary>> =>
    client.call("runs.list", {
      query: { ...rest, state: state || undefined, workflow: workflow || undefined },
      signal,
    }),
  run: (id: string, signal?: AbortSignal): Promise<RunDetail> =>
    client.call("runs.get", { params: { id }, signal }),
  runEvents: (id: string, after: number, signal?: AbortSignal): Promise<Page<RunEvent>> =>
    client.call("runs.events", { params: { id }, query: { after, limit: 200 }, signal }),
  commandRun: (id: string, command: RunCommand, reason?: string): Promise<RunSummary> =>
    client.call(`runs.${command}`, { params: { id }, body: reason === undefined ? {} : { reason } }),
  submit: (task: TaskSubmission): Promise<RunSummary> =>
    client.call("tasks.submit", { body: task, idempotencyKey: randomKey() }),

  approvals: (status: "waiting" | "all", cursor?: string, signal?: AbortSignal): Promise<Page<Approval>> =>
    client.call("approvals.list", { query: { status, limit: 100, cursor }, signal }),
  approval: (id: string): Promise<Approval> => client.call("approvals.get", { params: { id } }),
  decide: (id: string, decision: Decision): Promise<Approval> =>
    client.call("approvals.decide", { params: { id }, body: decision }),

  artifacts: (query: PageQuery, signal?: AbortSignal): Promise<Page<Artifact>> =>
    client.call("artifacts.list", { query, signal }),

  ledger: (signal?: AbortSignal): Promise<LedgerState> => client.call("ledger.get", { signal }),
  ledgerEntries: async (from: number, limit: number, signal?: AbortSignal): Promise<Page<LedgerRow>> => {
    const page = await client.call("ledger.entries", { query: { from, limit }, signal });
    // Entries are open objects in the document; LedgerRow names what every version of them has.
    return page as unknown as Page<LedgerRow>;
  },
  verify: (run?: string): Promise<VerifyReport> =>
    client.call("ledger.verify", { body: run === undefined ? {} : { run } }),

  policy: (signal?: AbortSignal): Promise<PolicyView> => client.call("policy.get", { signal }),
  checkPolicy: (text: string): Promise<CheckResult> => client.call("policy.check", { body: { text } }),
  checkWorkflow: (workflow: string, signal?: AbortSignal): Promise<CheckResult> =>
    client.call("workflows.check", { body: { workflow }, signal }),

  examples: (signal?: AbortSignal): Promise<{ readonly data: readonly Example[] }> =>
    client.call("examples.list", { signal }),
  status: (signal?: AbortSignal): Promise<SystemStatus> => client.call("status.get", { signal }),
  config: (signal?: AbortSignal): Promise<{ readonly data: readonly ConfigRow[] }> =>
    client.call("config.get", { signal }),
};

type Stream = ReturnType<Client["stream"]>;
export type StreamEvent = Stream extends AsyncGenerator<infer Event, void, undefined> ? Event : never;

export interface StreamOptions {
  /** Go on after this event id. */
  readonly after: string | number | undefined;
  readonly signal: AbortSignal;
  readonly onState: (state: "live" | "waiting") => void;
}

/** Opens a live stream; iterating it connects. */
export type OpenStream = (options: StreamOptions) => Stream;

export function openAllStream(options: StreamOptions): Stream {
  return client.stream("stream.all", options);
}

export function openRunStream(id: string): OpenStream {
  return (options) => client.stream("runs.stream", { params: { id }, ...options });
}

/** The address of an artifact's bytes; `inline` for showing inside the page. */
export function artifactAddress(id: string, inline: boolean): string {
  return addressOf("artifacts.content", { params: { id }, query: inline ? { inline: 1 } : {} });
}

/** Text of an artifact, cut at `limitBytes`. */
export async function artifactText(id: string, limitBytes: number, signal: AbortSignal): Promise<string> {
  const bytes = await client.call("artifacts.content", { params: { id }, query: { inline: 1 }, signal });
  return new TextDecoder().decode(bytes.subarray(0, limitBytes));
}

/** 128 random bits. Not randomUUID: that exists only on https and localhost, and a LAN address is neither. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
