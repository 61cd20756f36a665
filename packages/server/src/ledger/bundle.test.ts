import { expect, test } from "vitest";
import { exportBundle, verifyBundle } from "./bundle.ts";
import type { LedgerBundle } from "./bundle.ts";
import { frameEntries } from "./entry.ts";
import { appendBlocks, testEntry, testFolder, withLog } from "./log.fixture.ts";
import { createLedgerReader } from "./reader.ts";

async function bundleOf(selection: Parameters<typeof exportBundle>[1]): Promise<LedgerBundle> {
  const folder = testFolder();
  appendBlocks(folder, [300, 2500]);
  withLog(folder, (log) => {
    const run = (id: string, seq: number): object => ({ run: { id, seq, digest: "ab".repeat(32) } });
    log.append(frameEntries([1, 2].map((seq) => ({ ...testEntry(seq), ...run("run_1", seq) }))));
    log.append(
      frameEntries([
        { ...testEntry(3), ...run("run_10", 1), data: { ",": [{ digest: "", id: "run_1", seq: 9 }] } },
      ]),
    );
  });
  appendBlocks(folder, [10]);
  const bundle = await exportBundle(createLedgerReader(folder.ledgerFolder), selection);
  return JSON.parse(JSON.stringify(bundle)) as LedgerBundle;
}

const whats = (bundle: unknown, key: string): string[] =>
  verifyBundle(bundle, key).findings.map(({ what }) => what);

test("a range and a run are exported and verify with the public key alone", async () => {
  const range = await bundleOf({ kind: "range", from: 298, to: 303 });
  expect(range.entries.map(({ index }) => index)).toEqual([298, 299, 300, 301, 302]);
  expect(verifyBundle(range, `${range.verifierKey}\n`)).toMatchObject({
    size: 2813,
    root: expect.stringMatching(/^[0-9a-f]{64}$/),
    checks: [
      { name: "checkpoint signature", ok: true, count: 1 },
      { name: "entries", ok: true, count: 5 },
    ],
    findings: [],
  });
  const run = await bundleOf({ kind: "run", runId: "run_1" });
  expect(run.entries.map(({ index }) => index)).toEqual([2800, 2801]);
  expect(whats(run, run.verifierKey)).toEqual([]);
  expect((await bundleOf({ kind: "range", from: 2812, to: 9999 })).entries).toHaveLength(1);
});

test("a changed entry, index, proof, checkpoint or key is found", async () => {
  const bundle = await bundleOf({ kind: "range", from: 5, to: 7 });
  const key = bundle.verifierKey;
  const [first, second] = bundle.entries as [LedgerBundle["entries"][0], LedgerBundle["entries"][0]];
  const withFirst = (change: object): unknown => ({ ...bundle, entries: [{ ...first, ...change }, second] });
  expect(whats(withFirst({ entry: { ...first.entry, key: "other" } }), key)).toEqual([
    "entry not in the ledger",
  ]);
  expect(whats(withFirst({ index: 6 }), key)).toEqual(["entry not in the ledger"]);
  expect(whats(withFirst({ proof: first.proof.slice(1) }), key)).toEqual(["entry not in the ledger"]);
  expect(whats(withFirst({ proof: ["xx"] }), key)).toEqual(["entry unreadable"]);
  expect(whats(withFirst({ proof: [1] }), key)).toEqual(["entry unreadable"]);
  expect(whats(withFirst({ proof: "none" }), key)).toEqual(["entry unreadable"]);
  expect(whats(withFirst({ index: "5" }), key)).toEqual(["entry unreadable"]);
  expect(whats(withFirst({ entry: { ...first.entry, v: 2 } }), key)).toEqual(["entry invalid"]);
  expect(whats({ ...bundle, entries: [null] }, key)).toEqual(["entry unreadable"]);
  expect(whats({ ...bundle, checkpoint: bundle.checkpoint.replace("2813", "2812") }, key)).toEqual([
    "checkpoint changed",
  ]);
  expect(whats(bundle, "no key")).toEqual(["verifier key unusable"]);
  for (const bad of [
    null,
    1,
    {},
    { ...bundle, version: 2 },
    { ...bundle, entries: {} },
    { ...bundle, checkpoint: 1 },
  ]) {
    expect(whats(bad, key)).toEqual(["bundle unreadable"]);
  }
});
