import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLeaseSlot } from "../lease-slot.ts";
import { leaseMigration, takeLease } from "../lease.ts";
import { sqliteDialect } from "./migrate-sqlite.ts";
import { renderMigrations } from "../migrate.ts";
import { until } from "../test-things.ts";
import { startWriter } from "../writer.ts";

test("when the thread dies, what it committed is told, the rest and all later writes are refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-writer-"));
  const deaths: string[] = [];
  const writer = await startWriter(
    {
      path: join(folder, "state.db"),
      migrations: renderMigrations([leaseMigration], sqliteDialect),
      synchronous: "full",
      foreignCommitPollMs: 0,
      maxPendingBatches: 100,
    },
    {
      onCommitted: () => {},
      onForeignCommit: () => {},
      onLeaseLost: () => {},
      onDied: (why) => deaths.push(why),
    },
  );
  const take = (name: string): ReturnType<typeof writer.write> =>
    writer.write([takeLease({ name, owner: "me", epoch: 1, untilMs: 0 })]);
  await take("a");
  // All that one turn says goes out together, in its order.
  const [before, after] = [take("before"), (writer.send({ kind: "watch", on: false }), take("after"))];
  await Promise.all([before, after]);
  // A slot that is none: the fault of the thread that this makes stands for every other.
  const slot = undefined as unknown as ReturnType<typeof createLeaseSlot>;
  writer.send({ kind: "hold", lease: { name: "a", owner: "me", epoch: 1, ttlMs: 0, slot } });
  const committed = take("b");
  const refused = new Promise((resolve) => void committed.catch(resolve));
  const outcome = await Promise.race([committed.then(() => "committed"), refused]);
  await until(() => deaths.length > 0);
  expect(deaths).toEqual([expect.stringContaining("the writer thread failed")]);
  // The commit came before the fault, so whatever is told of it must be that.
  expect(outcome).toBe("committed");
  await expect(take("c")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  writer.send({ kind: "watch", on: true });
  await writer.close();
  rmSync(folder, { recursive: true });
});
