import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { createActor, createAddress } from "./actor.ts";
import { createMailbox } from "./mailbox.ts";
import type { Overflow } from "./part.ts";

const box = (overflow: Overflow, capacity = 2) => createMailbox<number>({ name: "box", capacity, overflow });

describe("a full mailbox", () => {
  test("refuses, drops the newest, drops the oldest, or lets the sender wait, as it says", async () => {
    const reject = box("reject");
    await reject.put(1);
    await reject.put(2);
    await expect(reject.put(3)).rejects.toMatchObject({ code: "MAILBOX_FULL" });
    const newest = box("drop-newest");
    await newest.put(1);
    await newest.put(2);
    expect(await newest.put(3)).toBe("dropped");
    expect(newest.clear()).toEqual([1, 2]);
    const oldest = box("drop-oldest");
    for (const message of [1, 2, 3]) expect(await oldest.put(message)).toBe("taken");
    expect(oldest.clear()).toEqual([2, 3]);
    const block = box("block");
    await block.put(1);
    await block.put(2);
    let isIn = false;
    const third = block.put(3).then(() => (isIn = true));
    await Promise.resolve();
    expect([isIn, block.state().blocked]).toEqual([false, 1]);
    expect(await block.take()).toBe(1);
    await third;
    expect([isIn, block.state().length]).toEqual([true, 2]);
  });

  test("lets a sender that waits give up, and refuses too many of them", async () => {
    const waiting = createMailbox<number>({ name: "box", capacity: 1, overflow: "block", maxBlocked: 1 });
    await waiting.put(1);
    const patience = new AbortController();
    const second = waiting.put(2, patience.signal);
    await expect(waiting.put(3)).rejects.toMatchObject({ code: "MAILBOX_FULL" });
    patience.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    expect(waiting.state()).toMatchObject({ blocked: 0, length: 1 });
  });

  test("closed, it gives out what is in it, and nobody gets in", async () => {
    const closed = box("block", 1);
    await closed.put(1);
    const waiting = closed.put(2);
    closed.close();
    await expect(waiting).rejects.toMatchObject({ code: "MAILBOX_CLOSED" });
    await expect(closed.put(3)).rejects.toMatchObject({ code: "MAILBOX_CLOSED" });
    expect([await closed.take(), await closed.take()]).toEqual([1, undefined]);
  });

  test("never holds more than its capacity, keeps the order, and accounts for every message", async () => {
    const overflow = fc.constantFrom<Overflow>("reject", "drop-oldest", "drop-newest");
    const steps = fc.array(fc.boolean(), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(overflow, fc.integer({ min: 1, max: 4 }), steps, async (policy, capacity, puts) => {
        const mailbox = createMailbox<number>({ name: "box", capacity, overflow: policy });
        const taken: number[] = [];
        let next = 0;
        for (const isPut of puts) {
          if (isPut) await mailbox.put((next += 1)).catch(() => "refused");
          else if (mailbox.state().length > 0) taken.push((await mailbox.take())!);
          expect(mailbox.state().length).toBeLessThanOrEqual(capacity);
        }
        const all = [...taken, ...mailbox.clear()];
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        const { accepted, dropped, rejected } = mailbox.state();
        const lostOnEntry = policy === "drop-newest" ? dropped : 0;
        expect(accepted + lostOnEntry + rejected).toBe(next);
        expect(all.length).toBe(policy === "drop-oldest" ? accepted - dropped : accepted);
      }),
    );
  });
});

describe("an actor", () => {
  const address = () =>
    createAddress<{ add: number[] }, number>({ name: "sum", capacity: 8, overflow: "reject", clock });

  test("takes one message at a time and shares nothing with its callers", async () => {
    const to = address();
    let inside = 0;
    const actor = createActor({
      name: "sum",
      address: to,
      clock,
      behave: async () => {
        let sum = 0;
        return async ({ add }) => {
          expect((inside += 1)).toBe(1);
          await clock.sleep(1);
          for (const each of add.splice(0)) sum += each;
          inside -= 1;
          return sum;
        };
      },
    });
    await actor.start();
    const mine = { add: [1, 2] };
    const answers = await Promise.all([1, 2, 3].map(() => to.ask(mine, { timeoutMs: 1_000 })));
    expect(answers).toEqual([3, 6, 9]);
    expect(mine).toEqual({ add: [1, 2] });
    await actor.stop(100);
    await expect(to.tell(mine)).rejects.toMatchObject({ code: "MAILBOX_CLOSED" });
  });

  test("that breaks down fails the message at hand, and its successor takes the rest from the same address", async () => {
    const to = address();
    const make = () =>
      createActor<{ add: number[] }, number>({
        name: "sum",
        address: to,
        clock,
        behave: () =>
          Promise.resolve(({ add }) =>
            add.length === 0 ? Promise.reject(new Error("nothing to add")) : Promise.resolve(add.length),
          ),
      });
    const first = make();
    await first.start();
    const bad = to.ask({ add: [] }, { timeoutMs: 1_000 });
    const good = to.ask({ add: [1] }, { timeoutMs: 1_000 });
    await expect(bad).rejects.toMatchObject({ code: "ACTOR_FAILED" });
    expect(String(await first.failed)).toContain("nothing to add");
    expect(first.health().kind).toBe("failed");
    await first.stop(100);
    const second = make();
    await second.start();
    expect(await good).toBe(1);
    await second.stop(100);
  });

  test("that does not answer in time is given up, and at its stop what waits is refused", async () => {
    const to = address();
    const actor = createActor<{ add: number[] }, number>({
      name: "sum",
      address: to,
      clock,
      behave: () =>
        Promise.resolve(async (_, signal) => {
          await clock.sleep(60_000, signal).catch(() => undefined);
          return 0;
        }),
    });
    await actor.start();
    await expect(to.ask({ add: [] }, { timeoutMs: 10 })).rejects.toMatchObject({ code: "TIMEOUT" });
    const waiting = to.ask({ add: [] }, { timeoutMs: 5_000 });
    const refused = expect(waiting).rejects.toMatchObject({ code: "ACTOR_FAILED" });
    await actor.stop(20);
    await refused;
  });
});
