import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { insertDelegation, revokeDelegation } from "../../approvals/delegations.ts";
import { countEndedWith, listStanding } from "../../approvals/standing.ts";
import { systemClock as clock } from "../../base/clock.ts";
import { isHomeostatError } from "../../base/error.ts";
import { createSilentLogger } from "../../base/log.ts";
import { delegateApproval } from "../../gate/approvals.ts";
import { apiKeysMigration, apiKeysOfTenantMigration, createApiKeys } from "../../identity/api-keys.ts";
import type { ApiKeys } from "../../identity/api-keys.ts";
import { sessionsMigration } from "../../identity/sessions.ts";
import type { Decision } from "../../policy/rules/decision.ts";
import { openPostgresStore } from "../../store/postgres/postgres.ts";
import { skipsPostgres, startTestPostgres } from "../../store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../store/test-postgres.fixture.ts";
import type { World, WorldOptions } from "../testing-world.ts";
import { createPayingWorld, paying } from "./paying-world.fixture.ts";
import type { PayingWorld } from "./paying-world.fixture.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const remember = { scope: "tenant", match: "exact", forMs: 3_600_000 } as const;
const as = (id: string, role: string) => ({ caller: { id, role, tenant: "default" }, remember });

type Score = NonNullable<Decision["score"]>;

async function open(
  by: readonly string[] = ["approver"],
  scoreOf: () => Score | undefined = () => undefined,
  more: Partial<WorldOptions> = {},
  quorum = 1,
): Promise<PayingWorld> {
  const opened = await createPayingWorld({ by, scoreOf, more, quorum });
  worlds.push(opened.world);
  return opened;
}

async function askedAnew(world: World): Promise<string> {
  return (await world.waitingApproval(await world.submit(paying))).reason;
}

async function passes(world: World): Promise<void> {
  await world.until(await world.submit(paying), "COMPLETED");
}

async function rememberedOf(world: World, who: string, role = "approver"): Promise<void> {
  const runId = await world.submit(paying);
  const { id } = await world.waitingApproval(runId);
  await world.answer(id, "approve", "always", as(who, role));
  await world.until(runId, "COMPLETED");
}

describe("a remembered yes is worth what its giver may still do", () => {
  test.each([
    ["has no key any more", { role: "none", sinceMs: 0 }, "ada may not use this server any more"],
    ["has another role", { role: "viewer", sinceMs: 0 }, "ada (viewer) may not answer such a question now; it is for approver"],
    ["has a new key", { role: "approver", sinceMs: Date.now() + 60_000 }, "ada has a new key since"],
  ])("and is asked anew, with the reason, when its giver %s", async (_, holder, why) => {
    const { world, holders, deps } = await open();
    await rememberedOf(world, "ada");
    await passes(world);
    holders.set("ada", holder);
    const [standing] = await listStanding(deps, "default");
    expect(standing).toMatchObject({ createdBy: "ada", voidBecause: why });
    expect(await askedAnew(world)).toBe(
      `payments asks; the remembered yes ${standing!.id} of ada does not count: ${why}`,
    );
    const key = { tenant: "default", principal: "ada", role: "approver", createdAtMs: 0 };
    expect(await countEndedWith(deps, key)).toBe(1);
    expect(await countEndedWith(deps, { ...key, principal: "bob" })).toBe(0);
  }); // prettier-ignore

  test("and somebody else's yes to the same stands for it", async () => {
    const { world, holders } = await open();
    await rememberedOf(world, "ada");
    holders.set("ada", { role: "none", sinceMs: 0 });
    await rememberedOf(world, "bob");
    await passes(world);
  });

  test("by name too: policy may call people whose role alone would not do", async () => {
    const { world, holders } = await open(["user:olga"]);
    holders.set("olga", { role: "operator", sinceMs: 0 });
    await rememberedOf(world, "olga", "operator");
    await passes(world);
    holders.set("olga", { role: "none", sinceMs: 0 });
    expect(await askedAnew(world)).toContain("olga may not use this server any more");
  });

  test("in somebody else's place as long as that one may, with the key they had, and lets them", async () => {
    const { world, holders, deps } = await open();
    const nowMs = clock.now();
    const delegation = { id: "del_1", tenant: "default", from: "ada", to: "olga", createdAtMs: nowMs };
    await world.store.write([insertDelegation({ ...delegation, untilMs: nowMs + 3_600_000 })]);
    holders.set("olga", { role: "operator", sinceMs: 0 });
    await rememberedOf(world, "olga", "operator");
    await passes(world);
    for (const ada of [{ role: "none", sinceMs: 0 }, { role: "approver", sinceMs: clock.now() + 1_000 }]) {
      holders.set("ada", ada);
      expect(await askedAnew(world)).toContain("olga (operator) may not answer such a question now");
    }
    const key = { tenant: "default", principal: "ada", role: "approver", createdAtMs: 0 };
    expect(await countEndedWith(deps, key)).toBe(1);
    holders.delete("ada");
    await passes(world);
    await world.store.write([revokeDelegation({ id: "del_1", tenant: "default", from: "ada" }, clock.now())]);
    expect(await askedAnew(world)).toContain("olga (operator) may not answer such a question now");
  }); // prettier-ignore

  test("and is not theirs to give to whom the one question alone was handed", async () => {
    const { world } = await open();
    const approval = await world.waitingApproval(await world.submit(paying));
    await world.store.write([delegateApproval(approval, { to: "zoe", by: "ada", atMs: clock.now() })]);
    const code = await world.answer(approval.id, "approve", "x", as("zoe", "operator")).then(
      () => "none",
      (error: unknown) => (isHomeostatError(error) ? error.code : String(error)),
    );
    expect(code).toBe("REQUEST_INVALID");
    const { caller } = as("zoe", "operator");
    expect(await world.answer(approval.id, "approve", "x", { caller })).toMatchObject({ status: "approved" });
  });
});

test("a vote is taken back when its voter may not answer any more, before the next one is counted", async () => {
  const { world, holders } = await open(undefined, undefined, {}, 2);
  const runId = await world.submit(paying);
  const approval = await world.waitingApproval(runId);
  const { id } = approval;
  const vote = (who: string, role = "approver") =>
    world.answer(id, "approve", "ok", { caller: as(who, role).caller });
  expect(await vote("ada")).toMatchObject({ status: "waiting", votes: 1 });
  holders.set("ada", { role: "none", sinceMs: 0 });
  expect(await vote("bob")).toMatchObject({ status: "waiting", votes: 1 });
  const [row] = await world.store.read("SELECT voter FROM approval_votes WHERE approval_id = ?", [id]);
  expect(row).toEqual({ voter: "bob" });
  expect(JSON.stringify(await world.store.read("SELECT * FROM ledger_outbox"))).toContain("approval.vote_withdrawn");
  // Whom the question was handed to keeps their vote on it.
  await world.store.write([delegateApproval(approval, { to: "zoe", by: "dan", atMs: clock.now() })]);
  holders.set("bob", { role: "approver", sinceMs: Date.now() + 60_000 });
  holders.set("zoe", { role: "operator", sinceMs: 0 });
  expect(await vote("zoe", "operator")).toMatchObject({ status: "waiting", votes: 1 });
  expect(await vote("cyd")).toMatchObject({ status: "approved", votes: 2 });
  await world.until(runId, "COMPLETED");
}); // prettier-ignore

describe("a yes is worth the risk that was shown with the question", () => {
  const low: Score = { value: 40, factors: [], askedFrom: null };
  const high: Score = { value: 62, factors: [], askedFrom: 60 };

  test("a remembered one does not lift a score that has passed a threshold since", async () => {
    let score: Score | undefined = low;
    const { world } = await open(undefined, () => score);
    await rememberedOf(world, "ada");
    await passes(world);
    score = high;
    const first = await world.waitingApproval(await world.submit(paying));
    expect(first.askedScore).toEqual({ value: 62, askedFrom: 60 });
    await world.answer(first.id, "approve", "I have seen the risk", as("ada", "approver"));
    await passes(world);
    score = { ...high, value: 80 };
    await askedAnew(world);
  });

  test("one that was on its way is asked anew when the score has passed a threshold meanwhile", async () => {
    let score: Score = low;
    const { world } = await open(undefined, () => score);
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    score = high;
    const { caller } = as("ada", "approver");
    await world.answer(id, "approve", "x", { caller });
    await expect.poll(async () => (await world.waitingApproval(runId)).id).not.toBe(id);
    const again = await world.waitingApproval(runId);
    await world.answer(again.id, "approve", "x", { caller });
    await world.until(runId, "COMPLETED");
  });

  test("one of an older version, which recorded no score, counts as it did there", async () => {
    let score: Score | undefined = undefined as Score | undefined;
    const { world } = await open(undefined, () => score);
    await rememberedOf(world, "ada");
    const [row] = await world.store.read("SELECT risk_score, risk_asked_from FROM approvals");
    expect(row).toEqual({ risk_score: null, risk_asked_from: null });
    score = high;
    await passes(world);
  });

  test("with other arguments is none where the score asks", async () => {
    let score: Score = high;
    const { world } = await open(undefined, () => score);
    const { id } = await world.waitingApproval(await world.submit(paying));
    const any = {
      caller: as("ada", "approver").caller,
      remember: { ...remember, match: "resource" },
    } as const;
    await expect(world.answer(id, "approve", "x", any)).rejects.toThrow("an action of high risk");
    score = low;
    const calm = await world.waitingApproval(await world.submit(paying));
    await world.answer(calm.id, "approve", "x", any);
    await world.until(await world.submit(paying.replace("5", "6")), "COMPLETED");
    // Policy has a lower threshold now.
    score = { ...low, askedFrom: 30 };
    await world.waitingApproval(await world.submit(paying.replace("5", "7")));
  });
});

describe.skipIf(skipsPostgres())("on PostgreSQL, with real keys", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  test("ending a key ends its remembered answers, and a new key of the same name brings none back", async () => {
    const url = await server.schema("remembered");
    let keys: ApiKeys | undefined;
    const { world } = await open(undefined, undefined, {
      openStore: (migrations) =>
        openPostgresStore({
          url,
          migrations: [...migrations, sessionsMigration, apiKeysMigration, apiKeysOfTenantMigration],
          clock,
          logger: createSilentLogger(),
        }),
      holderOf: (tenant, name) => keys!.holderOf(tenant, name),
    });
    keys = createApiKeys({ store: world.store, clock });
    const owner = { tenant: "default", by: "admin", expiresAtMs: null, principal: "ada" } as const;
    const first = await keys.create({ ...owner, role: "approver" });
    await rememberedOf(world, "ada");
    await passes(world);
    const deps = { store: world.store, clock, holderOf: keys.holderOf };
    expect(await listStanding(deps, "default")).toMatchObject([{ createdBy: "ada", voidBecause: null }]);
    expect((await keys.list(null)).map(({ id }) => id)).toEqual([first.id]);
    const ended = await keys.revoke({ tenant: null, id: first.id, by: "admin" });
    expect(await countEndedWith(deps, ended)).toBe(1);
    expect(await askedAnew(world)).toContain("ada may not use this server any more");
    await keys.create({ ...owner, role: "approver" });
    expect(await askedAnew(world)).toContain("ada has a new key since");
  });
});
