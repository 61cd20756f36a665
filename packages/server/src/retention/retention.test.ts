import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { listTables } from "../store/move/tables.ts";
import { until } from "../store/test-things.ts";
import { eraseRun, findErasure, finishErasures } from "./erasure.ts";
import { createRetention, passOnce } from "./retention.ts";
import type { RetentionDeps, RetentionSettings } from "./retention.ts";
import { addRun, openRuns } from "./testing-runs.ts";
import type { RunsUnderTest } from "./testing-runs.ts";

let folder: string;
let runs: RunsUnderTest;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-retention-"));
  runs = await openRuns(folder);
});
afterEach(async () => {
  await runs.store.close();
  await rm(folder, { recursive: true });
});

const dayMs = 24 * 3_600_000;
const admin = { kind: "user", id: "admin" } as const;
const daysAgo = (days: number): number => systemClock.now() - days * dayMs;
const signal = new AbortController().signal;

function retention(settings: Partial<RetentionSettings>, more: Partial<RetentionDeps> = {}): RetentionDeps {
  return {
    ...runs,
    settings: { completedDays: 0, failedDays: 0, cancelledDays: 0, workspaceDays: 0, ...settings },
    workspacesFolder: join(folder, "workspaces"),
    erasesRuns: true,
    owner: "one",
    isOwnerDead: () => false,
    logger: createSilentLogger(),
    ...more,
  };
}

async function erasedIds(): Promise<readonly unknown[]> {
  const rows = await runs.store.read("SELECT run_id FROM erasures ORDER BY run_id");
  return rows.map((row) => row["run_id"]);
}

async function expectGone(id: string): Promise<void> {
  expect(existsSync(join(folder, "blobs", id))).toBe(false);
  expect(existsSync(join(folder, "workspaces", id))).toBe(false);
  const [row] = await runs.store.read("SELECT body, salt, body_digest FROM journal WHERE run_id = ?", [id]);
  expect(row).toEqual({ body: null, salt: "", body_digest: "b" });
  const [erasure] = await runs.store.read("SELECT files_gone FROM erasures WHERE run_id = ?", [id]);
  expect(erasure?.["files_gone"]).toBe(1);
}

describe("erasing a run", () => {
  test("says who and why, in the table by word and in the ledger by commitment, once", async () => {
    await addRun(runs, { id: "run_1", state: "FAILED", endedAtMs: 1 });
    const request = { runId: "run_1", actor: admin, reason: "Mrs Smith asked" };
    const [one, two] = await Promise.all([
      eraseRun(runs, request),
      eraseRun(runs, { ...request, reason: "b" }),
    ]);
    expect(two).toEqual(one);
    expect(await findErasure(runs.store, "run_1")).toEqual(one);
    await expectGone("run_1");
    const entries = await runs.store.read("SELECT key, entry FROM ledger_outbox");
    expect(entries).toHaveLength(1);
    expect(entries[0]?.["key"]).toBe("run-erased/run_1");
    const entry = JSON.parse(String(entries[0]?.["entry"])) as Record<string, unknown>;
    expect(entry).toMatchObject({ type: "run.erased", actor: admin, run: { id: "run_1", seq: 1 } });
    expect(entries[0]?.["entry"]).not.toContain("Smith");
    expect(entry["data"]).toEqual({ reason: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    const [row] = await runs.store.read("SELECT error FROM runs WHERE id = 'run_1'");
    expect(row?.["error"]).toBeNull();
  });

  test("waits for a child that goes on, and is nothing for another tenant", async () => {
    await addRun(runs, { id: "run_1", state: "COMPLETED", endedAtMs: 1 });
    await addRun(runs, { id: "run_2", state: "RUNNING", endedAtMs: null, parent: "run_1" });
    const request = { runId: "run_1", actor: admin, reason: null };
    await expect(eraseRun(runs, request)).rejects.toMatchObject({
      code: "RUN_STATE_CONFLICT",
      message: expect.stringContaining("a run that it started is not over yet") as string,
    });
    await expect(eraseRun(runs, { ...request, tenant: "other" })).rejects.toMatchObject({
      code: "RUN_NOT_FOUND",
    });
    await runs.store.write([
      { sql: "UPDATE runs SET state = 'COMPLETED', ended_at_ms = 2 WHERE id = 'run_2'" },
    ]);
    await eraseRun(runs, { ...request, tenant: "default" });
    expect(await erasedIds()).toEqual(["run_1"]);
  });

  test("is refused while a run is not over, with what would end it", async () => {
    await addRun(runs, { id: "run_dead", state: "DEAD", endedAtMs: 1 });
    await addRun(runs, { id: "run_going", state: "WAITING", endedAtMs: null });
    const erase = (runId: string): Promise<unknown> => eraseRun(runs, { runId, actor: admin, reason: null });
    const conflict = { code: "RUN_STATE_CONFLICT" };
    await expect(erase("run_dead")).rejects.toMatchObject({
      ...conflict,
      message: "Run run_dead cannot be erased: it is DEAD",
      hint: expect.stringContaining("homeostat discard RUN") as string,
    });
    await expect(erase("run_going")).rejects.toMatchObject({
      ...conflict,
      message: "Run run_going cannot be erased: it is WAITING",
      hint: expect.stringContaining("homeostat cancel RUN") as string,
    });
    expect(await erasedIds()).toEqual([]);
    expect(await runs.store.read("SELECT key FROM ledger_outbox")).toEqual([]);
  });

  test("asked for again later says who erased it, and adds nothing", async () => {
    await addRun(runs, { id: "run_1", state: "COMPLETED", endedAtMs: 1 });
    const first = await eraseRun(runs, { runId: "run_1", actor: admin, reason: "a" });
    const other = { kind: "user", id: "eve" } as const;
    expect(await eraseRun(runs, { runId: "run_1", actor: other, reason: "b" })).toEqual(first);
    expect(await runs.store.read("SELECT key FROM ledger_outbox")).toHaveLength(1);
  });

  test("takes nothing away when it cannot be written down", async () => {
    await addRun(runs, { id: "run_1", state: "COMPLETED", endedAtMs: 1 });
    const fault = new Error("the disk is full");
    const store = { ...runs.store, write: () => Promise.reject(fault) };
    const request = { runId: "run_1", actor: admin, reason: null };
    await expect(eraseRun({ ...runs, store }, request)).rejects.toBe(fault);
    expect(existsSync(join(folder, "workspaces", "run_1"))).toBe(true);
    expect(await runs.store.read("SELECT body FROM journal WHERE run_id = 'run_1'")).toEqual([
      { body: "private" },
    ]);
  });

  test.each(["before-blobs", "after-blobs"])(
    "a process killed %s leaves a state that the next pass finishes",
    async (when) => {
      await addRun(runs, { id: "run_1", state: "COMPLETED", endedAtMs: 1 });
      const child = fork(new URL("erase-killed.fixture.ts", import.meta.url), [folder, "run_1", when]);
      const [, killedBy] = (await once(child, "exit")) as [number | null, string];
      expect(killedBy).toBe("SIGKILL");
      expect(existsSync(join(folder, "workspaces", "run_1"))).toBe(true);
      const blob = { subject: "run_1", sha256: "0".repeat(64), sizeBytes: 7 };
      await expect(runs.blobs.get(blob)).rejects.toMatchObject({ code: "BLOB_ERASED" });
      expect(await finishErasures(runs)).toBe(1);
      await expectGone("run_1");
      expect(await finishErasures(runs)).toBe(0);
    },
  );
});

/**
 * What of a run stays when it is erased, by table: facts and digests. Whoever gives a table about runs another column decides here
 * whether it stays, or adds it to `erasedRows`.
 */
const stays: Readonly<Record<string, string>> = {
  journal:
    "run_id seq v kind step at_ms tenant actor_kind actor_id labels epoch blob_sha256 blob_bytes body_digest digest",
  runs: `id v tenant state workflow_name workflow_digest priority requester labels parent attempts max_attempts wake_at_ms waiting
    head_seq head_digest steps_done steps_total artifact_count created_at_ms started_at_ms ended_at_ms claims claimed_steps
    claimed_at_ms change_no`,
  approvals: `id v tenant labels kind status run_id workflow step action args_digest risk matched policy_revision requester by_roles
    requested_at_ms expires_at_ms decided_by decided_at_ms answer quorum votes four_eyes may_remember delegates run_path
    risk_score risk_asked_from`,
  approval_votes: "approval_id counts_for voter v at_ms",
  approval_links: "digest v tenant approval_id principal created_by created_at_ms expires_at_ms used_at_ms",
  artifacts: `id v tenant labels run_id step path filename media_type size_bytes sha256 previous_sha256 version status creator
    created_at_ms modified_by modified_at_ms modification supervisor blob_subject`,
  erasures: "run_id at_ms erased_by reason files_gone",
  run_needs: "run_id need",
};
const goes: Readonly<Record<string, string>> = {
  journal: "salt body",
  runs: "error fault progress dedup_key",
  approvals: "summary message resource args edited_args reason decision_reason",
  approval_votes: "reason",
  artifacts: "title description",
  inbox: "id run_id key v at_ms body folded_seq",
  run_keys: "tenant key run_id until_ms",
  standing_approvals: `id v tenant action resource args_digest scope scope_id approval_id created_by created_at_ms expires_at_ms
    revoked_at_ms`,
};

test("of every column of every table about runs somebody has decided whether it stays", async () => {
  const tables = (await listTables(runs.store)).filter(
    ({ name, columns }) =>
      ["runs", "journal"].includes(name) ||
      columns.some((column) => ["run_id", "approval_id"].includes(column)),
  );
  const decided = (name: string): string[] =>
    [stays[name], goes[name]].flatMap((list) => list?.split(/\s+/) ?? []).sort();
  for (const { name, columns } of tables) expect([name, decided(name)]).toEqual([name, [...columns].sort()]);
});

// Their ids begin like those of 1970, when they might have been made.
describe("a pass of retention", () => {
  test("erases what is old enough by its state, and keeps everything where no days are set", async () => {
    await addRun(runs, { id: "run_00old", state: "COMPLETED", endedAtMs: daysAgo(31) });
    await addRun(runs, { id: "run_00new", state: "COMPLETED", endedAtMs: daysAgo(29) });
    await addRun(runs, { id: "run_00failed", state: "FAILED", endedAtMs: daysAgo(1_000) });
    await addRun(runs, { id: "run_00cancelled", state: "CANCELLED", endedAtMs: daysAgo(8) });
    await addRun(runs, { id: "run_00dead", state: "DEAD", endedAtMs: daysAgo(1_000) });
    await addRun(runs, { id: "run_00open", state: "RUNNING", endedAtMs: null });
    expect(await passOnce(retention({}), signal)).toEqual({
      runs: 0,
      finished: 0,
      workspaces: 0,
      orphans: 0,
    });
    const passed = await passOnce(retention({ completedDays: 30, cancelledDays: 7 }), signal);
    expect(passed).toMatchObject({ runs: 2, orphans: 0 });
    expect(await erasedIds()).toEqual(["run_00cancelled", "run_00old"]);
    await expectGone("run_00old");
    expect((await passOnce(retention({ completedDays: 30, cancelledDays: 7 }), signal)).runs).toBe(0);
  });

  test("goes past a run whose child goes on, and stops when it is told to", async () => {
    await addRun(runs, { id: "run_001", state: "COMPLETED", endedAtMs: daysAgo(3) });
    await addRun(runs, { id: "run_002", state: "RUNNING", endedAtMs: null, parent: "run_001" });
    await addRun(runs, { id: "run_003", state: "COMPLETED", endedAtMs: daysAgo(2) });
    const stopped = AbortSignal.abort();
    expect((await passOnce(retention({ completedDays: 1 }), stopped)).runs).toBe(0);
    expect((await passOnce(retention({ completedDays: 1 }), signal)).runs).toBe(1);
    expect(await erasedIds()).toEqual(["run_003"]);
  });

  test("removes old folders of ended runs on every host, and erases nothing where the API is not", async () => {
    await addRun(runs, { id: "run_00old", state: "COMPLETED", endedAtMs: daysAgo(8) });
    await addRun(runs, { id: "run_00new", state: "COMPLETED", endedAtMs: daysAgo(6) });
    await addRun(runs, { id: "run_00open", state: "WAITING", endedAtMs: null });
    await mkdir(join(folder, "workspaces", "somebody-else"));
    const settings = { completedDays: 1, workspaceDays: 7 };
    const passed = await passOnce(retention(settings, { erasesRuns: false }), signal);
    expect(passed).toEqual({ runs: 0, finished: 0, workspaces: 1, orphans: 0 });
    expect((await readdir(join(folder, "workspaces"))).sort()).toEqual([
      "run_00new",
      "run_00open",
      "somebody-else",
    ]);
    expect((await runs.blobs.get(await runs.blobs.put("run_00old", Buffer.from("private")))).toString()).toBe(
      "private",
    );
  });

  test("forgets bodies of submissions that never became a run, a day later", async () => {
    await runs.blobs.put("run_refused", Buffer.from("x"));
    await runs.blobs.put("upload_1", Buffer.from("x"));
    await addRun(runs, { id: "run_001", state: "COMPLETED", endedAtMs: 1 });
    expect((await passOnce(retention({}), signal)).orphans).toBe(0);
    await runs.store.write([{ sql: "UPDATE blob_keys SET created_at_ms = ?", params: [daysAgo(2)] }]);
    expect((await passOnce(retention({}), signal)).orphans).toBe(1);
    expect((await readdir(join(folder, "blobs"))).sort()).toEqual(["run_001", "upload_1"]);
  });

  test("goes past folders and files that cannot be removed, and says so in the end", async () => {
    for (const id of ["run_001", "run_002", "run_003"])
      await addRun(runs, { id, state: "COMPLETED", endedAtMs: daysAgo(8) });
    const stuck = new Error("EACCES: permission denied");
    const removeWorkspace = (id: string): Promise<void> =>
      id === "run_003" ? runs.removeWorkspace(id) : Promise.reject(stuck);
    const erase = (id: string): Promise<void> =>
      id === "run_001" ? Promise.reject(stuck) : runs.blobs.erase(id);
    const settings = { completedDays: 1, workspaceDays: 1 };
    const failing = retention(settings, { removeWorkspace, blobs: { erase } });
    for (let pass = 1; pass <= 2; pass += 1) await expect(passOnce(failing, signal)).rejects.toBe(stuck);
    expect(await erasedIds()).toEqual(["run_001", "run_002", "run_003"]);
    await expectGone("run_003");
    expect(await finishErasures(runs)).toBe(2);
  });

  test("leaves the erasing to whoever holds the lease", async () => {
    await addRun(runs, { id: "run_001", state: "COMPLETED", endedAtMs: daysAgo(3) });
    await runs.store.write([
      {
        sql: "INSERT INTO leases (name, owner, epoch, until_ms) VALUES ('singleton/retention', 'two', 1, ?)",
        params: [systemClock.now() + 60_000],
      },
    ]);
    expect((await passOnce(retention({ completedDays: 1 }), signal)).runs).toBe(0);
    const dead = retention({ completedDays: 1 }, { isOwnerDead: (owner) => owner === "two" });
    expect((await passOnce(dead, signal)).runs).toBe(1);
  });

  test("as a part: passes at its start, says what fails, and stops", async () => {
    await addRun(runs, { id: "run_001", state: "COMPLETED", endedAtMs: daysAgo(3) });
    const failing = { erase: (): Promise<void> => Promise.reject(new Error("the bucket is gone")) };
    const bad = createRetention(retention({ completedDays: 1 }, { blobs: failing }));
    await bad.start();
    await until(() => bad.health().kind === "degraded");
    expect(bad.health().detail).toBe("the bucket is gone");
    await bad.stop(1_000);
    const good = createRetention(retention({ completedDays: 1 }));
    await good.start();
    await until(() => !existsSync(join(folder, "workspaces", "run_001")));
    await good.stop(1_000);
    expect(good.health()).toEqual({ kind: "ok" });
  });
});

test("a fault of our own ends the part, which says why", async () => {
  const fault = new TypeError("x is not a function");
  const store = { ...runs.store, read: () => Promise.reject(fault) };
  const broken = createRetention(retention({ workspaceDays: 1, completedDays: 1 }, { store }));
  await broken.start();
  expect(await broken.failed).toBe(fault);
  expect(broken.health()).toMatchObject({ kind: "degraded", detail: fault.message });
  await broken.stop(1_000);
});
