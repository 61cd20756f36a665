import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { parseEntry } from "./entry.ts";
import { testFolder, withLog } from "./log.fixture.ts";
import { createLedgerReader } from "./reader.ts";
import { verifyLedger } from "./verify.ts";

test(
  "kill -9 while appending loses no acknowledged entry, and the ledger is intact after the next start",
  { timeout: 120_000 },
  async () => {
    const folder = testFolder({ segmentBytes: 100_000 });
    const acknowledged: string[] = [];
    const seed = 7;
    for (let round = 0; round < 8; round += 1) {
      const lines = await appendAndKill(folder, 20 + ((seed * (round + 1) * 37) % 180));
      acknowledged.push(...lines.filter((line) => line !== "ready"));
      const recovered = withLog(folder, (log) => log.head.size);
      expect(
        (await verifyLedger({ ...folder, knownSize: recovered })).findings,
        `seed ${seed}, round ${round}`,
      ).toEqual([]);
    }
    const reader = createLedgerReader(folder.ledgerFolder);
    const keys = (await reader.entries(0, reader.head().size)).map((bytes) => parseEntry(bytes).key);
    expect(acknowledged.length).toBeGreaterThan(20);
    for (const line of acknowledged) {
      const [index, key, count] = line.split(" ") as [string, string, string];
      expect(keys[Number(index)]).toBe(key);
      expect(keys[Number(index) + Number(count) - 1]).toBe(key.replace(/0$/, String(Number(count) - 1)));
    }
  },
);

/** Starts the appender and kills it `afterMs` after its first words. Resolves with the lines it wrote whole. */
function appendAndKill(folder: object, afterMs: number): Promise<string[]> {
  const path = new URL("./crash.fixture.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [path, JSON.stringify(folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (text === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    text += chunk.toString();
  });
  return new Promise((resolve) => child.on("close", () => resolve(text.split("\n").slice(0, -1))));
}
