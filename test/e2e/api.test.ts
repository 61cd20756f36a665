import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalJson } from "../../packages/server/src/base/canonical-json.ts";
import { createClient } from "../../packages/client/src/client.ts";
import { createHasher, hashFromHex, isIncluded } from "../../packages/server/src/ledger/merkle.ts";
import { createHome, removeHome, runToEnd, startTestSystem, token, untilPublished } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

let home: string;
let system: TestSystem;

beforeAll(async () => {
  home = await createHome();
  system = await startTestSystem(home);
}, 60_000);

afterAll(async () => {
  await system.stop();
  await removeHome(home);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Whatever JSON came: these tests look at single fields of many shapes.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${system.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json") === true;
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

function workflow(steps: string): string {
  return `version: 1\nname: probe\nsteps:\n${steps}`;
}

const waits = workflow("  - { id: ask, approval: { message: Go on? } }\n  - { id: done, set: { x: 1 } }\n");

describe("submitting", () => {
  test("answers 201 with the run and where it is, and the same key gives the same run", async () => {
    const key = { "idempotency-key": "key-1" };
    const first = await call(
      "POST",
      "/v1/tasks",
      { workflow: workflow("  - { id: a, set: { x: 1 } }\n") },
      key,
    );
    expect(first.status).toBe(201);
    expect(first.headers.get("location")).toBe(`/v1/runs/${first.body.id}`);
    const again = await call(
      "POST",
      "/v1/tasks",
      { workflow: workflow("  - { id: a, set: { x: 1 } }\n") },
      key,
    );
    expect(again.body.id).toBe(first.body.id);
    const other = await call("POST", "/v1/tasks", { workflow: waits }, key);
    expect(other).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_KEY_REUSED" } });
  });

  test.each([
    ["an unknown key", { workflow: waits, wrkflow: "x" }, 422, "REQUEST_INVALID", "wrkflow"],
    ["neither workflow nor example", {}, 422, "REQUEST_INVALID", "workflow"],
    ["both", { workflow: waits, example: "brand-audit" }, 422, "REQUEST_INVALID", "workflow"],
    ["an unknown example", { example: "nope" }, 404, "NOT_FOUND", "nope"],
    [
      "a file that climbs out",
      { workflow: waits, files: [{ path: "../x", contentBase64: "" }] },
      422,
      "REQUEST_INVALID",
      "../x",
    ],
    [
      "an absolute file",
      { workflow: waits, files: [{ path: "/etc/x", contentBase64: "" }] },
      422,
      "REQUEST_INVALID",
      "/etc/x",
    ],
    [
      "a file twice",
      {
        workflow: waits,
        files: [
          { path: "a", contentBase64: "" },
          { path: "a", contentBase64: "" },
        ],
      },
      422,
      "REQUEST_INVALID",
      "twice",
    ],
    [
      "a file below a file",
      {
        workflow: waits,
        files: [
          { path: "a", contentBase64: "" },
          { path: "a/b", contentBase64: "" },
        ],
      },
      422,
      "REQUEST_INVALID",
      "given as a file",
    ],
    ["a broken workflow", { workflow: "version: 1\nname: x\nstepz: []\n" }, 422, "WORKFLOW_INVALID", "steps"],
    [
      "an unknown tool",
      { workflow: workflow("  - { id: a, tool: file_ops.raed, with: {} }\n") },
      422,
      "WORKFLOW_INVALID",
      "file_ops.read",
    ],
    ["an unknown input", { workflow: waits, inputs: { n: 1 } }, 422, "INPUTS_INVALID", "n"],
  ])("refuses %s, naming it", async (_what, body, status, code, named) => {
    const answer = await call("POST", "/v1/tasks", body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).toContain(named);
    expect(answer.body.hint.length).toBeGreaterThan(5);
  });

  test("a check names line and way out without running anything", async () => {
    const good = await call("POST", "/v1/workflows/check", { workflow: waits });
    expect(good.body).toEqual({ ok: true, findings: [] });
    const bad = await call("POST", "/v1/workflows/check", {
      workflow: workflow("  - { id: a, tool: nope, with: {} }\n"),
    });
    expect(bad.body).toMatchObject({ ok: false, findings: [{ line: 4, severity: "error" }] });
  });
});

describe("files of a task", () => {
  test("arrive as they were sent, small ones and large ones", async () => {
    // Longer than what is read with the rest of a body.
    const texts = ["short", "0123456789abcdef".repeat(20_000)];
    const files = texts.map((text, index) => ({
      path: `${index}.txt`,
      contentBase64: Buffer.from(text).toString("base64"),
    }));
    const steps = texts.map(
      (_, index) => `  - { id: r${index}, tool: file_ops.read, with: { path: ${index}.txt } }\n`,
    );
    const read = texts.map((_, index) => `"\${{ steps.r${index}.output.content }}"`);
    const run = await runToEnd(system, {
      workflow: `${workflow(steps.join(""))}outputs: { texts: [${read.join(", ")}] }\n`,
      files,
    });
    expect(run.state).toBe("COMPLETED");
    const { body } = await call("GET", `/v1/runs/${run.id}`);
    expect(body.outputs.texts).toEqual(texts);
    const broken = { path: "x", contentBase64: `${files[1]!.contentBase64}!` };
    expect(await call("POST", "/v1/tasks", { workflow: waits, files: [broken] })).toMatchObject({
      status: 422,
      body: { code: "REQUEST_INVALID" },
    });
  });
});

describe("runs", () => {
  test("come in pages, newest first, filtered by state and workflow", async () => {
    for (let n = 0; n < 5; n += 1)
      await runToEnd(system, { workflow: workflow("  - { id: a, set: { x: 1 } }\n") });
    const first = await call("GET", "/v1/runs?limit=2&state=COMPLETED&workflow=probe");
    expect(first.body.data).toHaveLength(2);
    const second = await call(
      "GET",
      `/v1/runs?limit=2&state=COMPLETED&workflow=probe&cursor=${first.body.nextCursor}`,
    );
    const times = [...first.body.data, ...second.body.data].map(
      (run: { createdAt: string }) => run.createdAt,
    );
    expect(times).toEqual([...times].sort().reverse());
    expect(await call("GET", "/v1/runs?cursor=garbage")).toMatchObject({
      status: 422,
      body: { code: "REQUEST_INVALID" },
    });
    expect(await call("GET", "/v1/runs?state=SLEEPING")).toMatchObject({ status: 422 });
    expect(await call("GET", "/v1/runs/run_nope")).toMatchObject({
      status: 404,
      body: { code: "RUN_NOT_FOUND" },
    });
  });

  test("show their steps, pending ones too, and their journal in pages", async () => {
    const { body } = await call("POST", "/v1/tasks", { workflow: waits });
    await untilWaiting(body.id);
    const run = (await call("GET", `/v1/runs/${body.id}`)).body;
    expect(run.steps.map((step: { id: string; state: string }) => [step.id, step.state])).toEqual([
      ["ask", "waiting"],
      ["done", "pending"],
    ]);
    expect(run.waitingFor).toMatchObject({ kind: "approval", id: run.approvals[0].id });
    const page = (await call("GET", `/v1/runs/${body.id}/events?limit=2`)).body;
    expect(page.data.map((event: { seq: number }) => event.seq)).toEqual([1, 2]);
    const rest = (await call("GET", `/v1/runs/${body.id}/events?cursor=${page.nextCursor}`)).body;
    expect(rest.data[0].seq).toBe(3);
    await call("POST", `/v1/runs/${body.id}/cancel`, { reason: "enough" });
    await untilState(body.id, "CANCELLED");
    expect(await call("POST", `/v1/runs/${body.id}/pause`, {})).toMatchObject({
      status: 409,
      body: { code: "RUN_STATE_CONFLICT" },
    });
    expect(await call("POST", `/v1/runs/${body.id}/retry`, {})).toMatchObject({ status: 409 });
  });

  test("stream from the first event, or from where a reader left, to the end", async () => {
    const { body } = await call("POST", "/v1/tasks", { workflow: waits });
    await untilWaiting(body.id);
    const client = createClient({ baseUrl: system.url, token });
    const seen: string[] = [];
    for await (const event of client.stream("runs.stream", { params: { id: body.id }, after: "1" })) {
      seen.push(event.event);
      if (event.event === "approval.requested") {
        const { data } = (await call("GET", "/v1/approvals")).body;
        const mine = data.find((approval: { runId: string }) => approval.runId === body.id);
        await call("POST", `/v1/approvals/${mine.id}/decision`, { answer: "approve" });
      }
      if (event.event === "end") break;
    }
    expect(seen).not.toContain("run.created");
    expect(seen.filter((kind) => kind !== "state" && kind !== "progress")).toEqual([
      "run.started",
      "approval.requested",
      "approval.decided",
      "step.completed",
      "step.completed",
      "run.completed",
      "end",
    ]);
  });
});

describe("approvals", () => {
  test("are answered once, with a reason when the answer is no, and only fitting answers count", async () => {
    const { body } = await call("POST", "/v1/tasks", { workflow: waits });
    const { id } = (await untilWaiting(body.id)).waitingFor;
    expect(await call("GET", `/v1/approvals/${id}`)).toMatchObject({
      body: { status: "waiting", message: "Go on?" },
    });
    expect(await call("POST", `/v1/approvals/${id}/decision`, { answer: "reject" })).toMatchObject({
      status: 422,
    });
    expect(await call("POST", `/v1/approvals/${id}/decision`, { answer: "happened" })).toMatchObject({
      status: 422,
    });
    expect(await call("POST", `/v1/approvals/${id}/decision`, { answer: "maybe" })).toMatchObject({
      status: 422,
    });
    const answers = await Promise.all(
      ["approve", "reject"].map((answer) =>
        call("POST", `/v1/approvals/${id}/decision`, { answer, reason: "x" }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(await call("GET", "/v1/approvals/apr_nope")).toMatchObject({
      status: 404,
      body: { code: "APPROVAL_NOT_FOUND" },
    });
    const all = (await call("GET", "/v1/approvals?status=all&limit=1")).body;
    expect(all.nextCursor).not.toBeNull();
    expect(
      (await call("GET", `/v1/approvals?status=all&cursor=${all.nextCursor}`)).body.data.length,
    ).toBeGreaterThan(0);
  });
});

describe("the ledger", () => {
  test("proves an entry to a client that only knows the root", async () => {
    await untilPublished(system);
    const state = (await call("GET", "/v1/ledger")).body;
    const { data } = (await call("GET", "/v1/ledger/entries?from=3&limit=1")).body;
    const proof = (await call("GET", `/v1/ledger/proofs/inclusion?index=3&size=${state.size}`)).body;
    const hasher = createHasher();
    const bytes = Buffer.from(canonicalJson(data[0].entry));
    const leaf = hasher.leaf(bytes, 0, bytes.length);
    const hashes = proof.hashes.map((hex: string) => hashFromHex(hex)!);
    const claim = { index: 3, size: state.size, leaf, proof: hashes, root: hashFromHex(state.root)! };
    expect(isIncluded(hasher, claim)).toBe(true);
    expect(isIncluded(hasher, { ...claim, index: 4 })).toBe(false);
    expect(await call("GET", `/v1/ledger/proofs/inclusion?index=10000000`)).toMatchObject({
      status: 404,
    });
    expect((await call("GET", `/v1/ledger/proofs/consistency?from=2`)).body.hashes.length).toBeGreaterThan(0);
    expect((await call("GET", "/v1/ledger/checkpoint")).body).toContain("homeostat.local/");
    expect((await call("GET", "/v1/ledger/tile/0/999")).status).toBe(404);
    expect((await call("POST", "/v1/ledger/verify", {})).body.verdict).toBe("intact");
    expect((await call("POST", "/v1/ledger/verify", { run: "run_nope" })).status).toBe(404);
  });
});

describe("what the runtime tells of itself", () => {
  test("status, tools, configuration, examples, policy and metrics answer, and nothing holds the token", async () => {
    const paths = [
      "/v1/status",
      "/v1/tools",
      "/v1/config",
      "/v1/examples",
      "/v1/policy",
      "/metrics",
      "/readyz",
      "/v1/openapi.json",
      "/reference",
    ];
    for (const path of paths) {
      const answer = await call("GET", path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(JSON.stringify(answer.body)).not.toContain(token);
    }
    expect((await call("GET", "/metrics")).body).toMatch(/homeostat_task_success_total \d/);
    const check = await call("POST", "/v1/policy/check", { text: "version: 1\nrulez: []\n" });
    expect(check.body).toMatchObject({ ok: false });
    expect(JSON.stringify(check.body)).toContain("rules");
  });

  test("nothing answers without a token, and a foreign page gets nothing", async () => {
    for (const path of ["/v1/runs", "/v1/status", "/v1/artifacts", "/v1/approvals", "/v1/ledger"]) {
      expect((await fetch(`${system.url}${path}`)).status).toBe(401);
    }
    expect(
      await call("POST", "/v1/tasks", { workflow: waits }, { origin: "https://evil.example" }),
    ).toMatchObject({ status: 403 });
  });
});

interface RunBody {
  readonly state: string;
  readonly waitingFor: { readonly id: string };
}

async function untilState(id: string, state: string): Promise<RunBody> {
  for (let tries = 0; tries < 300; tries += 1) {
    const run = (await call("GET", `/v1/runs/${id}`)).body as RunBody;
    if (run.state === state) return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${id} never became ${state}`);
}

function untilWaiting(id: string): Promise<RunBody> {
  return untilState(id, "WAITING");
}
