/** A Homeostat is backed up while it works, and another one goes on from the backup. */
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restoreBackup } from "../../packages/server/src/backup/restore-backup.ts";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { migrations } from "../../packages/server/src/home/migrations.ts";
import { backUpHome, checkBackup, restoreHome } from "../../packages/server/src/home/backup-home.ts";
import type { BackUpHomeOptions } from "../../packages/server/src/home/backup-home.ts";
import { loadConfig } from "../../packages/server/src/config/config.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import { exportBundle, verifyBundle } from "../../packages/server/src/ledger/bundle.ts";
import { createLedgerReader } from "../../packages/server/src/ledger/reader.ts";
import { parseDatabase } from "../../packages/server/src/home/move-database.ts";
import { openSqliteReader } from "../../packages/server/src/store/sqlite/sqlite-reader.ts";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import {
  createHome,
  removeHome,
  runToEnd,
  startTestSystem,
  token,
  untilPublished,
  verifyOffline,
} from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

const passphrase = "correct horse battery";
const work = `version: 1
name: work
inputs: { n: { type: integer } }
steps:
  - { id: write, tool: file_ops.write, with: { path: note.txt, content: "number \${{ inputs.n }} ${"long ".repeat(1_500)}" } }
  - { id: pause, wait: { for: 200ms } }
  - { id: read, tool: file_ops.read, with: { path: note.txt } }
  - { id: keep, tool: artifact.register, with: { path: note.txt, title: A note } }
`;
const waits = "version: 1\nname: waits\nsteps:\n  - { id: ask, approval: { message: Go on? } }\n";

const policy = `version: 1
rules:
  - { name: all, action: "*", effect: allow }
`;

/** Narrower than policy.yaml: without it more is allowed. */
const part = `version: 1
scope: { tenant: acme }
rules:
  - { name: acme, action: http.request, effect: deny }
`;

function options(home: string, to: string, more: Partial<BackUpHomeOptions> = {}): BackUpHomeOptions {
  const { config } = loadConfig({ home, token }, {});
  return { config, to, passphrase, version: "0.0.0-test", onProgress: () => undefined, ...more };
}

const inFolder = { url: undefined, accessKeyId: undefined, secretAccessKey: undefined, masterKey: undefined };
const quiet = { onProgress: (): void => undefined, blobs: inFolder };

async function addStranger(blobs: string): Promise<void> {
  await mkdir(join(blobs, "run_stranger"));
  await writeFile(join(blobs, "run_stranger", "a".repeat(64)), "of another key");
}

async function startAllowing(home: string, environment: Record<string, string> = {}): Promise<TestSystem> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(join(home, "policy.yaml"), policy, { mode: 0o600 });
  await mkdir(join(home, "policy.d"), { mode: 0o700 });
  await writeFile(join(home, "policy.d/acme.yaml"), part, { mode: 0o600 });
  return await startTestSystem(home, environment);
}

interface Runs {
  readonly data: readonly {
    readonly id: string;
    readonly state: string;
    readonly waitingFor: { readonly kind: string } | null;
  }[];
}

async function untilAllEnded(system: TestSystem): Promise<Runs["data"]> {
  let open: Runs["data"] = [];
  for (let tries = 0; tries < 600; tries += 1) {
    const { data } = await system.api.get<Runs>("/v1/runs?limit=200");
    // A timer goes on by itself, a question does not.
    open = data.filter(({ state, waitingFor }) => state !== "COMPLETED" && waitingFor?.kind !== "approval");
    if (open.length === 0) return data;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`some runs did not end: ${JSON.stringify(open)}`);
}

describe("a backup made under load", () => {
  let place: string;
  let home: string;
  let backup: string;
  let waiting: string;
  let bundle: Awaited<ReturnType<typeof exportBundle>>;
  let submitted = 0;

  beforeAll(async () => {
    place = await createHome();
    home = join(place, "home");
    backup = join(place, "backup");
    const system = await startAllowing(home);
    waiting = (await system.api.post<{ id: string }>("/v1/tasks", { workflow: waits })).id;
    let isLoaded = true;
    const load = async (): Promise<void> => {
      while (isLoaded) {
        submitted += 1;
        await runToEnd(system, { workflow: work, inputs: { n: submitted } });
      }
    };
    const loads = [load(), load(), load()];
    await runToEnd(system, { workflow: work, inputs: { n: 0 } });
    // As one whose key was made after the database was copied.
    await addStranger(homeAt(home).blobs);
    await backUpHome(options(home, backup));
    // The server goes on, so the backup soon is an older copy.
    await runToEnd(system, { workflow: work, inputs: { n: 1_000_000 } });
    isLoaded = false;
    await Promise.all(loads);
    await untilPublished(system);
    bundle = await exportBundle(createLedgerReader(homeAt(home).ledger), { kind: "run", runId: waiting });
    expect((await verifyOffline(home)).verdict).toBe("intact");
    await system.stop();
  }, 120_000);
  afterAll(() => removeHome(place));

  test("is whole, signed, and proves every run in it", async () => {
    const report = await checkBackup({ folder: backup, passphrase, ...quiet });
    expect(report.findings).toEqual([]);
    expect(report.verdict).toBe("intact");
    const runs = report.manifest.database.tables.find(({ name }) => name === "runs");
    expect(runs?.rows).toBeGreaterThan(1);
    expect(report.checks.find(({ name }) => name === "artifacts")?.count).toBeGreaterThan(0);
    const sealed = await checkBackup({ folder: backup, ...quiet });
    expect(sealed.verdict).toBe("intact");
    expect(sealed.checks.find(({ name }) => name === "runs")?.detail).toContain("the keys were not given");
    expect(await readdir(backup)).not.toContain("keys");
    expect(await readdir(place)).toEqual(["backup", "home"]);
    expect(await readdir(join(backup, "blobs"))).not.toContain("run_stranger");
  });

  test("brings no blob that nobody can read, also where an older one holds some", async () => {
    const [older, restored] = [join(place, "older"), join(place, "of-older")];
    await cp(backup, older, { recursive: true });
    await addStranger(join(older, "blobs"));
    await restoreBackup({
      ...{ from: older, home: restored, passphrase, migrations, clock: systemClock },
      ...{ depot: undefined, onProgress: () => undefined },
    });
    const subjects = await readdir(join(restored, "blobs"));
    expect(subjects).not.toContain("run_stranger");
    expect(subjects.length).toBeGreaterThan(1);
    await Promise.all([older, restored].map((folder) => rm(folder, { recursive: true })));
  });

  test("goes on in a new data folder: runs under way end, verify says what it is, old proofs hold", async () => {
    const restored = join(place, "restored");
    const manifest = await restoreHome({
      from: backup,
      home: restored,
      database: undefined,
      passphrase,
      ...quiet,
    });
    expect(await readFile(join(restored, "policy.d/acme.yaml"), "utf8")).toBe(part);
    const before = await verifyOffline(restored);
    expect(before.findings).toEqual([]);
    expect(before.text).toContain(`restored from the backup of ${manifest.createdAt}`);
    expect(before.checks.find(({ name }) => name === "earlier ledger")?.count).toBe(manifest.ledger.size);
    const system = await startTestSystem(restored);
    const runs = await untilAllEnded(system);
    expect(runs.filter(({ state }) => state === "WAITING").map(({ id }) => id)).toEqual([waiting]);
    const { data } = await system.api.get<{ data: { id: string }[] }>("/v1/approvals");
    await system.api.post(`/v1/approvals/${data[0]!.id}/decision`, { answer: "approve" });
    expect((await runToEnd(system, { workflow: work, inputs: { n: -1 } })).state).toBe("COMPLETED");
    await untilAllEnded(system);
    await untilPublished(system);
    await system.stop();
    const after = await verifyOffline(restored);
    expect(after.findings).toEqual([]);
    expect(after.verdict).toBe("intact");
    expect(verifyBundle(bundle, manifest.ledger.verifierKey).findings).toEqual([]);

    // A backup of what was restored carries both ledgers on.
    const second = join(place, "second");
    await backUpHome(options(restored, second));
    const again = join(place, "again");
    await restoreHome({ from: second, home: again, database: undefined, passphrase, ...quiet });
    const twice = await verifyOffline(again);
    expect(twice.findings).toEqual([]);
    expect(twice.checks.filter(({ name }) => name === "earlier ledger")).toHaveLength(2);

    const ledgers = homeAt(again).earlierLedgers;
    await rm(join(ledgers, manifest.id, "checkpoint"));
    expect((await verifyOffline(again)).text).toContain("earlier-ledgers");
    await rm(join(ledgers, manifest.id), { recursive: true });
    expect((await verifyOffline(again)).findings).toContainEqual(
      expect.objectContaining({ what: "earlier ledger missing" }),
    );
  }, 120_000);

  test("is refused when any of its files changed, is missing or is strange", async () => {
    const copy = join(place, "copy");
    const files = ["state.db", "ledger/checkpoint", "files.txt", "manifest.json", "manifest.sig", "keys.enc"];
    const segment = `ledger/segments/${(await readdir(join(backup, "ledger/segments")))[0]!}`;
    for (const name of [...files, segment]) {
      await cp(backup, copy, { recursive: true });
      const bytes = await readFile(join(copy, name));
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      await writeFile(join(copy, name), bytes);
      const verdict = await checkBackup({ folder: copy, passphrase, ...quiet }).then(
        (report) => report.verdict,
        (error: { code: string }) => error.code,
      );
      expect([name, verdict]).toEqual([name, name.startsWith("manifest") ? "BACKUP_INVALID" : "broken"]);
      await expect(
        restoreHome({ from: copy, home: join(place, "never"), database: undefined, passphrase, ...quiet }),
      ).rejects.toMatchObject({ code: "BACKUP_INVALID" });
      await rm(copy, { recursive: true });
    }
    await cp(backup, copy, { recursive: true });
    await writeFile(join(copy, "extra.txt"), "x");
    const { findings } = await checkBackup({ folder: copy, ...quiet });
    expect(findings).toEqual([expect.objectContaining({ what: "unknown file", where: "extra.txt" })]);
    await rm(copy, { recursive: true });
    const wrongKey = "homeostat.local/0000000000000000+00000000+AAAA";
    await expect(checkBackup({ folder: backup, verifierKey: wrongKey, ...quiet })).rejects.toMatchObject({
      code: "BACKUP_INVALID",
    });
    expect(await readdir(place)).not.toContain("never");
  });

  test("opens with its passphrase alone, and nothing is overwritten", async () => {
    const target = { from: backup, home: join(place, "other"), database: undefined, ...quiet };
    for (const wrong of ["correct horse batterie", undefined])
      await expect(restoreHome({ ...target, passphrase: wrong })).rejects.toMatchObject({
        code: "BACKUP_PASSPHRASE",
      });
    const within = {
      code: "BACKUP_TARGET",
      message: expect.stringContaining("lies in the backup") as string,
    };
    for (const inside of [target.from, join(target.from, "blobs", "x")])
      await expect(restoreHome({ ...target, home: inside, passphrase })).rejects.toMatchObject(within);
    await expect(restoreHome({ ...target, home, passphrase })).rejects.toMatchObject({
      code: "BACKUP_TARGET",
    });
    await expect(backUpHome(options(home, backup))).rejects.toMatchObject({ code: "BACKUP_TARGET" });
    await expect(
      backUpHome(options(home, join(place, "short"), { passphrase: "too short" })),
    ).rejects.toMatchObject({ code: "BACKUP_PASSPHRASE" });
    expect((await readdir(place)).sort()).not.toContain("short.partial");
  });

  test("without keys needs them from elsewhere", async () => {
    const bare = join(place, "bare");
    await backUpHome(options(home, bare, { passphrase: undefined }));
    const target = { from: bare, home: join(place, "bare-home"), database: undefined, passphrase: undefined };
    await expect(restoreHome({ ...target, ...quiet })).rejects.toMatchObject({
      message: "The backup holds no keys",
    });
    await restoreHome({ ...target, keysFolder: homeAt(home).keys, ...quiet });
    expect((await verifyOffline(join(place, "bare-home"))).findings).toEqual([]);
  });
});

describe.skipIf(skipsPostgres())("a backup of PostgreSQL", () => {
  test("is one moment of it, and fills an empty PostgreSQL or a SQLite file", async () => {
    const server = await startTestPostgres();
    const place = await createHome();
    try {
      const [home, backup] = [join(place, "home"), join(place, "backup")];
      const url = await server.schema("backed");
      const system = await startAllowing(home, { HOMEOSTAT_DATABASE_URL: url });
      const load = Promise.all([1, 2, 3, 4].map((n) => runToEnd(system, { workflow: work, inputs: { n } })));
      const { config } = loadConfig({ home, token }, { HOMEOSTAT_DATABASE_URL: url });
      const manifest = await backUpHome(options(home, backup, { config }));
      expect(manifest.database.dialect).toBe("postgres");
      await load;
      await system.stop();
      const other = await server.schema("restored");
      const restored = join(place, "restored");
      const database = parseDatabase(other, restored);
      await restoreHome({ from: backup, home: restored, database, passphrase, ...quiet });
      const again = await startTestSystem(restored, { HOMEOSTAT_DATABASE_URL: other });
      await untilAllEnded(again);
      await untilPublished(again);
      expect(await again.api.post("/v1/ledger/verify", {})).toMatchObject({
        verdict: "intact",
        findings: [],
      });
      await again.stop();
      const inFile = join(place, "in-file");
      await restoreHome({ from: backup, home: inFile, database: undefined, passphrase, ...quiet });
      expect((await verifyOffline(inFile)).findings).toEqual([]);
      const store = await openSqliteReader(homeAt(inFile).stateDatabase);
      const [row] = await store.read("SELECT COUNT(*) AS n FROM leases WHERE until_ms > 0");
      expect(row?.["n"]).toBe(0);
      await store.close();
    } finally {
      await removeHome(place);
      await server.stop();
    }
  });
});
