import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../packages/client/src/client.ts";
import { sign } from "../../packages/server/src/workflows/hook-signature.ts";
import { createHome, removeHome, startTestSystem, token, verifyOffline } from "./test-system.ts";
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

const client = () => createClient({ baseUrl: system.url, token });

async function ended(runId: string) {
  for (let tries = 0; tries < 400; tries += 1) {
    const run = await client().call("runs.get", { params: { id: runId } });
    if (run.endedAt !== null) return run;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`run ${runId} did not end`);
}

const hooked = (auth: string): string => `version: 1
name: hooked-${auth}
inputs: { ref: { type: string } }
outputs: { ref: "\${{ inputs.ref }}" }
triggers:
  - webhook: pushed-${auth}
    auth: ${auth}
    inputs: { ref: "\${{ body.ref }} of \${{ headers[\\"x-from\\"] }}" }
steps: [{ id: s, set: { x: 1 } }]
`;

async function post(path: string, body: string, headers: Record<string, string>) {
  const answer = await fetch(`${system.url}${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", "x-from": "test", ...headers },
  });
  return { status: answer.status, body: (await answer.json()) as { runId?: string; code?: string } };
}

describe("registered workflows", () => {
  test("have versions, run by name, and can be removed", async () => {
    const text = (n: number): string =>
      `version: 1\nname: numbered\noutputs: { n: ${n} }\nsteps: [{ id: s, set: { x: ${n} } }]\n`;
    const first = await client().call("workflows.add", { body: { workflow: text(1) } });
    expect(first).toMatchObject({ name: "numbered", version: 1, hooks: [] });
    expect(await client().call("workflows.add", { body: { workflow: text(1) } })).toMatchObject({
      version: 1,
    });
    expect(await client().call("workflows.add", { body: { workflow: text(2) } })).toMatchObject({
      version: 2,
    });
    const { id } = await client().call("tasks.submit", { body: { registered: "numbered" } });
    expect((await ended(id)).outputs).toEqual({ n: 2 });
    const shown = await client().call("workflows.get", {
      params: { name: "numbered" },
      query: { version: 1 },
    });
    expect(shown.workflowText).toBe(text(1));
    expect(shown.versions.map(({ version }) => version)).toEqual([2, 1]);
    await client().call("workflows.remove", { params: { name: "numbered" } });
    const gone = client().call("tasks.submit", { body: { registered: "numbered" } });
    await expect(gone).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    // A name that comes back goes on counting.
    expect(await client().call("workflows.add", { body: { workflow: text(1) } })).toMatchObject({
      version: 3,
    });
  });

  test("are refused with the place when they could not run", async () => {
    const text = "version: 1\nname: bad\nsteps: [{ id: s, tool: no.such, with: {} }]\n";
    const added = client().call("workflows.add", { body: { workflow: text } });
    await expect(added).rejects.toMatchObject({ code: "WORKFLOW_INVALID", errors: [{ line: 3 }] });
    const open = hooked("bearer")
      .replace(/ {4}inputs: .*\n/, "")
      .replaceAll("bearer", "open")
      .replace("auth: open", "auth: bearer");
    await expect(client().call("workflows.add", { body: { workflow: open } })).rejects.toMatchObject({
      detail: expect.stringContaining("gives no `ref`") as string,
    });
  });
});

describe("a webhook", () => {
  test("with a signature starts one run for one event, and refuses what is forged, old or unknown", async () => {
    const { hooks } = await client().call("workflows.add", { body: { workflow: hooked("signature") } });
    const { path, secret } = hooks[0]!;
    const body = '{"ref": "main"}';
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signed = (id: string, at = timestamp, key = secret) => ({
      "webhook-id": id,
      "webhook-timestamp": at,
      "webhook-signature": sign({ id, timestamp: at, body: Buffer.from(body) }, key),
    });
    const first = await post(path, body, signed("m1"));
    expect(first.status).toBe(202);
    const run = await ended(first.body.runId!);
    expect(run).toMatchObject({
      outputs: { ref: "main of test" },
      labels: ["trigger:webhook:pushed-signature"],
    });
    expect((await post(path, body, signed("m1"))).body.runId).toBe(first.body.runId);
    expect((await post(path, body, signed("m2"))).body.runId).not.toBe(first.body.runId);
    const refused = [
      await post(path, '{"ref": "evil"}', signed("m3")),
      await post(path, body, signed("m4", String(Number(timestamp) - 600))),
      await post(path, body, signed("m5", timestamp, "whsec_AAAA")),
      await post(path, body, {}),
      await post("/v1/hooks/unknown", body, signed("m6")),
    ];
    for (const each of refused) expect(each).toMatchObject({ status: 401, body: { code: "HOOK_DENIED" } });
    // The secret is shown once, and nowhere again.
    const shown = await client().call("workflows.get", { params: { name: "hooked-signature" } });
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect((await client().call("workflows.add", { body: { workflow: hooked("signature") } })).hooks).toEqual(
      [],
    );
  });

  test("with a token starts runs, and ends with its workflow", async () => {
    const { hooks } = await client().call("workflows.add", { body: { workflow: hooked("bearer") } });
    const { path, secret } = hooks[0]!;
    const good = await post(path, '{"ref": "main"}', { authorization: `Bearer ${secret}` });
    expect(good.status).toBe(202);
    await ended(good.body.runId!);
    expect((await post(path, "{}", { authorization: "Bearer wrong" })).status).toBe(401);
    // The admin's own token opens no webhook.
    expect((await post(path, "{}", { authorization: `Bearer ${token}` })).status).toBe(401);
    const empty = await post(path, "{}", { authorization: `Bearer ${secret}` });
    expect(empty).toMatchObject({ status: 422, body: { code: "INPUTS_INVALID" } });
    const stolen = hooked("bearer").replace("name: hooked-bearer", "name: other");
    await expect(client().call("workflows.add", { body: { workflow: stolen } })).rejects.toMatchObject({
      code: "HOOK_CONFLICT",
    });
    await client().call("workflows.remove", { params: { name: "hooked-bearer" } });
    expect((await post(path, "{}", { authorization: `Bearer ${secret}` })).status).toBe(401);
  });
});

test("a run is signalled and drawn over the API, and everything is proved", async () => {
  const workflow = `version: 1
name: waiting
outputs: { got: "\${{ steps.both.output.left.data }}" }
steps:
  - id: both
    parallel:
      left: [{ id: l, wait: { signal: go, payload: { n: { type: integer } } } }]
      right: [{ id: r, set: { x: 1 } }]
`;
  const { id } = await client().call("tasks.submit", { body: { workflow } });
  const send = (data: unknown, idempotencyKey: string) =>
    client().call("runs.signal", {
      params: { id, name: "go" },
      body: { data: data as never },
      idempotencyKey,
    });
  await expect(send({ n: "x" }, "k0")).rejects.toMatchObject({ code: "SIGNAL_INVALID" });
  await send({ n: 7 }, "k1");
  expect((await ended(id)).outputs).toEqual({ got: { n: 7 } });
  const graph = await client().call("runs.graph", { params: { id } });
  expect(graph.nodes.find(({ id: node }) => node === "both/left/l")).toMatchObject({ state: "completed" });
  expect(graph.svg).toContain("wf-state-completed");
  const before = await client().call("workflows.graph", { body: { workflow } });
  expect(before.nodes.every(({ state }) => state === null)).toBe(true);
  const report = await verifyOffline(home);
  expect(report.verdict).toBe("intact");
}, 30_000);

test("runs with open branches, withdrawn questions, children and undoing are proved like all others", async () => {
  const child = "version: 1\nname: inner\nsteps: [{ id: q, approval: { message: Inner? } }]\n";
  await client().call("workflows.add", { body: { workflow: child } });
  const workflow = `version: 1
name: busy
steps:
  - { id: first, set: { x: 1 }, compensate: [{ id: undo, set: { x: 0 } }] }
  - id: both
    parallel:
      ask: [{ id: q, approval: { message: "Go?" } }]
      late: [{ id: g, group: [{ id: q2, approval: { message: "Late?" } }], timeout: 200ms, on_error: continue }]
      run: [{ id: c, workflow: inner }]
`;
  const { id } = await client().call("tasks.submit", { body: { workflow } });
  const open = async () =>
    (await client().call("approvals.list", {})).data.filter(({ status }) => status === "waiting");
  const until = async (isSo: () => Promise<boolean>) => {
    for (let tries = 0; !(await isSo()); tries += 1) {
      if (tries > 200) throw new Error("never so");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const waitingFor = async () => (await client().call("runs.get", { params: { id } })).waitingFor;
  // The late question is withdrawn, the child's asked, and the run let go: in whatever order.
  await until(async () => {
    const messages = (await open()).map(({ message }) => message).toSorted();
    return messages.join() === "Go?,Inner?" && (await waitingFor()) !== null;
  });
  expect(await waitingFor()).toMatchObject({ kind: "approval", more: 1 });
  const inner = (await open()).find(({ workflow: name }) => name === "inner")!;
  expect(inner.runPath).toEqual([{ runId: id, workflow: "busy", step: "both/run/c" }]);
  expect((await verifyOffline(home)).findings).toEqual([]);
  await client().call("runs.cancel", { params: { id }, body: {} });
  const run = await ended(id);
  expect(run.state).toBe("CANCELLED");
  expect(run.steps.find(({ path }) => path === "first/compensate/undo")).toMatchObject({
    state: "completed",
    role: "compensate",
  });
  expect((await ended(inner.runId)).state).toBe("CANCELLED");
  expect(await open()).toEqual([]);
  expect(await verifyOffline(home)).toMatchObject({ verdict: "intact", findings: [] });
}, 30_000);
