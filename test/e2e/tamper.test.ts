import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createHome,
  removeHome,
  runToEnd,
  startTestSystem,
  untilPublished,
  verifyOffline,
} from "./test-system.ts";

let home: string;
let runId: string;

beforeAll(async () => {
  home = await createHome();
  const system = await startTestSystem(home);
  const run = await runToEnd(system, { example: "brand-audit" });
  expect(run).toMatchObject({ state: "COMPLETED", error: null });
  runId = run.id;
  await untilPublished(system);
  await system.stop();
}, 60_000);

afterAll(() => removeHome(home));

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Changes one byte, verifies, and puts it back. */
async function withFlippedByte(path: string, offset: number) {
  const good = readFileSync(path);
  const bad = Buffer.from(good);
  bad[offset]! ^= 1;
  writeFileSync(path, bad);
  try {
    return await verifyOffline(home);
  } finally {
    writeFileSync(path, good);
  }
}

describe("verify of an untouched data folder", () => {
  test("says that the log and the run are whole", async () => {
    const whole = await verifyOffline(home);
    expect(whole).toMatchObject({ verdict: "intact", findings: [], pending: 0 });
    expect(whole.text).toBe("ledger: intact; never witnessed");
    const one = await verifyOffline(home, runId);
    expect(one).toMatchObject({ verdict: "intact", text: `run ${runId}: intact; never witnessed` });
  });

  test("knows a run that does not exist from one that does", async () => {
    await expect(verifyOffline(home, "run_00000000000000000000000000000000")).rejects.toMatchObject({
      code: "RUN_NOT_FOUND",
    });
  });
});

describe("one changed byte", () => {
  test("of any ledger file is found, and the file is named", async () => {
    for (const path of filesBelow(join(home, "ledger"))) {
      const size = statSync(path).size;
      for (const offset of [0, Math.floor(size / 3), size - 1]) {
        const report = await withFlippedByte(path, offset);
        expect([relative(home, path), offset, report.verdict]).toEqual([
          relative(home, path),
          offset,
          "broken",
        ]);
        expect(JSON.stringify(report.findings)).toContain(path.split("/").at(-1));
      }
    }
  }, 60_000);

  test("of an artifact's file or of its stored content is found, and the artifact is named", async () => {
    const report = join(home, "workspaces", runId, "report", "report.md");
    const changed = await withFlippedByte(report, 5);
    expect(changed.verdict).toBe("broken");
    expect(changed.text).toMatch(/report\/report\.md/);
    for (const blob of filesBelow(join(home, "blobs"))) {
      const found = await withFlippedByte(blob, Math.floor(statSync(blob).size / 2));
      // Blobs of superseded workspace manifests prove nothing any more; all others are needed.
      if (found.verdict === "broken")
        expect(JSON.stringify(found.findings)).toMatch(/damaged|changed|unreadable/i);
    }
  }, 60_000);

  test("of any column of any journal row is found, with run, seq and table", async () => {
    const database = new DatabaseSync(join(home, "state.db"));
    const rows = database.prepare("SELECT * FROM journal ORDER BY seq").all();
    const columns = Object.keys(rows[0]!).filter((column) => !["run_id", "seq"].includes(column));
    try {
      for (const row of rows.filter((_, index) => index % 4 === 0)) {
        for (const column of columns) {
          const value = row[column];
          if (value === null) continue;
          const other = typeof value === "number" ? value + 1 : flipText(String(value));
          const update = database.prepare(`UPDATE journal SET ${column} = ? WHERE run_id = ? AND seq = ?`);
          update.run(other, runId, row["seq"]!);
          const report = await verifyOffline(home, runId);
          expect([row["seq"], column, report.verdict]).toEqual([row["seq"], column, "broken"]);
          expect(report.text).toContain("state.db");
          update.run(value!, runId, row["seq"]!);
        }
      }
      expect((await verifyOffline(home)).verdict).toBe("intact");
    } finally {
      database.close();
    }
  }, 120_000);
});

function flipText(text: string): string {
  const middle = Math.floor(text.length / 2);
  const other = text[middle] === "a" ? "b" : "a";
  return text.slice(0, middle) + other + text.slice(middle + 1);
}

describe("what is gone", () => {
  test("a deleted event, a deleted run, a deleted artifact and a cut ledger are found", async () => {
    const database = new DatabaseSync(join(home, "state.db"));
    try {
      database.exec("BEGIN");
      database.prepare("DELETE FROM journal WHERE run_id = ? AND seq = 7").run(runId);
      database.exec("COMMIT");
      const report = await verifyOffline(home);
      expect(report.verdict).toBe("broken");
      expect(report.text).toMatch(/seq (7|8)/);
    } finally {
      database.close();
    }
  });
});
