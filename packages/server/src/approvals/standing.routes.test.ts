import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import type { ManualClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { startTestServer } from "../http/test-server.ts";
import type { TestServer } from "../http/test-server.ts";
import { approvalScoreMigration, approvalsMigration } from "../gate/approvals.ts";
import { outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { approvalDepthMigration } from "./votes.ts";
import { delegationsMigration, insertDelegation, listDelegations } from "./delegations.ts";
import {
  countEndedWith,
  findStanding,
  insertStanding,
  listStanding,
  standingApprovalsMigration,
} from "./standing.ts";
import type { StandingApproval } from "./standing.ts";
import { standingRoutes } from "./standing.routes.ts";
import type { Holder, PeopleDeps } from "./people.ts";

const day = 86_400_000;
let folder: string;
let store: Store;
let server: TestServer;
let clock: ManualClock;
const holders = new Map<string, Holder>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-approvals-"));
  clock = createManualClock(Date.UTC(2026, 0, 1));
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [
      outboxMigration,
      approvalsMigration,
      approvalDepthMigration,
      delegationsMigration,
      standingApprovalsMigration,
      approvalScoreMigration,
    ],
    clock,
    logger: createSilentLogger(),
  });
  holders.clear();
  const holderOf: PeopleDeps["holderOf"] = (_, name) =>
    Promise.resolve(holders.get(name) ?? { role: "approver", sinceMs: 0 });
  server = await startTestServer(standingRoutes({ store, clock, holderOf }));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function call(role: string, method: string, path: string, body?: object) {
  const answer = await server.call(path, {
    method,
    headers: { authorization: `Bearer ${role}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json().catch(() => null)) as Record<string, unknown> };
}

const facts = async (): Promise<readonly string[]> =>
  (await store.read("SELECT * FROM ledger_outbox")).flatMap((row) =>
    [...JSON.stringify(row).matchAll(/approval\.[a-z_]+/g)].map(([type]) => type),
  );

describe("delegations", () => {
  const until = "2026-01-15T00:00:00Z";

  test("are made for somebody else, listed, end by themselves, and are facts of the ledger", async () => {
    const made = await call("approver", "POST", "/v1/delegations", { to: "zoe", until });
    expect(made).toMatchObject({ status: 201, body: { from: "approver", to: "zoe", until: "2026-01-15T00:00:00.000Z" } });
    expect(await call("viewer", "GET", "/v1/delegations")).toMatchObject({ body: { data: [made.body] } });
    expect(await listDelegations(store, "default", { to: "zoe", nowMs: clock.now() })).toHaveLength(1);
    expect(await listDelegations(store, "default", { to: "yan", nowMs: clock.now() })).toEqual([]);
    expect(await facts()).toEqual(["approval.delegation_created"]);
    clock.advance(14 * day);
    expect(await call("viewer", "GET", "/v1/delegations")).toMatchObject({ body: { data: [] } });
  }); // prettier-ignore

  test("are no longer listed when the key they were made with has ended", async () => {
    const { body } = await call("approver", "POST", "/v1/delegations", { to: "zoe", until });
    const listed = async () => (await call("viewer", "GET", "/v1/delegations")).body["data"];
    expect(await listed()).toEqual([body]);
    for (const holder of [
      { role: "none", sinceMs: 0 },
      { role: "approver", sinceMs: clock.now() + 1 },
    ]) {
      holders.set("approver", holder);
      expect(await listed()).toEqual([]);
    }
    holders.set("approver", { role: "approver", sinceMs: clock.now() });
    expect(await listed()).toEqual([body]);
  });

  test("are ended by whoever made them and by an admin, once, and by nobody else", async () => {
    const ids = [];
    for (const to of ["zoe", "yan"]) {
      const { body } = await call("approver", "POST", "/v1/delegations", { to, until });
      ids.push(`/v1/delegations/${String(body["id"])}`);
    }
    expect((await call("operator", "DELETE", ids[0]!)).status).toBe(404);
    expect((await call("approver", "DELETE", ids[0]!)).status).toBe(204);
    expect((await call("approver", "DELETE", ids[0]!)).status).toBe(404);
    expect((await call("admin", "DELETE", ids[1]!)).status).toBe(204);
    expect(await call("viewer", "GET", "/v1/delegations")).toMatchObject({ body: { data: [] } });
  });

  test.each([
    ["to yourself", { to: "ada" }],
    ["until a time that is over", { untilMs: 0 }],
    ["for more than 92 days", { untilMs: 93 * day }],
  ])("cannot be %s", (problem, wrong) => {
    const delegation = {
      id: "del_1",
      tenant: "default",
      from: "ada",
      to: "zoe",
      createdAtMs: 0,
      untilMs: day,
    };
    expect(insertDelegation(delegation).params).toContain("zoe");
    expect(() => insertDelegation({ ...delegation, ...wrong })).toThrow(`cannot be delegated ${problem}`);
  });
});

describe("remembered answers", () => {
  const standing: StandingApproval = {
    id: "sta_1",
    tenant: "default",
    action: "test.pay",
    resource: "bank",
    argsDigest: null,
    scope: "tenant",
    scopeId: "",
    approvalId: "apr_1",
    createdBy: "ada",
    createdAtMs: 1,
    expiresAtMs: Date.UTC(2026, 0, 2),
  };

  /** The question that was answered, as far as it matters here. */
  const question = {
    sql: `INSERT INTO approvals (id, v, tenant, labels, kind, status, run_id, workflow, step, summary, args, args_digest, risk, reason,
      matched, policy_revision, requester, by_roles, requested_at_ms, four_eyes)
      VALUES ('apr_1', 1, 'default', '[]', 'action', 'approved', 'r', 'w', 's', '', '{}', '', 'low', '', '[]', '', 'olga', '["approver"]', 0, 0)`,
  };

  test("are shown with what they fit, and forgotten once", async () => {
    await store.write([
      question,
      insertStanding(standing),
      insertStanding({ ...standing, id: "sta_2", argsDigest: "abc", createdAtMs: 2 }),
      insertStanding({ ...standing, id: "sta_3", tenant: "other" }),
    ]);
    expect(await call("viewer", "GET", "/v1/standing-approvals")).toMatchObject({
      body: { data: [{ id: "sta_2", match: "exact" }, { id: "sta_1", match: "resource", expiresAt: "2026-01-02T00:00:00.000Z" }] },
    });
    expect((await call("approver", "DELETE", "/v1/standing-approvals/sta_3")).status).toBe(404);
    expect((await call("approver", "DELETE", "/v1/standing-approvals/sta_1")).status).toBe(204);
    expect(await call("approver", "DELETE", "/v1/standing-approvals/sta_1")).toMatchObject({ status: 404, body: { detail: "There is no standing approval sta_1 in force" } });
    expect(await facts()).toEqual(["approval.forgotten"]);
  }); // prettier-ignore

  test("are void, and say why, when whoever gave them may not give them any more", async () => {
    await store.write([question, insertStanding(standing)]);
    const listed = () => call("viewer", "GET", "/v1/standing-approvals");
    expect(await listed()).toMatchObject({ body: { data: [{ id: "sta_1", voidBecause: null }] } });
    holders.set("ada", { role: "none", sinceMs: 0 });
    expect(await listed()).toMatchObject({
      body: { data: [{ id: "sta_1", voidBecause: "ada may not use this server any more" }] },
    });
  });

  test("are not said to be gone when the database cannot be asked", async () => {
    await store.write([{ sql: "DROP TABLE standing_approvals" }]);
    expect((await call("approver", "DELETE", "/v1/standing-approvals/sta_1")).status).toBe(500);
  });

  /** Counts what is asked of the database and about people, and how much of it at once. */
  function counting(): {
    readonly deps: PeopleDeps;
    readonly seen: Record<"reads" | "holders" | "most" | "rows", number>;
  } {
    const seen = { reads: 0, holders: 0, most: 0, rows: 0 };
    let waiting = 0;
    const holderOf: PeopleDeps["holderOf"] = (_, name) => {
      seen.holders += 1;
      return Promise.resolve(holders.get(name) ?? { role: "approver", sinceMs: 0 });
    };
    const read: Store["read"] = async (...query) => {
      seen.reads += 1;
      waiting += 1;
      seen.most = Math.max(seen.most, waiting);
      const rows = await store.read(...query);
      waiting -= 1;
      seen.rows = Math.max(seen.rows, rows.length);
      return rows;
    };
    return { deps: { store: { read }, clock, holderOf }, seen };
  }

  test("are judged with one look at each person, however many there are", async () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      insertStanding({ ...standing, id: `sta_${index}`, createdBy: ["ada", "bob", "cyd"][index % 3]! }),
    );
    await store.write([question, ...many]);
    holders.set("bob", { role: "none", sinceMs: 0 });
    const list = counting();
    const listed = await listStanding(list.deps, "default");
    expect(listed.filter(({ voidBecause }) => voidBecause !== null)).toHaveLength(100);
    // The list itself, and who lets ada and cyd answer for them.
    expect(list.seen).toEqual({ reads: 3, holders: 3, most: 1, rows: 300 });
    const count = counting();
    const key = { tenant: "default", principal: "bob", role: "approver", createdAtMs: 0 };
    expect(await countEndedWith(count.deps, key)).toBe(100);
    expect(count.seen).toMatchObject({ reads: 6, most: 1 });
  });

  test("hold the gate up no longer for being many: the newest hundred are looked at", async () => {
    const ended = Array.from({ length: 150 }, (_, index) =>
      insertStanding({ ...standing, id: `sta_${index}`, createdAtMs: index }),
    );
    const stands = { ...standing, id: "sta_new", createdBy: "bob", createdAtMs: 1_000 };
    await store.write([question, ...ended, insertStanding(stands)]);
    holders.set("ada", { role: "none", sinceMs: 0 });
    const now = { rules: [], by: ["approver"], quorum: 1, fourEyes: false, risk: "low" } as const;
    const asked = {
      ...{ tenant: "default", action: "test.pay", resources: ["bank"], argsDigest: "abc" },
      ...{ runId: "r", workflow: "w", requester: "olga", now },
    };
    const first = counting();
    expect(await findStanding(first.deps, asked)).toEqual({ kind: "stands", id: "sta_new" });
    holders.set("bob", { role: "none", sinceMs: 0 });
    const second = counting();
    expect(await findStanding(second.deps, asked)).toMatchObject({ kind: "void", id: "sta_new", by: "bob" });
    expect(second.seen).toEqual({ reads: 1, holders: 2, most: 1, rows: 100 });
  });
});
