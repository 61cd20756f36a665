import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commit } from "../../base/digest.ts";
import { buildRows, chainDigest, decodeRow, emptyHead, rowFromStore } from "./journal.ts";
import type { Envelope, JournalRow } from "./journal.ts";
import type { EventBody } from "./event.ts";

const envelope: Envelope = {
  runId: "run_1",
  tenant: "default",
  actor: { kind: "agent", id: "workflow:w" },
  labels: ["a"],
  epoch: 3,
  atMs: 1_000,
};

const bodies: readonly EventBody[] = [
  { kind: "run.started", attempt: 1 },
  { kind: "step.skipped", step: "s", reason: "no" },
  { kind: "run.completed", outputs: { x: 1 } },
];

const salt = (): string => "00".repeat(16);

function build(): { readonly rows: readonly JournalRow[] } {
  return buildRows(emptyHead("run_1"), envelope, bodies, salt);
}

describe("the journal's chain", () => {
  test("numbers events from one and links each to the one before", () => {
    const { rows } = build();
    expect(rows.map((row) => row.seq)).toEqual([1, 2, 3]);
    let previous = emptyHead("run_1").digest;
    for (const row of rows) {
      expect(chainDigest(previous, row)).toBe(row.digest);
      expect(commit(row.salt, row.body!)).toBe(row.bodyDigest);
      previous = row.digest;
    }
  });

  test("continues where it was left", () => {
    const whole = build().rows.map((row) => row.digest);
    const first = buildRows(emptyHead("run_1"), envelope, bodies.slice(0, 2), salt);
    const second = buildRows(first.head, envelope, bodies.slice(2), salt);
    expect([...first.rows, ...second.rows].map((row) => row.digest)).toEqual(whole);
  });

  test("a change of any column changes the digest", () => {
    const [row] = build().rows;
    const start = emptyHead("run_1").digest;
    const changes: readonly Partial<JournalRow>[] = [
      { runId: "run_2" },
      { seq: 2 },
      { v: 2 },
      { kind: "run.resumed" },
      { step: "t" },
      { atMs: 1_001 },
      { tenant: "other" },
      { actor: { kind: "user", id: "workflow:w" } },
      { actor: { kind: "agent", id: "workflow:v" } },
      { labels: [] },
      { epoch: 4 },
      { bodyDigest: "00" },
    ];
    for (const change of changes) expect(chainDigest(start, { ...row!, ...change })).not.toBe(row!.digest);
    expect(chainDigest("another start", row!)).not.toBe(row!.digest);
  });

  test("any JSON body survives being written and read", async () => {
    const json = fc.jsonValue();
    await fc.assert(
      fc.asyncProperty(json, async (output) => {
        const body: EventBody = { kind: "step.completed", step: "s", output: output as never };
        const { rows } = buildRows(emptyHead("run_1"), envelope, [body], salt);
        const event = await decodeRow(rows[0]!, () => Promise.reject(new Error("no blob here")));
        expect(event.body).toEqual({
          kind: "step.completed",
          step: "s",
          output: JSON.parse(JSON.stringify(output)) as unknown,
        });
      }),
    );
  });

  test("a body in a blob is read from there, an erased one says so", async () => {
    const row = { ...build().rows[0]!, body: null };
    const blob = { sha256: "ab", sizeBytes: 14 };
    const event = await decodeRow({ ...row, blob }, () => Promise.resolve('{"attempt":1}'));
    expect(event.body).toEqual({ kind: "run.started", attempt: 1 });
    await expect(decodeRow({ ...row, blob: null }, () => Promise.resolve(""))).rejects.toMatchObject({
      code: "BLOB_ERASED",
    });
  });

  test("an event of a newer version is refused, not guessed at", async () => {
    const row = { ...build().rows[0]!, v: 99 };
    await expect(decodeRow(row, () => Promise.resolve(""))).rejects.toMatchObject({
      code: "RUN_VERSION_UNKNOWN",
    });
  });

  test("rows come back from the database as they went in", () => {
    const stored = {
      run_id: "run_1",
      seq: 1,
      v: 1,
      kind: "run.started",
      step: null,
      at_ms: 5,
      tenant: "default",
      actor_kind: "user",
      actor_id: "admin",
      labels: "[]",
      epoch: 1,
      salt: "s",
      body: null,
      blob_sha256: "ab",
      blob_bytes: 9,
      body_digest: "d",
      digest: "e",
    };
    expect(rowFromStore(stored).blob).toEqual({ sha256: "ab", sizeBytes: 9 });
    expect(rowFromStore({ ...stored, blob_sha256: null, body: "{}" })).toMatchObject({
      blob: null,
      body: "{}",
    });
  });
});
