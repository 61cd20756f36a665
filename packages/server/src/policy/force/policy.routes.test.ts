import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { startTestServer } from "../../http/test-server.ts";
import type { TestServer } from "../../http/test-server.ts";
import { outboxMigration } from "../../store/outbox.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { openActivePolicy } from "./active-policy.ts";
import type { ActivePolicy } from "./active-policy.ts";
import type { PolicyChange } from "./policy-holder.ts";
import { policyQuestionsRoutes } from "../questions/policy-questions.routes.ts";
import { policyReplayRoutes } from "../questions/policy-replay.routes.ts";
import { requireOwner, viewFinding } from "./policy-schemas.ts";
import { policyRoutes } from "./policy.routes.ts";
import type { RecordedAction } from "../rules/recorded-action.ts";
import { openShadow, policyShadowMigration } from "./shadow.ts";
import type { Shadow } from "./shadow.ts";
import { createPolicyVersions, policyVersionsMigration } from "./versions.ts";

const text = (effect: string): string =>
  `version: 1\nrules:\n  - { name: w, effect: ${effect}, action: wait.for }\n`;
const recordedAction = (effect: "allow" | "deny", step: string): RecordedAction => ({
  runId: "run_1",
  step,
  seq: 4,
  atMs: 1_000,
  request: { action: "wait.for", args: {}, labels: [], agent: "workflow:x", role: "operator", tenant: "default" },
  resources: ["clock"],
  recorded: { effect, revision: "r", rules: [] },
  isComplete: true,
}); // prettier-ignore

let folder = "";
let store: Store;
let server: TestServer;
let policy: ActivePolicy;
let shadow: Shadow;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-policy-"));
  const logger = createSilentLogger();
  const clock = systemClock;
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [outboxMigration, policyVersionsMigration, policyShadowMigration],
    clock,
    logger,
  });
  await writeFile(join(folder, "policy.yaml"), text("allow"));
  const versions = createPolicyVersions(store);
  let keeping = Promise.resolve();
  const report = (change: PolicyChange): void => {
    if (change.kind === "activated") keeping = versions.add({ ...change, atMs: 1_000 });
  };
  policy = openActivePolicy({ path: join(folder, "policy.yaml"), clock, knownActions: ["wait.for"], report });
  shadow = openShadow({ store, clock, logger, count: () => undefined });
  await policy.start();
  await shadow.start();
  await keeping;
  const recorded = {
    countRuns: () => Promise.resolve(2),
    async *readRuns() {
      yield { actions: [recordedAction("allow", "a"), recordedAction("deny", "b")], isErased: false };
      yield { actions: [], isErased: true };
      await Promise.resolve();
    },
  };
  server = await startTestServer([
    ...policyRoutes({
      policy,
      versions,
      kept: () => keeping,
      knownActions: ["wait.for"],
      holdsSecret: (text) => text.includes("hunter2"),
    }),
    ...policyQuestionsRoutes({ policy, versions, clock }),
    ...policyReplayRoutes({ policy, versions, shadow, recorded, clock }),
  ]);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await policy.stop(1_000);
  await shadow.stop(1_000);
  await store.close();
  await rm(folder, { recursive: true });
});

/** What later requests of a test are made from; everything else is compared as it is. */
interface Told {
  readonly revision: string;
  readonly nextCursor: string;
  readonly data: readonly unknown[];
}

async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await server.call(`/v1/policy${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = response.headers.get("content-type")?.includes("json")
    ? await response.json()
    : await response.text();
  return { status: response.status, answer: answer as Told };
}

describe("putting a policy in force", () => {
  test("takes the revision it was made on, keeps a version, and goes back to one", async () => {
    const { answer: before } = await ask("GET", "");
    expect(before).toMatchObject({ text: text("allow"), rules: [{ name: "w", file: null, section: null }], findings: [] });
    const put = await ask("PUT", "", { text: text("deny"), note: "safer" }, { "if-match": `"${before.revision}"` });
    expect(put).toMatchObject({ status: 200, answer: { rules: [{ effect: "deny" }] } });
    expect(await readFile(join(folder, "policy.yaml"), "utf8")).toBe(text("deny"));
    expect(await ask("PUT", "", { text: text("ask"), expected: before.revision })).toMatchObject({
      status: 412,
      answer: { code: "POLICY_CONFLICT" },
    });
    const { answer: page } = await ask("GET", "/versions?limit=1");
    expect(page).toMatchObject({ data: [{ number: 2, by: "admin", note: "safer", isActive: true }], nextCursor: expect.any(String) });
    const { answer: older } = await ask("GET", `/versions?cursor=${page.nextCursor}`);
    expect(older).toMatchObject({ data: [{ number: 1, by: null, isActive: false }], nextCursor: null });
    const back = await ask("POST", "/versions/1/activate", { expected: put.answer.revision });
    expect(back).toMatchObject({ status: 200, answer: { revision: before.revision, text: text("allow") } });
    expect((await ask("GET", "/versions")).answer.data[0]).toMatchObject({ number: 3, note: "version 1 again" });
    for (const [method, path] of [["PUT", ""], ["POST", "/versions/1/activate"]] as const) {
      const body = { ...(method === "PUT" ? { text: text("deny") } : {}), note: "password hunter2" };
      expect(await ask(method, path, body, { "if-match": '"x"' })).toMatchObject({ status: 422, answer: { errors: [{ path: "body.note" }] } });
    }
    expect((await ask("POST", "/versions/9/activate", { expected: before.revision })).status).toBe(404);
  }); // prettier-ignore

  test("needs a revision, a good text and the admin's role", async () => {
    expect(await ask("PUT", "", { text: text("deny") })).toMatchObject({ status: 422 });
    const { revision } = policy.current();
    expect(await ask("PUT", "", { expected: revision })).toMatchObject({ status: 422 });
    expect(await ask("PUT", "", { text: text("denied"), expected: revision })).toMatchObject({
      status: 422,
      answer: { code: "POLICY_INVALID", errors: [{ line: 3 }] },
    });
    expect(await ask("PUT", "", { text: text("deny"), expected: revision }, { authorization: "Bearer approver" })).toMatchObject({ status: 403 });
    expect(policy.current().revision).toBe(revision);
  }); // prettier-ignore

  test("a check changes nothing", async () => {
    expect((await ask("POST", "/check", { text: text("denied") })).answer).toMatchObject({ ok: false, revision: null, findings: [{ line: 3 }] });
    expect((await ask("POST", "/check", { text: text("deny").replace("wait.for", "wiat.for") })).answer).toMatchObject({
      ok: true,
      findings: [{ severity: "warning", hint: "did you mean `wait.for`?" }],
    });
    expect(policy.current().rules[0]?.effect).toBe("allow");
  }); // prettier-ignore
});

describe("questions", () => {
  test("one action, under the policy in force and under a candidate", async () => {
    const request = { action: "wait.for", resource: "clock" };
    expect((await ask("POST", "/explain", request)).answer).toMatchObject({ decision: { effect: "allow", matched: [{ name: "w" }] }, nearMisses: [] });
    const other = await ask("POST", "/explain", { ...request, action: "http.get", text: text("deny") });
    expect(other.answer).toMatchObject({
      decision: { effect: "deny", matched: [], demands: "", score: null },
      nearMisses: [{ name: "w", missed: ["action http.get is not wait.for"] }],
    });
  }); // prettier-ignore

  test("of files, at a time, and of a finding's place and hint", async () => {
    const part = { name: "policy.d/a.yaml", text: "version: 1\nrules:\n  - { name: n, effect: deny, action: wait, when: { from: 22:00, to: 06:00 } }\n" };
    const files = [{ name: "policy.yaml", text: text("allow") }, part];
    const at = (hour: string) => ({ action: "wait.for", resource: "clock", files, at: `2026-01-07T${hour}:00:00Z` });
    expect((await ask("POST", "/explain", at("12"))).answer).toMatchObject({ decision: { effect: "allow" } });
    expect((await ask("POST", "/explain", at("23"))).answer).toMatchObject({ decision: { effect: "deny" } });
    const checked = await ask("POST", "/check", { files: [files[0], { ...part, text: "version: 1\nrules: 5\n" }] });
    expect(checked.answer).toMatchObject({ ok: false, findings: [{ file: "policy.d/a.yaml", line: 2 }] });
    expect(viewFinding({ severity: "error", line: 1, column: 1, path: "", message: "m" })).toEqual({ severity: "error", line: 1, column: 1, path: "", message: "m" });
    const put = await ask("PUT", "", { files, expected: policy.current().revision });
    expect(put).toMatchObject({ status: 200, answer: { files: [{ name: "policy.yaml" }, { name: "policy.d/a.yaml" }] } });
    // A text alone is policy.yaml; the parts stay.
    expect((await ask("POST", "/explain", { action: "wait.for", resource: "clock", text: text("ask"), at: "2026-01-07T23:00:00Z" })).answer).toMatchObject({ decision: { effect: "deny" } });
  }); // prettier-ignore

  test("only the tenant that runs the server may change the policy", () => {
    expect(() => requireOwner({ id: "ada", role: "admin", tenant: "acme" })).toThrow(
      /tenant acme cannot change it/,
    );
    expect(() => requireOwner({ id: "ada", role: "admin", tenant: "default" })).not.toThrow();
  });

  test("a table of cases", async () => {
    const cases = "cases:\n  - { action: wait.for, resource: clock, expect: deny }\n";
    expect((await ask("POST", "/test", { cases })).answer).toMatchObject({ passed: 0, failed: 1, cases: [{ line: 2, ok: false, effect: "allow" }], coverage: { percent: 100 } });
    expect((await ask("POST", "/test", { cases, text: text("deny") })).answer).toMatchObject({ passed: 1, failed: 0 });
    expect(await ask("POST", "/test", { cases: "cases: 5" })).toMatchObject({ status: 422, answer: { errors: [{ line: 1 }] } });
  }); // prettier-ignore

  test("the difference to a text, to a version, to itself", async () => {
    const { answer } = await ask("POST", "/diff", { to: { text: text("deny") } });
    expect(answer).toMatchObject({ changed: [{ name: "w", parts: [{ part: "effect", before: "allow", after: "deny" }, {}] }], examples: [{ from: "allow", to: "deny" }] });
    expect((await ask("POST", "/diff", { from: { version: 1 } })).answer).toMatchObject({ changed: [], examples: [] });
    expect((await ask("GET", "/schema")).answer).toMatchObject({ title: "Homeostat policy" });
  }); // prettier-ignore
});

describe("replays", () => {
  test("a dry run tells its progress, each change and a report", async () => {
    const { answer } = await ask("POST", "/dry-run", { text: text("ask"), since: "1d" });
    const events = [...String(answer).matchAll(/event: (.*)\ndata: (.*)/g)].map(([, event, data]) => ({ event, data: JSON.parse(data!) }));
    expect(events.map(({ event }) => event)).toEqual(["progress", "change", "change", "progress", "report", "end"]);
    expect(events[1]?.data).toMatchObject({ runId: "run_1", step: "a", from: "allow", to: "ask", at: "1970-01-01T00:00:01.000Z" });
    expect(events[4]?.data).toMatchObject({
      actions: 2,
      changed: 2,
      erasedRuns: 1,
      groups: [{ from: "deny", to: "ask", count: 1 }, { from: "allow", to: "ask", count: 1 }],
      rules: [{ name: "w", hits: 2 }],
    });
    const against = await ask("POST", "/dry-run", { since: "1970-01-01T00:00:00Z", against: "active" });
    expect(against.answer).toContain('"changed":0');
    const { revision } = policy.current();
    await ask("PUT", "", { text: text("deny"), expected: revision });
    expect((await ask("POST", "/dry-run", { since: "1d", version: 1 })).answer).toContain('"to":"allow"');
    expect((await ask("POST", "/shadow", { version: 1 })).answer).toMatchObject({ shadow: { rules: 1 } });
    expect(await ask("POST", "/dry-run", { since: "soon" })).toMatchObject({ status: 422 });
    expect(await ask("POST", "/dry-run", { text: "x" })).toMatchObject({ status: 422 });
    expect(await ask("POST", "/dry-run", {}, { authorization: "Bearer viewer" })).toMatchObject({ status: 403 });
  }); // prettier-ignore

  test("a dry run of much history tells how far it is, and ends when nobody listens", async () => {
    let runs = 0;
    let isLeft = false;
    const many = {
      countRuns: () => Promise.resolve(1_000),
      async *readRuns() {
        try {
          for (; runs < 1_000; runs += 1) {
            yield { actions: [recordedAction("deny", `s${runs}`)], isErased: false };
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        } finally {
          isLeft = true;
        }
      },
    };
    await using other = await startTestServer(
      policyReplayRoutes({ policy, versions: createPolicyVersions(store), shadow, recorded: many, clock: systemClock }),
    );
    const leaving = new AbortController();
    const answer = await other.call("/v1/policy/dry-run", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ since: "1d" }),
      signal: leaving.signal,
    });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while ((seen.match(/event: progress/g) ?? []).length < 2) seen += (await reader.read()).value ?? "";
    leaving.abort();
    await reader.cancel().catch(() => undefined);
    await expect.poll(() => isLeft).toBe(true);
    expect(runs).toBeLessThan(1_000);
  }); // prettier-ignore

  test("a shadow is set, looked at and cleared", async () => {
    expect((await ask("GET", "/shadow")).answer).toEqual({ shadow: null });
    expect(await ask("POST", "/shadow", { text: text("deny") })).toMatchObject({ status: 200, answer: { shadow: { by: "admin", rules: 1, same: 0, changes: [] } } });
    const request = { action: "wait.for", resource: "clock", args: {}, labels: [], agent: "a", role: "r", tenant: "t" };
    shadow.observe(request, { effect: "allow", risk: "low", obligations: {}, matched: [], reason: "", revision: "" });
    expect((await ask("GET", "/shadow")).answer).toMatchObject({ shadow: { changes: [{ from: "allow", to: "deny", count: 1, samples: [{ action: "wait.for" }] }] } });
    expect((await ask("DELETE", "/shadow")).status).toBe(204);
    expect((await ask("GET", "/shadow")).answer).toEqual({ shadow: null });
  }); // prettier-ignore
});
