/** Runs as a version of this program left them, in files: their rows and their encrypted bodies, written once and read for ever. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { continueAfter } from "../store/move/number-sequences.ts";
import type { Row, SqlValue } from "../store/store.ts";
import { listTables } from "../store/move/tables.ts";
import { createMood, scenarioPolicy, scenarios, scenarioTools } from "./journal-scenarios.fixture.ts";
import type { Scenario } from "./journal-scenarios.fixture.ts";
import { createWorld } from "./testing-world.ts";
import type { World, WorldOptions } from "./testing-world.ts";

const ofRun = {
  journal: "run_id",
  runs: "id",
  approvals: "run_id",
  inbox: "run_id",
  artifacts: "run_id",
} as const;
const whole = ["workflows", "leases", "blob_keys"] as const;

export interface RecordedRun {
  readonly scenario: string;
  /** The one whose end the scenario tells, last. */
  readonly runIds: readonly string[];
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** Path below the home -> base64. */
  readonly files: Readonly<Record<string, string>>;
}

/** Those whose name begins so; all by default. */
export async function recordScenarios(begin = ""): Promise<readonly RecordedRun[]> {
  const recorded: RecordedRun[] = [];
  for (const scenario of scenarios.filter(({ name }) => name.startsWith(begin)))
    recorded.push(await recordScenario(scenario));
  return recorded;
}

async function recordScenario(scenario: Scenario): Promise<RecordedRun> {
  const mood = createMood();
  const world = await createWorld({ tools: scenarioTools(mood), decide: scenarioPolicy });
  try {
    const runIds = await scenario.begin(world, mood);
    const tables: Record<string, readonly Row[]> = {};
    for (const [table, column] of Object.entries(ofRun)) {
      const marks = runIds.map(() => "?").join(", ");
      tables[table] = await world.store.read(`SELECT * FROM ${table} WHERE ${column} IN (${marks})`, runIds);
    }
    for (const table of whole) tables[table] = await world.store.read(`SELECT * FROM ${table}`);
    return { scenario: scenario.name, runIds, tables, files: await readFiles(world.folder) };
  } finally {
    await world.close();
  }
}

/**
 * A world of today's program, before its first worker, with what was recorded. Every timer has run out meanwhile. `openStore`: in
 * another database than SQLite.
 */
export async function openRecorded(
  { tables, files }: RecordedRun,
  openStore?: WorldOptions["openStore"],
  decide: NonNullable<WorldOptions["decide"]> = scenarioPolicy,
): Promise<World> {
  const world = await createWorld({
    ...(openStore === undefined ? {} : { openStore }),
    tools: scenarioTools(createMood()),
    decide,
    prepare: (home) => writeFiles(home, files),
  });
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const columns = Object.keys(row);
      const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
      await world.store.write([{ sql, params: Object.values(row) as SqlValue[] }]);
    }
  }
  for (const shape of await listTables(world.store)) {
    const rows = tables[shape.name];
    const { identity } = shape;
    if (identity === undefined || rows === undefined) continue;
    const last = rows.reduce((highest, row) => Math.max(highest, Number(row[identity])), 0);
    await world.store.write(continueAfter(world.store.dialect, { ...shape, identity }, last));
  }
  await world.store.write([{ sql: "UPDATE runs SET wake_at_ms = 0 WHERE wake_at_ms IS NOT NULL" }]);
  return world;
}

async function writeFiles(home: string, files: RecordedRun["files"]): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), Buffer.from(content, "base64"), { mode: 0o600 });
  }
}

async function readFiles(home: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ["blobs", "keys"]) {
    for (const entry of await readdir(join(home, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files[path.slice(home.length + 1)] = (await readFile(path)).toString("base64");
    }
  }
  return files;
}
