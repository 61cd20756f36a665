import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Row, SqlValue } from "../store/store.ts";
import { createWorld } from "./testing-world.ts";
import type { TestTool, World } from "./testing-world.ts";

/**
 * Journals as released versions wrote them. A newer program must fold them and carry their runs to the end: that is what lets
 * people upgrade with runs in flight. Files are recorded once per schema version (HOMEOSTAT_TEST_RECORD=1) and never changed.
 */
const path = join(import.meta.dirname, "fixtures", "journal-v1.json");

interface Recording {
  readonly runId: string;
  readonly tables: Readonly<Record<"journal" | "runs" | "approvals", readonly Row[]>>;
}

const workflow = `version: 1
name: recorded
inputs: { n: { type: integer, default: 2 } }
steps:
  - { id: values, set: { twice: "\${{ inputs.n * 2 }}" } }
  - { id: skipped, if: "\${{ false }}", set: { x: 1 } }
  - id: loop
    for_each: "\${{ range(0, 3) }}"
    steps: [{ id: add, tool: test.add, with: { a: "\${{ item }}", b: 1 } }]
    collect: "\${{ steps.add.output }}"
  - id: choice
    branch:
      - when: "\${{ steps.values.output.twice > 3 }}"
        steps: [{ id: flaky, tool: test.flaky, with: {}, retry: { attempts: 3, delay: 10ms } }]
  - { id: pause, wait: { for: 50ms } }
  - { id: sure, approval: { message: "Go on?" } }
  - { id: last, tool: test.add, with: { a: "\${{ sum(steps.loop.output) }}", b: 10 } }
outputs: { total: "\${{ steps.last.output }}", all: "\${{ steps.loop.output }}" }
`;

let calls = 0;
const tools: readonly TestTool[] = [
  { name: "test.add", effect: "pure", act: ({ a, b }) => Promise.resolve((a as number) + (b as number)) },
  {
    name: "test.flaky",
    effect: "idempotent",
    act: () => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error("first try")) : Promise.resolve("second try");
    },
  },
];

async function record(): Promise<Recording> {
  const world = await createWorld({ tools });
  try {
    await world.startWorker("recorder");
    const runId = await world.submit(workflow);
    await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    const read = (table: string): Promise<readonly Row[]> => world.store.read(`SELECT * FROM ${table}`);
    return {
      runId,
      tables: {
        journal: await read("journal"),
        runs: await read("runs"),
        approvals: await read("approvals"),
      },
    };
  } finally {
    await world.close();
  }
}

describe("a journal of schema version 1", () => {
  let world: World;
  let recording: Recording;

  beforeAll(async () => {
    if (process.env["HOMEOSTAT_TEST_RECORD"] === "1" && !existsSync(path)) {
      writeFileSync(path, `${JSON.stringify(await record(), null, 1)}\n`);
    }
    recording = JSON.parse(readFileSync(path, "utf8")) as Recording;
    world = await createWorld({ tools });
    for (const [table, rows] of Object.entries(recording.tables)) {
      for (const row of rows) {
        const columns = Object.keys(row);
        const values = columns.map(() => "?").join(", ");
        const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values})`;
        await world.store.write([{ sql, params: Object.values(row) as SqlValue[] }]);
      }
    }
  });

  afterAll(() => world.close());

  test("folds to the state it was recorded in", async () => {
    const state = await world.state(recording.runId);
    expect(state.phase).toBe("running");
    expect([...state.steps].map(([step, record_]) => [step, record_.status])).toEqual([
      ["values", "completed"],
      ["skipped", "skipped"],
      ["loop", "completed"],
      ["loop/0/add", "completed"],
      ["loop/1/add", "completed"],
      ["loop/2/add", "completed"],
      ["choice", "completed"],
      ["choice/flaky", "completed"],
      ["pause", "completed"],
      ["sure", "waiting"],
    ]);
    expect(state.steps.get("choice/flaky")?.attempt).toBe(2);
  });

  test("is carried to its end by today's program", async () => {
    await world.startWorker("upgraded");
    const { id } = await world.waitingApproval(recording.runId);
    await world.answer(id, "approve");
    await world.until(recording.runId, "COMPLETED");
    expect((await world.state(recording.runId)).outputs).toEqual({ total: 16, all: [1, 2, 3] });
  });
});
