import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { insertDelegation } from "../../approvals/delegations.ts";
import { createLinkToken, insertLink, requireLink } from "../../approvals/links.ts";
import { findResponder } from "../../approvals/responder.ts";
import { listStanding, revokeStanding } from "../../approvals/standing.ts";
import type { JsonObject } from "../../base/canonical-json.ts";
import { systemClock as clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import type { Decision } from "../../policy/rules/decision.ts";
import { expireQuestion, requireReason } from "./answer-approval.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World, WorldOptions } from "../testing-world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const acted: JsonObject[] = [];
const pay: TestTool = {
  name: "test.pay",
  effect: "idempotent",
  act: (args) => {
    acted.push(args);
    return Promise.resolve("paid");
  },
};

type Approving = NonNullable<Decision["obligations"]["approval"]>;

interface Asking {
  readonly tools?: WorldOptions["tools"];
  readonly risk?: Decision["risk"];
  /** Asks always, by default. */
  readonly effect?: (args: Readonly<Record<string, unknown>>) => "ask" | "deny";
  /** What policy says instead, as it stands when it is asked. */
  readonly now?: (args: Readonly<Record<string, unknown>>) => Partial<Decision>;
}

const asks = { name: "payments", effect: "ask", line: 1, why: "action test.pay" } as const;

async function open(approval: Approving, asking: Asking = {}): Promise<World> {
  acted.length = 0;
  const { tools = [pay], risk = "low", effect = () => "ask" as const } = asking;
  const world = await createWorld({
    tools,
    decideFully: ({ args }) => ({
      effect: effect(args),
      risk,
      obligations: { approval },
      matched: [asks],
      reason: "asks",
      revision: "sha256:test",
      ...asking.now?.(args),
    }),
  });
  worlds.push(world);
  return world;
}

async function start(approval: Approving, asking: Asking = {}): Promise<World> {
  const world = await open(approval, asking);
  await world.startWorker("one");
  return world;
}

const paying = `version: 1
name: paying
steps:
  - { id: pay, tool: test.pay, with: { amount: 5 } }
`;

const basic = { by: ["approver"], quorum: 1, expiresMs: 60_000 } as const;
const as = (id: string, role = "approver") => ({ caller: { id, role, tenant: "default" } });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "none",
    (error: unknown) => (isHomeostatError(error) ? error.code : String(error)),
  );
}

describe("a quorum", () => {
  test("runs the action with the vote that completes it, and counts everybody once", async () => {
    const world = await start({ ...basic, quorum: 3 });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    expect(await world.answer(id, "approve", "ok", as("ada"))).toMatchObject({ status: "waiting", votes: 1 });
    expect(await codeOf(world.answer(id, "approve", "again", as("ada")))).toBe("APPROVAL_CONFLICT");
    expect(await world.answer(id, "approve", "ok", as("bob"))).toMatchObject({ status: "waiting", votes: 2 });
    await sleep(50);
    expect(acted).toEqual([]);
    expect(await world.answer(id, "approve", "ok", as("cyd"))).toMatchObject({
      status: "approved",
      decidedBy: "cyd",
    });
    await world.until(runId, "COMPLETED");
    expect(acted).toHaveLength(1);
    expect(await codeOf(world.answer(id, "approve", "late", as("dan")))).toBe("APPROVAL_CONFLICT");
  });

  test("is completed exactly once when everybody answers at the same moment", async () => {
    const world = await start({ ...basic, quorum: 4 });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    const people = ["p1", "p2", "p3", "p4", "p5", "p6"];
    const results = await Promise.all(
      people.map((name) => codeOf(world.answer(id, "approve", "ok", as(name)))),
    );
    expect(results.filter((code) => code === "none")).toHaveLength(4);
    expect(results.filter((code) => code === "APPROVAL_CONFLICT")).toHaveLength(2);
    await world.until(runId, "COMPLETED");
    expect(acted).toHaveLength(1);
  });

  test("one no ends it", async () => {
    const world = await start({ ...basic, quorum: 2 });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    await world.answer(id, "approve", "ok", as("ada"));
    await world.answer(id, "reject", "no", as("bob"));
    expect(await world.until(runId, "FAILED")).toMatchObject({ error: { code: "APPROVAL_REJECTED" } });
    expect(acted).toEqual([]);
  });
});

describe("who may answer", () => {
  test("roles, people by name, people it was handed to, and an admin; nobody else", () => {
    const question = { by: ["approver", "user:ada"], delegates: ["bob"], fourEyes: false, requester: "req" };
    const may = (id: string, role: string) =>
      findResponder(question, { id, role }, { delegators: [], isConsent: true }).kind;
    expect(may("x", "approver")).toBe("may");
    expect(may("ada", "viewer")).toBe("may");
    expect(may("bob", "viewer")).toBe("may");
    expect(may("x", "admin")).toBe("may");
    expect(may("x", "operator")).toBe("may-not");
    expect(may("user:ada", "operator")).toBe("may-not");
  });

  test("what somebody delegated whose key is gone is worth nothing, also where a rule calls them by name", () => {
    const question = { by: ["user:ada"], delegates: [], fourEyes: false, requester: "req" };
    const zoe = { id: "zoe", role: "operator" };
    const may = (role: string) =>
      findResponder(question, zoe, { delegators: [{ id: "ada", role }], isConsent: true }).kind;
    expect([may("viewer"), may("none")]).toEqual(["may", "may-not"]);
  });

  test("with four eyes the requester never agrees, in no disguise, and may always say no", () => {
    const name = fc.constantFrom("req", "ada", "bob");
    const role = fc.constantFrom("approver", "admin", "operator");
    fc.assert(
      fc.property(
        name,
        role,
        fc.array(fc.record({ id: name, role }), { maxLength: 3 }),
        (id, own, delegators) => {
          const question = { by: ["approver"], delegates: [], fourEyes: true, requester: "req" };
          const yes = findResponder(question, { id, role: own }, { delegators, isConsent: true });
          if (yes.kind === "may") expect([id, yes.countsFor]).not.toContain("req");
          const anyEntitled = [own, ...delegators.map((each) => each.role)].some(
            (each) => each !== "operator",
          );
          const no = findResponder(question, { id, role: own }, { delegators, isConsent: false });
          expect(no.kind).toBe(anyEntitled ? "may" : "may-not");
        },
      ),
    );
  });

  test("an answer that holds a secret is refused: the journal would keep it", async () => {
    const world = await start(basic);
    const { id } = await world.waitingApproval(await world.submit(paying));
    expect(await codeOf(world.answer(id, "reject", "it is SECRET-1"))).toBe("REQUEST_INVALID");
    expect(await codeOf(world.answer(id, "reject", "no"))).toBe("none");
  });

  test("the requester's own yes is refused and somebody else's taken", async () => {
    const world = await start({ ...basic, fourEyes: true });
    const runId = await world.submit(paying);
    const { id, requester } = await world.waitingApproval(runId);
    expect(await codeOf(world.answer(id, "approve", "me", as(requester, "admin")))).toBe(
      "AUTHORIZATION_DENIED",
    );
    await world.answer(id, "approve", "ok", as("ada"));
    await world.until(runId, "COMPLETED");
  });

  test("a delegate answers for the one who delegated, whose own vote is then in", async () => {
    const world = await start({ ...basic, quorum: 2 });
    const nowMs = clock.now();
    const delegation = {
      id: "del_1",
      tenant: "default",
      from: "ada",
      to: "zoe",
      createdAtMs: nowMs,
      untilMs: nowMs + 60_000,
    };
    await world.store.write([insertDelegation(delegation)]);
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    expect(await codeOf(world.answer(id, "approve", "x", as("yan", "viewer")))).toBe("AUTHORIZATION_DENIED");
    await world.answer(id, "approve", "for ada", as("zoe", "viewer"));
    expect(await codeOf(world.answer(id, "approve", "me too", as("ada")))).toBe("APPROVAL_CONFLICT");
    await world.answer(id, "approve", "ok", as("bob"));
    await world.until(runId, "COMPLETED");
    const votes = await world.store.read("SELECT voter, counts_for FROM approval_votes ORDER BY counts_for");
    expect(votes).toEqual([
      { voter: "zoe", counts_for: "ada" },
      { voter: "bob", counts_for: "bob" },
    ]);
  });
});

describe("an edit", () => {
  test("runs with the person's arguments, also when the step is tried again", async () => {
    let tries = 0;
    const flaky: TestTool = {
      ...pay,
      act: (args) => {
        acted.push(args);
        tries += 1;
        if (tries === 1) throw new HomeostatError("ACTION_FAILED", "not now", { transient: true });
        return Promise.resolve("paid");
      },
    };
    const world = await start(basic, { tools: [flaky] });
    const runId = await world.submit(
      paying.replace("{ amount: 5 }", "{ amount: 5 }, retry: { attempts: 2, delay: 1ms }"),
    );
    const first = await world.waitingApproval(runId);
    const answered = await world.answer(first.id, "approve", "less", { edit: { amount: 3 } });
    expect(answered).toMatchObject({ status: "approved", args: { amount: 5 }, editedArgs: { amount: 3 } });
    // A retry asks anew, about what was agreed to.
    await expect.poll(() => acted).toEqual([{ amount: 3 }]);
    const second = await world.waitingApproval(runId);
    expect(second.args).toEqual({ amount: 3 });
    await world.answer(second.id, "approve");
    await world.until(runId, "COMPLETED");
    expect(acted).toEqual([{ amount: 3 }, { amount: 3 }]);
  });

  test("is judged by policy anew: what it forbids does not run, whoever wrote it", async () => {
    const world = await start(basic, { effect: ({ amount }) => ((amount as number) > 10 ? "deny" : "ask") });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    await world.answer(id, "approve", "more", { edit: { amount: 50 } });
    expect(await world.until(runId, "FAILED")).toMatchObject({ error: { code: "ACTION_DENIED" } });
    expect(acted).toEqual([]);
  });

  test("does not fit a no, a quorum, a memory, or a question without arguments", async () => {
    const world = await start({ ...basic, quorum: 2 });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    const edit = { amount: 1 };
    expect(await codeOf(world.answer(id, "approve", "x", { edit }))).toBe("REQUEST_INVALID");
    expect(await codeOf(world.answer(id, "reject", "x", { edit }))).toBe("REQUEST_INVALID");
    expect(await codeOf(world.answer(id, "happened", "x"))).toBe("REQUEST_INVALID");
    const asking = await world.submit(
      "version: 1\nname: asking\nsteps:\n  - { id: ask, approval: { message: Sure? } }\n",
    );
    const question = await world.waitingApproval(asking);
    expect(await codeOf(world.answer(question.id, "approve", "x", { edit }))).toBe("REQUEST_INVALID");
    const remember = { scope: "run", match: "exact", forMs: 1_000 } as const;
    expect(await codeOf(world.answer(question.id, "approve", "x", { remember }))).toBe("REQUEST_INVALID");
    const alone = await start(basic);
    const own = await alone.waitingApproval(await alone.submit(paying));
    expect(await codeOf(alone.answer(own.id, "approve", "x", { edit, remember }))).toBe("REQUEST_INVALID");
  });
});

describe("the time of a question", () => {
  test("that is over changes nothing where somebody was faster, and is not lost where it cannot be written", async () => {
    const world = await open(basic);
    const worker = await world.startWorker("one");
    const runId = await world.submit(paying);
    const { id, step } = await world.waitingApproval(runId);
    await worker.stop();
    const question = { runId, step, approvalId: id };
    const { store } = world;
    const away = { read: store.read.bind(store), write: () => Promise.reject(new Error("the disk is full")) };
    await expect(expireQuestion({ store: { ...store, ...away }, clock }, question)).rejects.toThrow("disk");
    await world.answer(id, "approve");
    await expireQuestion({ store, clock }, question);
    await world.startWorker("two");
    await world.until(runId, "COMPLETED");
  });

  test("a no needs a reason, a yes does not", () => {
    const given = { id: "apr_1", answer: "reject", reason: null };
    expect(() => requireReason(given)).toThrow("A rejection needs a reason");
    requireReason({ ...given, reason: "wrong payee" });
    requireReason({ ...given, answer: "approve" });
  });
});

describe("a remembered yes", () => {
  const hour = 3_600_000;

  test("stands for the very same action of the same workflow, and for no other arguments", async () => {
    const world = await start(basic);
    const first = await world.submit(paying);
    const { id } = await world.waitingApproval(first);
    await world.answer(id, "approve", "always", {
      remember: { scope: "workflow", match: "exact", forMs: hour },
    });
    await world.until(first, "COMPLETED");
    const again = await world.submit(paying);
    await world.until(again, "COMPLETED");
    const other = await world.submit(paying.replace("amount: 5", "amount: 6"));
    await world.waitingApproval(other);
    const elsewhere = await world.submit(paying.replace("name: paying", "name: other"));
    await world.waitingApproval(elsewhere);
    const holderOf = () => Promise.resolve({ role: "admin", sinceMs: 0 });
    const [standing] = await listStanding({ store: world.store, clock, holderOf }, "default");
    expect(standing).toMatchObject({ scope: "workflow", scopeId: "paying", createdBy: "eve" });
    const { steps } = await world.state(again);
    expect(steps.get("pay")?.intent?.approvalId).toBe(standing?.id);
    await world.store.write([revokeStanding(standing!.id, "default", clock.now())]);
    await world.waitingApproval(await world.submit(paying));
  });

  test("for a resource takes other arguments; for a run it ends with the run", async () => {
    const world = await start(basic);
    const first = await world.submit(paying);
    await world.answer((await world.waitingApproval(first)).id, "approve", "x", {
      remember: { scope: "tenant", match: "resource", forMs: hour },
    });
    await world.until(await world.submit(paying.replace("amount: 5", "amount: 6")), "COMPLETED");
    await world.store.write([{ sql: "DELETE FROM standing_approvals" }]);
    const twice = `${paying}  - { id: again, tool: test.pay, with: { amount: 5 } }\n`;
    const run = await world.submit(twice);
    await world.answer((await world.waitingApproval(run)).id, "approve", "x", {
      remember: { scope: "run", match: "exact", forMs: hour },
    });
    await world.until(run, "COMPLETED");
    await world.waitingApproval(await world.submit(paying));
  });

  test("is refused where policy wants to hear it each time, for high risk with any arguments, and for too long", async () => {
    const each = [
      { approval: { ...basic, remember: false }, remember: { scope: "run", match: "exact", forMs: hour } },
      { approval: { ...basic, fourEyes: true }, remember: { scope: "run", match: "exact", forMs: hour } },
      { approval: basic, risk: "high", remember: { scope: "run", match: "resource", forMs: hour } },
      // No rule asks: the risk's score does.
      { approval: basic, matched: [], remember: { scope: "run", match: "resource", forMs: hour } },
      { approval: basic, remember: { scope: "run", match: "exact", forMs: 40 * 24 * hour } },
      { approval: basic, remember: { scope: "run", match: "exact", forMs: 0 } },
    ] as const;
    for (const { remember, approval, ...rest } of each) {
      const world = await start(approval, { now: () => rest });
      const { id } = await world.waitingApproval(await world.submit(paying));
      expect(await codeOf(world.answer(id, "approve", "x", { remember }))).toBe("REQUEST_INVALID");
    }
  });
});

describe("a yes is worth what was asked for", () => {
  const hour = 3_600_000;
  const other = { ...asks, name: "instructed" };
  const stricter: readonly (readonly [string, Partial<Decision>])[] = [
    ["another rule asks too", { matched: [asks, other] }],
    ["fewer may answer", { obligations: { approval: { ...basic, by: ["admin"] } } }],
    ["somebody else must agree", { obligations: { approval: { ...basic, fourEyes: true } } }],
    ["more must agree", { obligations: { approval: { ...basic, quorum: 2 } } }],
  ];

  test.each(stricter)("a remembered one is asked anew when %s", async (_, now) => {
    let isStricter = false;
    const world = await start(basic, { now: () => (isStricter ? now : {}) });
    const { id } = await world.waitingApproval(await world.submit(paying));
    await world.answer(id, "approve", "x", { remember: { scope: "tenant", match: "exact", forMs: hour } });
    await world.until(await world.submit(paying), "COMPLETED");
    isStricter = true;
    await world.waitingApproval(await world.submit(paying));
  });

  test("a remembered one for any arguments does not lift those of high risk", async () => {
    const now = ({ amount }: Readonly<Record<string, unknown>>): Partial<Decision> =>
      Number(amount) > 100 ? { risk: "high" } : {};
    const world = await start(basic, { now });
    const { id } = await world.waitingApproval(await world.submit(paying));
    await world.answer(id, "approve", "x", { remember: { scope: "tenant", match: "resource", forMs: hour } });
    await world.until(await world.submit(paying.replace("amount: 5", "amount: 6")), "COMPLETED");
    await world.waitingApproval(await world.submit(paying.replace("amount: 5", "amount: 600")));
  });

  test.each(stricter)("one that was on its way is asked anew when %s", async (_, now) => {
    let isStricter = false;
    const world = await open(basic, { now: () => (isStricter ? now : {}) });
    const worker = await world.startWorker("one");
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    await worker.stop();
    await world.answer(id, "approve", "x");
    isStricter = true;
    await world.startWorker("two");
    await world.until(runId, "WAITING");
    expect((await world.waitingApproval(runId)).id).not.toBe(id);
    expect(acted).toEqual([]);
  });

  test("an edit that another rule asks about is asked of those whom that rule names", async () => {
    const large = {
      matched: [asks, { ...asks, name: "large" }],
      obligations: { approval: { ...basic, by: ["cfo"] } },
    };
    const world = await start(basic, { now: ({ amount }) => (Number(amount) > 100 ? large : {}) });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    await world.answer(id, "approve", "more", { edit: { amount: 900 } });
    await expect.poll(async () => (await world.waitingApproval(runId)).id).not.toBe(id);
    const again = await world.waitingApproval(runId);
    expect(again).toMatchObject({ by: ["cfo"], args: { amount: 900 } });
    expect(acted).toEqual([]);
    await world.answer(again.id, "approve", "ok", as("zoe", "cfo"));
    await world.until(runId, "COMPLETED");
    expect(acted).toEqual([{ amount: 900 }]);
  });
});

describe("a link", () => {
  const anybody = () => Promise.resolve({ role: "approver", sinceMs: 0 });

  test("is good for one answer of one person until it expires, and a copy is worth nothing afterwards", async () => {
    const world = await start(basic);
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    const token = createLinkToken();
    const nowMs = clock.now();
    const link = {
      tenant: "default",
      approvalId: id,
      principal: "ada",
      createdBy: "admin",
      createdAtMs: nowMs,
      expiresAtMs: nowMs + 60_000,
    };
    await world.store.write([insertLink(token, link)]);
    expect(await requireLink({ store: world.store, clock, holderOf: anybody }, token)).toEqual(link);
    await world.answer(id, "approve", "by mail", { ...as("ada"), link: token });
    await world.until(runId, "COMPLETED");
    expect(await codeOf(requireLink({ store: world.store, clock, holderOf: anybody }, token))).toBe(
      "APPROVAL_LINK_INVALID",
    );
    expect(JSON.stringify(await world.store.read("SELECT digest FROM approval_links"))).not.toContain(token);
    const late = createLinkToken();
    await world.store.write([insertLink(late, { ...link, expiresAtMs: nowMs - 1 })]);
    expect(await codeOf(requireLink({ store: world.store, clock, holderOf: anybody }, late))).toBe(
      "APPROVAL_LINK_INVALID",
    );
    expect(await codeOf(requireLink({ store: world.store, clock, holderOf: anybody }, "hsl_guess"))).toBe(
      "APPROVAL_LINK_INVALID",
    );
  });

  test("of two uses at the same time one is told so, and the question is answered once", async () => {
    const world = await start({ ...basic, quorum: 2 });
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    const token = createLinkToken();
    const nowMs = clock.now();
    await world.store.write([
      insertLink(token, {
        tenant: "default",
        approvalId: id,
        principal: "ada",
        createdBy: "admin",
        createdAtMs: nowMs,
        expiresAtMs: nowMs + 60_000,
      }),
    ]);
    const codes = await Promise.all(
      [1, 2].map(() => codeOf(world.answer(id, "approve", "x", { ...as("ada"), link: token }))),
    );
    expect(codes.toSorted()).toEqual(["APPROVAL_LINK_INVALID", "none"]);
  });
});

describe("races: exactly one of", () => {
  test("approve and cancel, answered at the same moment, is what happened", async () => {
    for (let round = 0; round < 8; round += 1) {
      const world = await start(basic);
      const runId = await world.submit(paying);
      const { id } = await world.waitingApproval(runId);
      await Promise.allSettled([world.answer(id, "approve"), world.command(runId, "cancel")]);
      const { state } = await world.until(runId, "COMPLETED", "CANCELLED");
      expect(acted.length).toBeLessThanOrEqual(1);
      if (state === "COMPLETED") expect(acted).toHaveLength(1);
      const [row] = await world.store.read("SELECT status FROM approvals WHERE id = ?", [id]);
      expect(["approved", "cancelled"]).toContain(row?.["status"]);
    }
  });

  test("approve, edit and reject by different people counts, and the others get 409", async () => {
    for (let round = 0; round < 8; round += 1) {
      const world = await start(basic);
      const runId = await world.submit(paying);
      const { id } = await world.waitingApproval(runId);
      const codes = await Promise.all([
        codeOf(world.answer(id, "approve", "x", as("ada"))),
        codeOf(world.answer(id, "approve", "x", { ...as("bob"), edit: { amount: 1 } })),
        codeOf(world.answer(id, "reject", "x", as("cyd"))),
      ]);
      expect(codes.filter((code) => code === "none")).toHaveLength(1);
      expect(codes.filter((code) => code === "APPROVAL_CONFLICT")).toHaveLength(2);
      await world.until(runId, "COMPLETED", "FAILED");
      const expected = codes[0] === "none" ? [{ amount: 5 }] : codes[1] === "none" ? [{ amount: 1 }] : [];
      expect(acted).toEqual(expected);
    }
  });

  test("approve and expire counts", async () => {
    for (let round = 0; round < 4; round += 1) {
      const world = await start({ ...basic, expiresMs: 150 });
      const runId = await world.submit(paying);
      const { id } = await world.waitingApproval(runId);
      await sleep(120 + round * 15);
      const code = await codeOf(world.answer(id, "approve"));
      const { state } = await world.until(runId, "COMPLETED", "FAILED");
      expect(state).toBe(code === "none" ? "COMPLETED" : "FAILED");
      expect(acted).toHaveLength(code === "none" ? 1 : 0);
    }
  });

  test("a yes after the time is none, also while the run is paused or no worker lives", async () => {
    for (const stopWorker of [false, true]) {
      const world = await open({ ...basic, expiresMs: 100 });
      const worker = await world.startWorker("one");
      const runId = await world.submit(paying);
      const { id } = await world.waitingApproval(runId);
      await world.command(runId, "pause");
      await expect.poll(async () => (await world.row(runId)).waiting?.kind).toBe("pause");
      if (stopWorker) await worker.stop();
      await sleep(120);
      await expect(world.answer(id, "approve")).rejects.toMatchObject({
        code: "APPROVAL_CONFLICT",
        data: { status: "expired" },
      });
      expect(await codeOf(world.answer(id, "reject", "no"))).toBe("APPROVAL_CONFLICT");
      if (stopWorker) await world.startWorker("two", ["one"]);
      await world.command(runId, "resume");
      expect(await world.until(runId, "FAILED")).toMatchObject({ error: { code: "APPROVAL_EXPIRED" } });
      expect(acted).toEqual([]);
    }
  });

  test("approve and a restart: the answer is there for the next worker", async () => {
    const world = await open(basic);
    const worker = await world.startWorker("one");
    const runId = await world.submit(paying);
    const { id } = await world.waitingApproval(runId);
    await Promise.all([worker.stop(), world.answer(id, "approve")]);
    await world.startWorker("two", ["one"]);
    await world.until(runId, "COMPLETED");
    expect(acted).toHaveLength(1);
  });
});
