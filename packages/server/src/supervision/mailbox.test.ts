import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attend, createBell, createMailbox } from "./mailbox.ts";
import type { Overflow } from "./part.ts";

function filled(overflow: Overflow, messages: readonly number[]) {
  const mailbox = createMailbox<number>({ capacity: 2, overflow });
  return { mailbox, answers: messages.map((message) => mailbox.offer(message)) };
}

describe("a full mailbox", () => {
  test.each([
    { overflow: "reject", answer: "refused", left: [1, 2] },
    { overflow: "drop-newest", answer: "dropped", left: [1, 2] },
    { overflow: "drop-oldest", answer: "dropped", left: [2, 3] },
  ] as const)("answers by $overflow as it says", async ({ overflow, answer, left }) => {
    const { mailbox, answers } = filled(overflow, [1, 2, 3]);
    expect(answers).toEqual(["taken", "taken", answer]);
    expect([await mailbox.take(), await mailbox.take()]).toEqual(left);
  });

  test("closed, it gives out what is in it, and nobody gets in", async () => {
    const { mailbox } = filled("drop-newest", [1]);
    mailbox.close();
    expect(mailbox.offer(2)).toBe("refused");
    expect([await mailbox.take(), await mailbox.take()]).toEqual([1, undefined]);
  });

  test("never holds more than its capacity, keeps the order, and accounts for every message", async () => {
    const overflow = fc.constantFrom<Overflow>("reject", "drop-oldest", "drop-newest");
    const steps = fc.array(fc.boolean(), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(overflow, fc.integer({ min: 1, max: 4 }), steps, async (policy, capacity, puts) => {
        const mailbox = createMailbox<number>({ capacity, overflow: policy });
        const taken: number[] = [];
        let next = 0;
        const take = async (): Promise<void> => void taken.push((await mailbox.take())!);
        for (const isPut of puts) {
          if (isPut) mailbox.offer((next += 1));
          else if (mailbox.state().length > 0) await take();
          expect(mailbox.state().length).toBeLessThanOrEqual(capacity);
        }
        while (mailbox.state().length > 0) await take();
        expect(taken).toEqual(taken.toSorted((a, b) => a - b));
        const { accepted, dropped, rejected } = mailbox.state();
        const lostOnEntry = policy === "drop-newest" ? dropped : 0;
        expect(accepted + lostOnEntry + rejected).toBe(next);
        expect(taken.length).toBe(policy === "drop-oldest" ? accepted - dropped : accepted);
      }),
    );
  });
});

describe("a reader", () => {
  test("hears one message at a time, and of news that came meanwhile once", async () => {
    const bell = createBell();
    let inside = 0;
    let heard = 0;
    const reading = attend(bell, async () => {
      expect((inside += 1)).toBe(1);
      heard += 1;
      // While it works on one, three come.
      if (heard === 1) for (let more = 0; more < 3; more += 1) bell.offer("news");
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (heard === 2) bell.close();
    });
    bell.offer("news");
    await reading;
    expect(heard).toBe(2);
    expect(bell.state()).toMatchObject({ accepted: 2, dropped: 2, longest: 1, length: 0 });
  });

  test("that waits is told of the end, and what it throws ends it", async () => {
    const bell = createBell();
    const waiting = attend(bell, () => Promise.resolve());
    bell.close();
    await waiting;
    const broken = createBell();
    broken.offer("news");
    await expect(attend(broken, () => Promise.reject(new Error("cannot")))).rejects.toThrow("cannot");
  });
});
