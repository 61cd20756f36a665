import { afterEach, describe, expect, test } from "vitest";
import { insertDelegation } from "../../approvals/delegations.ts";
import { countRightsEndedWith } from "../../approvals/ended-rights.ts";
import { createLinkToken, insertLink } from "../../approvals/links.ts";
import type { LinkCredential } from "../../approvals/links.ts";
import type { Holder } from "../../approvals/people.ts";
import { systemClock as clock } from "../../base/clock.ts";
import { isHomeostatError } from "../../base/error.ts";
import { delegateApproval, requireApproval } from "../../gate/approvals.ts";
import type { Approval } from "../../gate/approvals.ts";
import { createAuthenticator } from "../../http/authenticate.ts";
import type { Principal } from "../../http/access.ts";
import { startTestServer } from "../../http/test-server.ts";
import type { World } from "../testing-world.ts";
import { approvalLinksRoutes } from "./approval-links.routes.ts";
import { approvalsRoutes } from "./approvals.routes.ts";
import { createPayingWorld, paying } from "./paying-world.fixture.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const none: Holder = { role: "none", sinceMs: 0 };
const newKey = (role = "approver"): Holder => ({ role, sinceMs: Date.now() + 60_000 });

/** A question for approvers, and people whose keys the test ends and makes. */
async function ask(quorum = 1) {
  const { world, holders, deps } = await createPayingWorld({ quorum });
  worlds.push(world);
  const approval = await world.waitingApproval(await world.submit(paying));
  return { world, holders, approval, deps };
}

async function handOn(world: World, { id }: Approval, by: string, to: string): Promise<void> {
  const approval = await requireApproval(world.store, id);
  await world.store.write([delegateApproval(approval, { to, by, atMs: clock.now() })]);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "none",
    (error: unknown) => (isHomeostatError(error) ? error.code : String(error)),
  );
}

const as = (id: string, role = "operator") => ({ caller: { id, role, tenant: "default" } });

describe("a question that was handed on", () => {
  test.each([
    ["has no key any more", none],
    ["has a new key", newKey()],
  ])("is nobody's by that when whoever handed it on %s", async (_, holder) => {
    const { world, holders, approval, deps } = await ask();
    await handOn(world, approval, "yan", "zoe");
    holders.set("yan", holder);
    expect(await codeOf(world.answer(approval.id, "approve", "x", as("zoe")))).toBe("AUTHORIZATION_DENIED");
    const ended = { tenant: "default", principal: "yan", role: "approver", createdAtMs: 0 };
    expect(await countRightsEndedWith(deps, ended)).toEqual({ delegations: 0, handOns: 1, links: 0 });
    // Somebody else, whose key is in force, may do it anew.
    await handOn(world, approval, "ada", "zoe");
    expect((await requireApproval(world.store, approval.id)).delegates).toEqual(["zoe"]);
    expect(await countRightsEndedWith(deps, ended)).toMatchObject({ handOns: 0 });
    expect(await world.answer(approval.id, "approve", "x", as("zoe"))).toMatchObject({ status: "approved" });
  });

  test("and handed on again ends with the first key too", async () => {
    const { world, holders, approval } = await ask();
    holders.set("zoe", { role: "operator", sinceMs: 0 });
    await handOn(world, approval, "yan", "zoe");
    await handOn(world, approval, "zoe", "pat");
    holders.set("yan", none);
    expect(await codeOf(world.answer(approval.id, "approve", "x", as("pat")))).toBe("AUTHORIZATION_DENIED");
    holders.delete("yan");
    expect(await codeOf(world.answer(approval.id, "approve", "x", as("pat")))).toBe("none");
  });

  test("by an older version, which did not say by whom, is handed on anew", async () => {
    const { world, approval } = await ask();
    await world.store.write([
      { sql: "UPDATE approvals SET delegates = ? WHERE id = ?", params: ['["zoe"]', approval.id] },
    ]);
    expect((await requireApproval(world.store, approval.id)).delegates).toEqual(["zoe"]);
    expect(await codeOf(world.answer(approval.id, "approve", "x", as("zoe")))).toBe("AUTHORIZATION_DENIED");
    await handOn(world, approval, "ada", "zoe");
    expect(await codeOf(world.answer(approval.id, "approve", "x", as("zoe")))).toBe("none");
  });

  test("takes the vote with it that was cast by it", async () => {
    const { world, holders, approval } = await ask(2);
    await handOn(world, approval, "yan", "zoe");
    holders.set("zoe", { role: "operator", sinceMs: 0 });
    expect(await world.answer(approval.id, "approve", "x", as("zoe"))).toMatchObject({ votes: 1 });
    holders.set("yan", none);
    const next = world.answer(approval.id, "approve", "x", as("ada", "approver"));
    expect(await next).toMatchObject({ status: "waiting", votes: 1 });
  });
});

test("who delegated and has a new key lets nobody answer for them any more, nor remember it", async () => {
  const { world, holders, approval, deps } = await ask();
  const createdAtMs = clock.now();
  const delegation = { id: "del_1", tenant: "default", from: "kim", to: "mia", createdAtMs };
  await world.store.write([insertDelegation({ ...delegation, untilMs: createdAtMs + 3_600_000 })]);
  const ended = { tenant: "default", principal: "kim", role: "approver", createdAtMs: 0 };
  for (const holder of [none, newKey()]) {
    holders.set("kim", holder);
    const remember = { scope: "tenant", match: "exact", forMs: 1_000 } as const;
    for (const more of [as("mia"), { ...as("mia"), remember }])
      expect(await codeOf(world.answer(approval.id, "approve", "x", more))).toBe("AUTHORIZATION_DENIED");
    expect(await countRightsEndedWith(deps, ended)).toEqual({ delegations: 1, handOns: 0, links: 0 });
  }
  // What an earlier key handed out had ended with that one.
  const later = { ...ended, createdAtMs: createdAtMs + 1 };
  expect(await countRightsEndedWith(deps, later)).toMatchObject({ delegations: 0 });
  holders.delete("kim");
  expect(await codeOf(world.answer(approval.id, "approve", "x", as("mia")))).toBe("none");
});

/** The routes over the world of the test; a bearer token is `NAME@TENANT/ROLE`. */
async function serve(asked: Awaited<ReturnType<typeof ask>>, links: LinkCredential) {
  const find = (token: string): Promise<Principal | undefined> => {
    const [, id = "", tenant = "", role = ""] = /^(.+)@(.+)\/(.+)$/.exec(token) ?? [];
    return Promise.resolve({ id, tenant, role: role as Principal["role"] });
  };
  const deps = {
    ...asked.deps,
    ...{ links, redact: <T>(value: T): T => value, origin: () => "http://127.0.0.1" },
    checkArguments: () => undefined,
    holdsSecret: () => false,
  };
  const server = await startTestServer([...approvalLinksRoutes(deps), ...approvalsRoutes(deps)], {
    authenticate: createAuthenticator({ findByToken: find, findBySession: find, clock }),
  });
  const post = async (path: string, body: object, who?: string) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: who === undefined ? headers : { ...headers, authorization: `Bearer ${who}` },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return { server, post };
}

async function linkFor(world: World, { id }: Approval, people: { by: string; for: string }): Promise<string> {
  const token = createLinkToken();
  const createdAtMs = clock.now();
  const times = { createdAtMs, expiresAtMs: createdAtMs + 60_000 };
  const link = { tenant: "default", approvalId: id, principal: people.for, createdBy: people.by, ...times };
  await world.store.write([insertLink(token, link)]);
  return token;
}

describe("a link that is enough by itself", () => {
  test.each([
    ["whom it is for has no key", "pat", none, "pat may not use this server any more"],
    ["whom it is for has a new key", "pat", newKey(), "pat has a new key since"],
    ["who made it has a new key", "root", newKey("admin"), "root has a new key since"],
  ])("shows and answers nothing when %s", async (_, whose, holder, why) => {
    const asked = await ask();
    const { server, post } = await serve(asked, "token");
    await using _server = server;
    const token = await linkFor(asked.world, asked.approval, { by: "root", for: "pat" });
    expect((await post("/v1/approval-links/open", { token })).status).toBe(200);
    asked.holders.set(whose, holder);
    const ended = { code: "APPROVAL_LINK_INVALID", detail: `This link has ended: ${why}` };
    expect((await post("/v1/approval-links/open", { token })).body).toMatchObject(ended);
    const answer = { token, answer: "approve" };
    expect((await post("/v1/approval-links/answer", answer)).body).toMatchObject(ended);
    const key = { tenant: "default", principal: whose, role: "approver", createdAtMs: 0 };
    expect(await countRightsEndedWith(asked.deps, key)).toEqual({ delegations: 0, handOns: 0, links: 1 });
    asked.holders.delete(whose);
    expect((await post("/v1/approval-links/answer", answer)).body).toMatchObject({ status: "approved" });
    expect(await countRightsEndedWith(asked.deps, key)).toMatchObject({ links: 0 });
  });
});

test("a link with which one must be signed in tells people of another tenant no name", async () => {
  const asked = await ask();
  const { server, post } = await serve(asked, "session");
  await using _server = server;
  const token = await linkFor(asked.world, asked.approval, { by: "xen", for: "xen" });
  const open = (who: string) => post("/v1/approval-links/open", { token }, who);
  expect(await open("xen@acme/approver")).toMatchObject({
    status: 403,
    body: { detail: "This link is for somebody of another tenant than acme" },
  });
  expect(await open("bob@default/approver")).toMatchObject({
    status: 403,
    body: { detail: "This link is for xen, and you are bob" },
  });
  expect((await open("xen@default/approver")).status).toBe(200);
});

test("handing on takes a right of one's own that still counts, and notes whose it was", async () => {
  const asked = await ask();
  const { server, post } = await serve(asked, "session");
  await using _server = server;
  const path = `/v1/approvals/${asked.approval.id}/delegate`;
  expect(await post(path, { to: "zoe" }, "yan@default/approver")).toMatchObject({
    status: 200,
    body: { delegates: ["zoe"] },
  });
  const { handOns } = await requireApproval(asked.world.store, asked.approval.id);
  expect(handOns).toMatchObject([{ to: "zoe", by: "yan" }]);
  asked.holders.set("yan", none);
  expect((await post(path, { to: "pat" }, "zoe@default/operator")).status).toBe(403);
});
