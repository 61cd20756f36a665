import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, removeHome, startTestSystem, token as adminToken } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

const policy = `version: 1
rules:
  - name: writing asks two
    action: file_ops.write
    effect: ask
    approval: { by: [approver], quorum: 2, four_eyes: true }
  - name: moving asks one
    action: file_ops.move
    effect: ask
    approval: { by: [approver] }
  - name: listing
    action: file_ops.list
    effect: allow
`;

let home: string;
let system: TestSystem;
const keys = new Map<string, string>();

beforeAll(async () => {
  home = await createHome();
  await writeFile(join(home, "policy.yaml"), policy);
  system = await startTestSystem(home);
  for (const [principal, role] of [
    ["ada", "approver"],
    ["bob", "approver"],
    ["olga", "operator"],
  ] as const) {
    const made = await system.api.post<{ key: string }>("/v1/api-keys", { principal, role });
    keys.set(principal, made.key);
  }
});

afterAll(async () => {
  await system.stop();
  await removeHome(home);
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** As a person with a key, as the admin, or (null) as nobody. */
async function call(who: string | null, method: string, path: string, body?: object): Promise<Answer> {
  const key = who === "admin" ? adminToken : keys.get(who ?? "");
  const answer = await fetch(`${system.url}${path}`, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

async function ask(who: string, step: string): Promise<{ run: string; approval: string }> {
  const workflow = `version: 1\nname: asking\nsteps:\n  - { id: s, ${step} }\n`;
  const { body } = await call(who, "POST", "/v1/tasks", {
    workflow,
    files: [{ path: "a.txt", contentBase64: "aGk=" }],
  });
  const run = body["id"] as string;
  return { run, approval: await question(run) };
}

/** The id of what the run waits for, once it does. */
async function question(run: string): Promise<string> {
  const waiting = async (): Promise<string | undefined> => {
    const page = await system.api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
    return page.data.find((each) => each.runId === run)?.id;
  };
  await expect.poll(waiting).toBeDefined();
  return (await waiting())!;
}

async function untilEnded(run: string): Promise<string> {
  const state = async (): Promise<string> =>
    (await system.api.get<{ state: string }>(`/v1/runs/${run}`)).state;
  await expect.poll(state).toMatch(/COMPLETED|FAILED/);
  return await state();
}

const write = 'tool: file_ops.write, with: { path: b.txt, content: "x" }';
const move = "tool: file_ops.move, with: { from: a.txt, to: c.txt }";

test("two of the approvers agree, the requester and an operator may not, and each sees why", async () => {
  const { run, approval } = await ask("ada", write);
  const decide = (who: string) =>
    call(who, "POST", `/v1/approvals/${approval}/decision`, { answer: "approve" });
  expect(await decide("ada")).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining("four eyes") as string },
  });
  expect(await decide("olga")).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining("you are operator") as string },
  });
  expect(await decide("bob")).toMatchObject({
    status: 200,
    body: { status: "waiting", votes: 1, quorum: 2 },
  });
  expect(await decide("bob")).toMatchObject({ status: 409, body: { code: "APPROVAL_CONFLICT" } });
  expect(await decide("admin")).toMatchObject({ status: 200, body: { status: "approved", votes: 2 } });
  expect(await untilEnded(run)).toBe("COMPLETED");
  const detail = await call("ada", "GET", `/v1/approvals/${approval}`);
  expect(detail.body["voters"]).toMatchObject([{ by: "bob", countsFor: "bob" }, { by: "admin" }]);
});

test("a link leads its addressee to the question, who answers signed in, once; to nobody else it is worth anything", async () => {
  const { run, approval } = await ask("olga", move);
  const made = await call("admin", "POST", `/v1/approvals/${approval}/links`, { for: "ada", expires: "1h" });
  expect(made).toMatchObject({ status: 201, body: { needsSession: true } });
  const token = new URL(made.body["url"] as string).hash.slice(1);
  const open = (who: string | null) => call(who, "POST", "/v1/approval-links/open", { token });
  const answer = (who: string | null) =>
    call(who, "POST", "/v1/approval-links/answer", { token, answer: "approve" });
  for (const each of [open, answer]) {
    expect(await each(null)).toMatchObject({ status: 401, body: { code: "AUTHENTICATION_REQUIRED" } });
    // Also whoever may answer the question by themselves, and the admin who made the link.
    for (const who of ["bob", "admin"])
      expect(await each(who)).toMatchObject({
        status: 403,
        body: { detail: `This link is for ada, and you are ${who}` },
      });
  }
  expect(await open("ada")).toMatchObject({ status: 200, body: { principal: "ada", approval: { id: approval } } });
  // Signed in, as a browser is.
  const session = await fetch(`${system.url}/v1/session`, {
    method: "POST",
    headers: { authorization: `Bearer ${keys.get("ada")!}` },
  });
  const cookie = session.headers.get("set-cookie")!.split(";")[0]!;
  const post = (headers: Record<string, string>) =>
    fetch(`${system.url}/v1/approval-links/answer`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", ...headers },
      body: JSON.stringify({ token, answer: "approve" }),
    });
  expect((await post({ origin: "https://mail.example.org" })).status).toBe(403);
  const answered = await post({ origin: system.url });
  expect([answered.status, await answered.json()]).toMatchObject([200, { status: "approved", decidedBy: "ada" }]);
  expect((await answer("ada")).status).toBe(410);
  expect(await untilEnded(run)).toBe("COMPLETED");
}); // prettier-ignore

test("where the link alone is enough it shows the question to whoever holds it and answers once as its addressee", async () => {
  await system.stop();
  system = await startTestSystem(home, { HOMEOSTAT_APPROVALS_LINKS: "token" });
  const { run, approval } = await ask("olga", move);
  expect((await call("bob", "POST", `/v1/approvals/${approval}/links`, { for: "ada" })).status).toBe(403);
  const made = await call("admin", "POST", `/v1/approvals/${approval}/links`, { for: "ada", expires: "1h" });
  expect(made).toMatchObject({ status: 201, body: { needsSession: false } });
  const url = new URL(made.body["url"] as string);
  expect([url.pathname, url.search]).toEqual(["/answer", ""]);
  const token = url.hash.slice(1);
  const opened = await call(null, "POST", "/v1/approval-links/open", { token });
  expect(opened).toMatchObject({
    status: 200,
    body: { principal: "ada", approval: { id: approval, status: "waiting" } },
  });
  const noReason = await call(null, "POST", "/v1/approval-links/answer", { token, answer: "reject" });
  expect(noReason.status).toBe(422);
  const answered = await call(null, "POST", "/v1/approval-links/answer", { token, answer: "approve" });
  expect(answered).toMatchObject({ status: 200, body: { status: "approved", decidedBy: "ada" } });
  expect((await call(null, "POST", "/v1/approval-links/answer", { token, answer: "approve" })).status).toBe(
    410,
  );
  expect(await untilEnded(run)).toBe("COMPLETED");
  await system.stop();
  system = await startTestSystem(home);
});

test("an edit that the tool does not take is refused at once; a good one is asked once more with the file's digest", async () => {
  const { run, approval } = await ask("olga", move);
  const edit = (args: object) =>
    call("ada", "POST", `/v1/approvals/${approval}/decision`, { answer: "approve", edit: args });
  expect(await edit({ from: "a.txt", too: "d.txt" })).toMatchObject({
    status: 422,
    body: { code: "ACTION_INVALID" },
  });
  expect((await edit({ from: "a.txt", to: "d.txt" })).status).toBe(200);
  // Nobody has agreed yet to the content that is moved: the tool has just looked it up.
  const again = await question(run);
  expect((await call("ada", "GET", `/v1/approvals/${again}`)).body["args"]).toMatchObject({
    to: "d.txt",
  });
  await call("ada", "POST", `/v1/approvals/${again}/decision`, { answer: "approve" });
  expect(await untilEnded(run)).toBe("COMPLETED");
  const { steps } = await system.api.get<{ steps: { resource: string; args: object }[] }>(`/v1/runs/${run}`);
  expect(JSON.stringify(steps)).toContain("d.txt");
});

test("delegations and remembered answers are listed, work, and can be ended by who may", async () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const made = await call("ada", "POST", "/v1/delegations", { to: "olga", until });
  expect(made.status).toBe(201);
  const { run, approval } = await ask("bob", move);
  const remember = { scope: "workflow", for: "1h" };
  const answered = await call("olga", "POST", `/v1/approvals/${approval}/decision`, {
    answer: "approve",
    remember,
  });
  expect(answered).toMatchObject({ status: 200, body: { status: "approved" } });
  expect(await untilEnded(run)).toBe("COMPLETED");
  const { data } = (await call("bob", "GET", "/v1/standing-approvals")).body as { data: { id: string }[] };
  expect(data).toHaveLength(1);
  expect((await call("olga", "DELETE", `/v1/standing-approvals/${data[0]!.id}`)).status).toBe(403);
  expect((await call("bob", "DELETE", `/v1/standing-approvals/${data[0]!.id}`)).status).toBe(204);
  expect((await call("bob", "DELETE", `/v1/standing-approvals/${data[0]!.id}`)).status).toBe(404);
  expect((await call("bob", "DELETE", `/v1/delegations/${String(made.body["id"])}`)).status).toBe(404);
  expect((await call("ada", "DELETE", `/v1/delegations/${String(made.body["id"])}`)).status).toBe(204);
});

test("a revoked key opens nothing", async () => {
  const { data } = await system.api.get<{ data: { id: string; principal: string }[] }>("/v1/api-keys");
  const bob = data.find((key) => key.principal === "bob")!;
  expect((await call("admin", "DELETE", `/v1/api-keys/${bob.id}`)).status).toBe(200);
  expect((await call("bob", "GET", "/v1/runs")).status).toBe(401);
  expect((await call("ada", "POST", "/v1/api-keys", { principal: "x", role: "admin" })).status).toBe(403);
});
