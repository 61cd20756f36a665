import fc from "fast-check";
import { expect, test } from "vitest";
import { createManualClock, systemClock } from "../base/clock.ts";
import { createBulkhead } from "./bulkhead.ts";

const claim = (key: string, atOnce: number, line: number) => ({ key, atOnce, line });

test("places taken and left in any order never number more than allowed, and none is lost", async () => {
  const steps = fc.array(fc.boolean(), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (entering, atOnce) => {
      const bulkhead = createBulkhead({ clock: systemClock });
      let inside = 0;
      for (const isEntering of entering) {
        if (isEntering) {
          const full = await bulkhead.enter([claim("k", atOnce, 0)], 1_000);
          expect(full).toBe(inside < atOnce ? undefined : "k");
          if (full === undefined) inside += 1;
        } else if (inside > 0) {
          bulkhead.leave(["k"]);
          inside -= 1;
        }
        expect(bulkhead.levels()[0]?.inUse ?? 0).toBe(inside);
      }
    }),
  );
});

test("who comes when all is full waits in line, first come first served, and nobody slips in between", async () => {
  const bulkhead = createBulkhead({ clock: createManualClock() });
  const order: string[] = [];
  const come = async (name: string): Promise<void> => {
    if ((await bulkhead.enter([claim("k", 1, 8)], 1_000)) === undefined) order.push(name);
  };
  await come("first");
  const waiting = [come("second"), come("third")];
  expect(bulkhead.levels()).toMatchObject([{ inUse: 1, waiting: 2, refused: 0 }]);
  bulkhead.leave(["k"]);
  const late = come("late");
  await waiting[0];
  bulkhead.leave(["k"]);
  await waiting[1];
  bulkhead.leave(["k"]);
  await late;
  expect(order).toEqual(["first", "second", "third", "late"]);
});

test("a line that is full turns away at once, and patience that runs out leaves the line", async () => {
  const clock = createManualClock();
  const bulkhead = createBulkhead({ clock });
  await bulkhead.enter([claim("k", 1, 1)], 1_000);
  const second = bulkhead.enter([claim("k", 1, 1)], 1_000);
  expect(await bulkhead.enter([claim("k", 1, 1)], 1_000)).toBe("k");
  clock.advance(1_000);
  expect(await second).toBe("k");
  expect(bulkhead.levels()).toMatchObject([{ inUse: 1, waiting: 0, refused: 2 }]);
  bulkhead.leave(["k", "unknown"]);
  expect(await bulkhead.enter([claim("k", 1, 1)], 1_000)).toBeUndefined();
});

test("who needs several places takes all or none, and holds up nobody longer than his patience", async () => {
  const clock = createManualClock();
  const bulkhead = createBulkhead({ clock });
  const [a, b] = [claim("a", 1, 4), claim("b", 1, 4)];
  await bulkhead.enter([a], 0);
  await bulkhead.enter([b], 0);
  const both = bulkhead.enter([a, b], 1_000);
  const behind = bulkhead.enter([a], 5_000);
  bulkhead.leave(["a"]);
  // The one who waits for both is still short of b, so the one behind him has a's place.
  expect(await behind).toBeUndefined();
  clock.advance(1_000);
  expect(await both).toBe("a");
  expect(bulkhead.levels()).toMatchObject([
    { key: "a", inUse: 1, waiting: 0 },
    { key: "b", inUse: 1, waiting: 0 },
  ]);
});

test("whoever stands behind one that gives up is let in if there is a place for him", async () => {
  const clock = createManualClock();
  const bulkhead = createBulkhead({ clock });
  const [a, b] = [claim("a", 1, 4), claim("b", 1, 4)];
  await bulkhead.enter([b], 0);
  await bulkhead.enter([a], 0);
  const both = bulkhead.enter([a, b], 1_000);
  bulkhead.leave(["a"]);
  const behind = bulkhead.enter([a], 5_000);
  expect(bulkhead.levels()[1]).toMatchObject({ key: "a", inUse: 0, waiting: 2 });
  clock.advance(1_000);
  expect(await both).toBe("a");
  expect(await behind).toBeUndefined();
});

test("forgets the oldest places that nobody uses when there are too many, and never one that is in use", async () => {
  const bulkhead = createBulkhead({ clock: createManualClock(), mostRooms: 3 });
  const one = (key: string) => [{ key, atOnce: 1, line: 0 }];
  await bulkhead.enter(one("busy"), 0);
  for (let host = 1; host <= 100; host += 1) {
    expect(await bulkhead.enter(one(`host ${host}`), 0)).toBeUndefined();
    bulkhead.leave([`host ${host}`]);
  }
  expect(bulkhead.levels().map(({ key }) => key)).toEqual(["busy", "host 99", "host 100"]);
  expect(await bulkhead.enter(one("busy"), 0)).toBe("busy");
});
