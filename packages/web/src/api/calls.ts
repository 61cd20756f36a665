/** Every call of the dashboard to the server, one function each. The session cookie says who asks. */
import type {
  Approval,
  ApprovalAnswer,
  Artifact,
  CheckResult,
  ConfigRow,
  Example,
  LedgerRow,
  LedgerState,
  Page,
  PolicyView,
  RunDetail,
  RunEvent,
  RunSummary,
  Session,
  SystemStatus,
  TaskSubmission,
  VerifyReport,
} from "./contract.ts";
import { parseProblem, ProblemError, unreachable } from "./problem.ts";

export type RunCommand = "pause" | "resume" | "cancel" | "retry" | "discard";
type Query = Readonly<Record<string, string | number | undefined>>;
interface Options {
  readonly method?: string;
  readonly body?: unknown;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Each rejects with a ProblemError. */
export const api = {
  session: (signal?: AbortSignal): Promise<Session> => call("/v1/session", withSignal(signal)),
  signIn: (token: string): Promise<Session> =>
    call("/v1/session", { method: "POST", headers: { authorization: `Bearer ${token}` } }),
  signOut: (): Promise<unknown> => call("/v1/session", { method: "DELETE" }),

  runs: (query: Query, signal?: AbortSignal): Promise<Page<RunSummary>> =>
    call("/v1/runs", { query, ...withSignal(signal) }),
  run: (id: string, signal?: AbortSignal): Promise<RunDetail> => call(runPath(id), withSignal(signal)),
  runEvents: (id: string, after: number, signal?: AbortSignal): Promise<Page<RunEvent>> =>
    call(`${runPath(id)}/events`, { query: { after, limit: 500 }, ...withSignal(signal) }),
  commandRun: (id: string, command: RunCommand, reason?: string): Promise<RunSummary> =>
    call(`${runPath(id)}/${command}`, { method: "POST", body: reason ? { reason } : {} }),
  submit: (task: TaskSubmission): Promise<RunSummary> =>
    call("/v1/tasks", { method: "POST", body: task, headers: { "idempotency-key": randomKey() } }),

  approvals: (status: "waiting" | "all", cursor?: string, signal?: AbortSignal): Promise<Page<Approval>> =>
    call("/v1/approvals", { query: { status, limit: 100, cursor }, ...withSignal(signal) }),
  approval: (id: string): Promise<Approval> => call(`/v1/approvals/${encodeURIComponent(id)}`),
  decide: (id: string, decision: Decision): Promise<Approval> =>
    call(`/v1/approvals/${encodeURIComponent(id)}/decision`, { method: "POST", body: decision }),

  artifacts: (query: Query, signal?: AbortSignal): Promise<Page<Artifact>> =>
    call("/v1/artifacts", { query, ...withSignal(signal) }),

  ledger: (signal?: AbortSignal): Promise<LedgerState> => call("/v1/ledger", withSignal(signal)),
  ledgerEntries: (from: number, limit: number, signal?: AbortSignal): Promise<Page<LedgerRow>> =>
    call("/v1/ledger/entries", { query: { from, limit }, ...withSignal(signal) }),
  verify: (run?: string): Promise<VerifyReport> =>
    call("/v1/ledger/verify", { method: "POST", body: run === undefined ? {} : { run } }),

  policy: (signal?: AbortSignal): Promise<PolicyView> => call("/v1/policy", withSignal(signal)),
  checkPolicy: (text: string): Promise<CheckResult> =>
    call("/v1/policy/check", { method: "POST", body: { text } }),
  checkWorkflow: (workflow: string, signal?: AbortSignal): Promise<CheckResult> =>
    call("/v1/workflows/check", { method: "POST", body: { workflow }, ...withSignal(signal) }),

  examples: (signal?: AbortSignal): Promise<{ readonly data: readonly Example[] }> =>
    call("/v1/examples", withSignal(signal)),
  status: (signal?: AbortSignal): Promise<SystemStatus> => call("/v1/status", withSignal(signal)),
  config: (signal?: AbortSignal): Promise<{ readonly data: readonly ConfigRow[] }> =>
    call("/v1/config", withSignal(signal)),
};

export interface Decision {
  readonly answer: ApprovalAnswer;
  readonly reason?: string;
  /** Only with `happened`: the output the lost action had. */
  readonly result?: unknown;
}

/** The address of an artifact's bytes; `inline` for showing inside the page. */
export function artifactAddress(id: string, inline: boolean): string {
  return `/v1/artifacts/${encodeURIComponent(id)}/content${inline ? "?inline=1" : ""}`;
}

/** Text of an artifact, cut at `limitBytes`. */
export async function artifactText(id: string, limitBytes: number, signal: AbortSignal): Promise<string> {
  const response = await fetchOrProblem(artifactAddress(id, true), { signal });
  if (!response.ok) throw new ProblemError(parseProblem(response.status, await bodyOf(response)));
  const bytes = new Uint8Array(await response.arrayBuffer());
  return new TextDecoder().decode(bytes.subarray(0, limitBytes));
}

async function call<Answer>(path: string, options: Options = {}): Promise<Answer> {
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const response = await fetchOrProblem(path + queryText(options.query), {
    method: options.method ?? "GET",
    headers,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...withSignal(options.signal),
  });
  const body = await bodyOf(response);
  if (!response.ok) throw new ProblemError(parseProblem(response.status, body));
  // The server answers by the same contract (its own tests prove that against openapi.json).
  return body as Answer;
}

async function fetchOrProblem(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (init.signal?.aborted === true) throw cause;
    throw new ProblemError(unreachable(cause));
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A proxy's error page, for example; the status alone then has to speak.
    return undefined;
  }
}

function queryText(query: Query = {}): string {
  const entries = Object.entries(query).filter((entry) => entry[1] !== undefined && entry[1] !== "");
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()}`;
}

function runPath(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** 128 random bits. Not randomUUID: that exists only on https and localhost, and a LAN address is neither. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
