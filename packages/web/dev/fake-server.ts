/** A fake of Homeostat's API for work on the dashboard: `node dev/fake-server.ts [--port 7718] [--empty] [--slow 3] [--dist]`. Never shipped. */
import { createReadStream, existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import type { Approval, CheckResult, RunSummary } from "../src/api/contract.ts";
import { config, ledgerEntries, ledgerState, policy, systemStatus, verifyReport } from "./fake-facts.ts";
import {
  apiKeys,
  deadLetter,
  deadLetters,
  delegations,
  graphOf,
  limitLevels,
  policyVersions,
  queueLevels,
  scheduleDetail,
  schedules,
  secrets,
  standingApprovals,
  workers,
  workflowDetail,
  workflows,
} from "./fake-operations.ts";
import { addEvent, iso, setWaiting, type FakeRun } from "./fake-run.ts";
import { workflowText } from "./fake-texts.ts";
import { createWorld, decide } from "./fake-world.ts";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "7718" },
    empty: { type: "boolean", default: false },
    slow: { type: "string", default: "1" },
    dist: { type: "boolean", default: false },
    broken: { type: "boolean", default: false },
  },
});
const world = createWorld(flags.empty, Number(flags.slow));
const sessions = new Set<string>();
const token = "fake";

type Handler = (request: Request) => unknown;
interface Request {
  readonly url: URL;
  readonly body: Record<string, unknown>;
  readonly parts: readonly string[];
}

class Problem extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const routes: readonly (readonly [string, RegExp, Handler])[] = [
  ["GET", /^\/v1\/session$/, () => ({ principal: "admin", role: "admin" })],
  ["POST", /^\/v1\/tasks$/, submit],
  ["GET", /^\/v1\/runs$/, listRuns],
  ["GET", /^\/v1\/runs\/([^/]+)$/, ({ parts }) => findRun(parts[0]).detail],
  ["GET", /^\/v1\/runs\/([^/]+)\/events$/, ({ parts, url }) => {
    const after = Number(url.searchParams.get("after") ?? 0);
    return { data: findRun(parts[0]).events.filter((event) => event.seq > after), nextCursor: null };
  }], // prettier-ignore
  ["POST", /^\/v1\/runs\/([^/]+)\/(pause|resume|cancel|retry|discard)$/, commandRun],
  ["GET", /^\/v1\/approvals$/, ({ url }) => {
    const all = allApprovals().sort((a, b) => a.requestedAt.localeCompare(b.requestedAt));
    return url.searchParams.get("status") === "all"
      ? { data: all.toReversed(), nextCursor: null }
      : { data: all.filter((approval) => approval.status === "waiting"), nextCursor: null };
  }], // prettier-ignore
  [
    "GET",
    /^\/v1\/approvals\/([^/]+)$/,
    ({ parts }) => allApprovals().find((approval) => approval.id === parts[0]),
  ],
  ["POST", /^\/v1\/approvals\/([^/]+)\/decision$/, decideApproval],
  [
    "GET",
    /^\/v1\/artifacts$/,
    () => ({ data: world.runs.flatMap((run) => run.detail.artifacts), nextCursor: null }),
  ],
  ["GET", /^\/v1\/ledger$/, () => ledgerState(ledgerSize())],
  ["GET", /^\/v1\/ledger\/entries$/, ({ url }) => {
    const from = Number(url.searchParams.get("from") ?? 0);
    const limit = Number(url.searchParams.get("limit") ?? 50);
    const entries = ledgerEntries(world.runs).slice(from, from + limit);
    return { data: entries.map((entry, index) => ({ index: from + index, entry })), nextCursor: null };
  }], // prettier-ignore
  ["POST", /^\/v1\/ledger\/verify$/, ({ body }) =>
    verifyReport(ledgerSize(), world.runs.find((run) => run.detail.id === body["run"]), flags.broken)], // prettier-ignore
  ["GET", /^\/v1\/policy$/, () => policy],
  ["POST", /^\/v1\/policy\/check$/, ({ body }) => checkText(String(body["text"]))],
  ["POST", /^\/v1\/workflows\/check$/, ({ body }) => checkText(String(body["workflow"]))],
  ["GET", /^\/v1\/examples$/, () => ({
    data: [
      { name: "brand-audit", description: "Looks at every brand asset, measures it in a sandbox, writes a report and a chart, and asks before it deletes what is stale.", inputs: [], workflowText },
      { name: "hello", description: "Writes one file. The smallest workflow there is.", inputs: [], workflowText: "version: 1\nname: hello\ninputs:\n  name: { type: string, description: Who is greeted. }\nsteps:\n  - id: note\n    title: Write the greeting\n    tool: file_ops.write\n    with: { path: hello.txt, content: \"Hello ${{ inputs.name }}\" }\n" },
    ],
  })], // prettier-ignore
  ["GET", /^\/v1\/status$/, () => systemStatus(world.runs, ledgerSize())],
  ["GET", /^\/v1\/config$/, () => ({ data: config })],
  ["GET", /^\/v1\/tools$/, () => ({ data: [] })],
  ["GET", /^\/v1\/policy\/schema$/, () => ({})],
  ["GET", /^\/v1\/queue$/, queueLevels],
  ["GET", /^\/v1\/limits$/, limitLevels],
  ["GET", /^\/v1\/workers$/, workers],
  ["GET", /^\/v1\/schedules$/, () => ({ data: schedules, nextCursor: null })],
  ["GET", /^\/v1\/schedules\/([^/]+)$/, ({ parts }) => scheduleDetail(decodeURIComponent(parts[0] ?? ""))],
  ["GET", /^\/v1\/dead-letters$/, () => deadLetters(world.runs.map(summaryOf))],
  ["GET", /^\/v1\/dead-letters\/([^/]+)$/, ({ parts }) => deadLetter(summaryOf(findRun(parts[0])))],
  ["GET", /^\/v1\/secrets$/, () => secrets],
  ["GET", /^\/v1\/api-keys$/, () => apiKeys],
  ["GET", /^\/v1\/workflows$/, () => workflows],
  ["GET", /^\/v1\/workflows\/([^/]+)$/, workflowDetail],
  ["POST", /^\/v1\/workflows\/graph$/, () => graphOf("brand-audit", firstSteps(world.runs[0], false))],
  ["GET", /^\/v1\/runs\/([^/]+)\/graph$/, ({ parts }) => {
    const run = findRun(parts[0]);
    return graphOf(run.detail.workflow.name, firstSteps(run, true));
  }], // prettier-ignore
  ["GET", /^\/v1\/policy\/versions$/, () => policyVersions],
  ["GET", /^\/v1\/delegations$/, () => delegations],
  ["GET", /^\/v1\/standing-approvals$/, () => standingApprovals],
];

function findRun(id: string | undefined): FakeRun {
  const run = world.runs.find((candidate) => candidate.detail.id === id);
  if (run === undefined) throw new Problem(404, "RUN_NOT_FOUND", `There is no run ${id ?? ""}`);
  return run;
}

function summaryOf(run: FakeRun): RunSummary {
  const {
    steps: _steps,
    approvals: _approvals,
    artifacts: _artifacts,
    inputs: _inputs,
    ...rest
  } = run.detail;
  return rest;
}

function firstSteps(run: FakeRun | undefined, withState: boolean) {
  const steps = run?.detail.steps.filter(({ depth }) => depth === 0) ?? [];
  return steps.map(({ path, state }) => ({ path, state: withState ? state : null }));
}

function allApprovals(): Approval[] {
  return world.runs.flatMap((run) => run.detail.approvals);
}

function ledgerSize(): number {
  return world.runs.reduce((sum, run) => sum + run.events.length, 0);
}

function listRuns({ url }: Request): unknown {
  const states = (url.searchParams.get("state") ?? "").split(",").filter((state) => state !== "");
  const workflow = url.searchParams.get("workflow") ?? "";
  const rows = world.runs
    .map(summaryOf)
    .filter((run) => states.length === 0 || states.includes(run.state))
    .filter((run) => workflow === "" || run.workflow.name === workflow);
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const limit = Number(url.searchParams.get("limit") ?? 50);
  return {
    data: rows.slice(from, from + limit),
    nextCursor: from + limit < rows.length ? String(from + limit) : null,
  };
}

function submit(): unknown {
  return summaryOf(world.submit("admin"));
}

function commandRun({ parts, body }: Request): unknown {
  const run = findRun(parts[0]);
  const now = Date.now();
  if (parts[1] === "pause") setWaiting(run, "WAITING", { kind: "pause" });
  if (parts[1] === "cancel" || parts[1] === "discard") {
    Object.assign(run.detail, { state: "CANCELLED", endedAt: iso(now), waitingFor: null });
    addEvent(run, now, "run.cancelled", null, { by: "admin", reason: body["reason"] ?? null });
  }
  if (parts[1] === "resume") world.resume(run);
  if (parts[1] === "retry") Object.assign(run.detail, { state: "QUEUED", error: null, endedAt: null });
  world.tell({ kind: "run", run });
  return summaryOf(run);
}

function decideApproval({ parts, body }: Request): unknown {
  const run = world.runs.find((candidate) =>
    candidate.detail.approvals.some((approval) => approval.id === parts[0]),
  );
  const approval = run?.detail.approvals.find((candidate) => candidate.id === parts[0]);
  if (run === undefined || approval === undefined)
    throw new Problem(404, "APPROVAL_NOT_FOUND", "There is no such question");
  if (approval.status !== "waiting")
    throw new Problem(409, "APPROVAL_CONFLICT", `It was ${approval.status} by ${approval.decidedBy}`);
  const answer = String(body["answer"]);
  const reason = typeof body["reason"] === "string" ? body["reason"] : null;
  const before = run.events.length;
  decide(run, { answer, by: "admin", reason }, Date.now());
  for (const event of run.events.slice(before)) world.tell({ kind: "event", run, event });
  world.tell({ kind: "approval", approval });
  world.tell({ kind: "run", run });
  if (run.detail.state === "RUNNING") world.resume(run);
  return approval;
}

function checkText(text: string): CheckResult {
  const at = text.split("\n").findIndex((line) => line.includes("efect") || line.includes("tol:"));
  if (!/^version:/m.test(text)) {
    return {
      ok: false,
      findings: [
        {
          severity: "error",
          line: 1,
          column: 1,
          path: "",
          message: "The key `version` is missing",
          hint: "Begin with `version: 1`.",
        },
      ],
    };
  }
  if (at === -1) return { ok: true, findings: [] };
  const word = text.includes("efect") ? "efect" : "tol";
  return {
    ok: false,
    findings: [
      {
        severity: "error",
        line: at + 1,
        column: 5,
        path: "steps[0]",
        message: `Unknown key \`${word}\``,
        hint: word === "tol" ? "Did you mean `tool`?" : "Did you mean `effect`?",
      },
    ],
  };
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  runId: string | undefined,
  after: number,
): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (event: string, data: unknown, id?: number): void => {
    response.write(
      `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    );
  };
  response.write(": hello\n\n");
  if (runId !== undefined)
    for (const event of findRun(runId).events) if (event.seq > after) send(event.kind, event, event.seq);
  const listener: Parameters<typeof world.listeners.add>[0] = (change) => {
    if (runId === undefined) {
      if (change.kind === "run") send("run", summaryOf(change.run));
      if (change.kind === "approval") send("approval", change.approval);
      return;
    }
    if (change.kind === "approval" || change.run.detail.id !== runId) return;
    if (change.kind === "event") send(change.event.kind, change.event, change.event.seq);
    if (change.kind === "progress") send("progress", { step: change.step, text: change.text });
    if (change.kind === "run") {
      send("state", summaryOf(change.run));
      if (change.run.detail.endedAt !== null) send("end", {});
    }
  };
  world.listeners.add(listener);
  request.on("close", () => world.listeners.delete(listener));
}

const policyHeader =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** The built dashboard under the same content security policy as the real server's. */
function serveDist(path: string, response: ServerResponse): void {
  const dist = join(import.meta.dirname, "../dist");
  const file = path !== "/" && existsSync(join(dist, path)) ? join(dist, path) : join(dist, "index.html");
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-security-policy": policyHeader,
  });
  createReadStream(file).pipe(response);
}

function serveContent(id: string, response: ServerResponse): void {
  const run = world.runs.find((candidate) => candidate.contents.has(id));
  const artifact = run?.detail.artifacts.find((candidate) => candidate.id === id);
  if (run === undefined || artifact === undefined)
    throw new Problem(404, "ARTIFACT_NOT_FOUND", "There is no such artifact");
  response.writeHead(200, { "content-type": artifact.mediaType, "content-security-policy": "sandbox" });
  response.end(run.contents.get(id));
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const path = url.pathname;
  if (!path.startsWith("/v1/")) {
    if (flags.dist) return serveDist(path, response);
    throw new Problem(404, "NOT_FOUND", "Only the API is here; the pages come from vite or with --dist");
  }
  const session = /homeostat_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  if (path === "/v1/session" && request.method === "POST") return signIn(request, response);
  if (!sessions.has(session))
    throw new Problem(401, "AUTHENTICATION_REQUIRED", "No session and no token came with the request");
  if (path === "/v1/session" && request.method === "DELETE") {
    sessions.delete(session);
    return void response.writeHead(204).end();
  }
  const runStream = /^\/v1\/runs\/([^/]+)\/stream$/.exec(path);
  const after = Number(request.headers["last-event-id"] ?? url.searchParams.get("after") ?? 0);
  if (path === "/v1/stream" || runStream !== null) return stream(request, response, runStream?.[1], after);
  const content = /^\/v1\/artifacts\/([^/]+)\/content$/.exec(path);
  if (content !== null) return serveContent(content[1] ?? "", response);
  for (const [method, pattern, handle] of routes) {
    const match = pattern.exec(path);
    if (match === null || method !== request.method) continue;
    const result = handle({ url, parts: match.slice(1), body: await readBody(request) });
    return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
  }
  throw new Problem(404, "NOT_FOUND", `There is no ${request.method} ${path}`);
}

function signIn(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== `Bearer ${token}`)
    throw new Problem(401, "AUTHENTICATION_REQUIRED", "The token is not the one of this server");
  const session = Math.random().toString(36).slice(2);
  sessions.add(session);
  response.writeHead(201, {
    "content-type": "application/json",
    "set-cookie": `homeostat_session=${session}; Path=/; HttpOnly; SameSite=Strict`,
  });
  response.end(JSON.stringify({ principal: "admin", role: "admin" }));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const problem = error instanceof Problem ? error : new Problem(500, "INTERNAL", String(error));
    response.writeHead(problem.status, { "content-type": "application/problem+json" });
    response.end(
      JSON.stringify({
        type: `/reference#${problem.code}`,
        title: problem.code
          .toLowerCase()
          .replaceAll("_", " ")
          .replace(/^./, (letter) => letter.toUpperCase()),
        status: problem.status,
        detail: problem.message,
        code: problem.code,
        hint: "This is the fake server; look at dev/fake-server.ts.",
        requestId: "req_fake_0001",
      }),
    );
  });
});
server.listen(Number(flags.port), "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${flags.port}/#token=${token}`),
);
