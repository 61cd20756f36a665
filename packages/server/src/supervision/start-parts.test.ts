import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Part } from "./part.ts";
import { startParts } from "./start-parts.ts";

const deps = { clock: systemClock, logger: createSilentLogger() };

function part(name: string, seen: string[], faults: { start?: boolean; stop?: boolean } = {}): Part {
  return {
    name,
    start: async () => {
      if (faults.start === true) throw new Error(`${name} cannot start`);
      seen.push(`+${name}`);
    },
    stop: async (deadlineMs) => {
      seen.push(`-${name}`);
      expect(deadlineMs).toBeGreaterThan(0);
      if (faults.stop === true) throw new Error("broken promise");
    },
    health: () => ({ kind: "ok" }),
  };
}

test("parts start in order and stop in reverse, once, even when one breaks its promise", async () => {
  const seen: string[] = [];
  const running = await startParts([part("a", seen), part("b", seen, { stop: true }), part("c", seen)], deps);
  await Promise.all([running.stop(100), running.stop(100)]);
  expect(seen).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
});

test("when one cannot start, those before it are stopped and the reason is told", async () => {
  const seen: string[] = [];
  const start = startParts([part("a", seen), part("b", seen, { start: true }), part("c", seen)], deps);
  await expect(start).rejects.toThrow("b cannot start");
  expect(seen).toEqual(["+a", "-a"]);
});
