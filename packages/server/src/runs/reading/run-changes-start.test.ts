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
      return Promise.resolve([]);
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
