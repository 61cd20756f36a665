import { expect, test } from "vitest";
import type { Row, Store } from "../../store/store.ts";
import { createRunChanges } from "./run-changes.ts";

test("a change while the first reader is still joining does not silence all later ones", async () => {
  let told: () => void = () => undefined;
  const asked: string[] = [];
  const store = {
    read: (sql: string): Promise<readonly Row[]> => {
      asked.push(sql);
      // A commit falls between the listener's wish and its being there.
      if (sql.includes("MAX")) told();
      return Promise.resolve(sql.includes("MAX") ? [{ event: null, change: null, upto: null }] : []);
    },
    onCommit: (_table: string, listener: () => void) => {
      told = listener;
      return () => undefined;
    },
  } satisfies Pick<Store, "read" | "onCommit">;
  const stop = await createRunChanges({ store }).subscribe(() => undefined);
  const before = asked.length;
  told();
  await expect.poll(() => asked.length).toBeGreaterThan(before);
  stop();
});

test("a database that is away when somebody joins leaves nothing behind", async () => {
  let listening = 0;
  let isAway = true;
  const store = {
    read: (): Promise<readonly Row[]> =>
      isAway ? Promise.reject(new Error("away")) : Promise.resolve([{ event: null, change: null }]),
    onCommit: () => {
      listening += 1;
      return () => void (listening -= 1);
    },
  } satisfies Pick<Store, "read" | "onCommit">;
  const changes = createRunChanges({ store });
  await expect(changes.subscribe(() => undefined)).rejects.toThrow("away");
  expect(listening).toBe(0);
  isAway = false;
  const stop = await changes.subscribe(() => undefined);
  expect(listening).toBe(1);
  stop();
  expect(listening).toBe(0);
});
