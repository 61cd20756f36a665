import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { frameEntries } from "./entry.ts";
import { keyPaths, readSigningKey } from "./keys.ts";
import { appendBlocks, testEntry, testFolder, withLog } from "./log.fixture.ts";
import type { TestFolder } from "./log.fixture.ts";
import { findRestoration, restorationEntry } from "./restoration.ts";
import type { Restoration } from "./restoration.ts";
import { withoutFirst } from "./segment-writer.ts";
import { openNote, signNote } from "./signed-note.ts";
import { parseVerifierKey } from "./checkpoint.ts";
import { verifyHistory } from "./verify-history.ts";
import type { HistoryVerification, RunProof } from "./verify-history.ts";

const backupId = (number: number): string => `bak_${String(number).padStart(32, "0")}`;

function runEntry(index: number, seq: number): ReturnType<typeof testEntry> {
  return {
    ...testEntry(index),
    key: `run/run_1/${index}`,
    run: { id: "run_1", seq, digest: String(index % 10).repeat(64) },
  };
}

/** A ledger of five run events, ended by a restore that knew the first three, and a new one of two. */
function restored(number = 1): {
  readonly folder: TestFolder;
  readonly earlierFolder: string;
  readonly old: Restoration;
} {
  const before = testFolder();
  const head = withLog(before, (log) =>
    log.append(frameEntries([1, 2, 3, 4, 5].map((seq) => runEntry(seq, seq)))),
  );
  const verifierKey = withLog(before, (log) => log.verifierKey);
  const folder = testFolder();
  const earlierFolder = join(folder.home, "earlier-ledgers");
  const old: Restoration = {
    backup: backupId(number),
    backedUpAt: "2026-02-03T04:05:06.789Z",
    verifierKey,
    size: head.size,
    root: head.root,
    published: 3,
  };
  cpSync(before.ledgerFolder, join(earlierFolder, old.backup), { recursive: true });
  withLog(folder, (log) => {
    log.append(frameEntries([restorationEntry(old, 1)]));
    log.append(frameEntries([runEntry(6, 4)]));
  });
  return { folder, earlierFolder, old };
}

interface Told {
  readonly report: HistoryVerification;
  readonly proofs: readonly (readonly [seq: number, digest: string, isLater: boolean])[];
}

async function verify(folder: TestFolder, earlierFolder: string, databaseKnows?: number): Promise<Told> {
  const proofs: [number, string, boolean][] = [];
  const onProof = ({ seq, digest }: RunProof, isLater: boolean): void =>
    void proofs.push([seq, digest[0]!, isLater]);
  const { ledgerFolder, keysFolder } = folder;
  const known = databaseKnows === undefined ? {} : { databaseKnows };
  const report = await verifyHistory({ ledgerFolder, keysFolder, earlierFolder, onProof, ...known });
  return { report, proofs };
}

const whats = ({ report }: Told): readonly string[] => report.findings.map(({ what }) => what);

describe("a ledger that continues another", () => {
  test("is proved together with it; what came after the backup is told apart, and the newest proof comes last", async () => {
    const { folder, earlierFolder, old } = restored();
    const told = await verify(folder, earlierFolder);
    expect(told.report.findings).toEqual([]);
    expect(told.report.restorations).toEqual([old]);
    expect(told.proofs).toEqual([
      [1, "1", false],
      [2, "2", false],
      [3, "3", false],
      [4, "4", true],
      [5, "5", true],
      [4, "6", false],
    ]);
    const check = told.report.checks.find(({ name }) => name === "earlier ledger");
    expect(check).toMatchObject({
      ok: true,
      count: 5,
      detail: expect.stringContaining("2 entries are later") as string,
    });
    expect((await verify(folder, earlierFolder, 1)).proofs.at(-1)).toEqual([4, "6", true]);
  });

  test("any change of the earlier one is found: a byte, its end, its key, its absence", async () => {
    const { folder, earlierFolder, old } = restored();
    const place = join(earlierFolder, old.backup);
    const segment = join(place, "segments", "000000000000.seg");
    const good = readFileSync(segment);
    const bad = Buffer.from(good);
    bad[200]! ^= 1;
    writeFileSync(segment, bad);
    expect((await verify(folder, earlierFolder)).report.findings[0]?.where).toContain(
      `earlier-ledgers/${old.backup}/`,
    );
    writeFileSync(segment, good);

    const other = restored(2);
    cpSync(join(other.earlierFolder, other.old.backup), place, { recursive: true });
    expect(whats(await verify(folder, earlierFolder))).toContain("public key replaced");

    rmSync(join(place, "segments"), { recursive: true });
    expect(whats(await verify(folder, earlierFolder))).toContain("earlier ledger unreadable");
    rmSync(place, { recursive: true });
    expect(whats(await verify(folder, earlierFolder))).toEqual(["earlier ledger missing"]);
  });

  test("an earlier one that went on after the restore named it is not the one that was named", async () => {
    const { folder, earlierFolder } = restored();
    const grown = testFolder();
    appendBlocks(grown, [3]);
    const old = withLog(grown, (log) => ({ ...log.head, verifierKey: log.verifierKey }));
    const named: Restoration = {
      backup: backupId(7),
      backedUpAt: "2026-02-03T04:05:06.789Z",
      verifierKey: old.verifierKey,
      size: 2,
      root: old.root,
      published: 9,
    };
    cpSync(grown.ledgerFolder, join(earlierFolder, named.backup), { recursive: true });
    const next = testFolder();
    withLog(next, (log) => log.append(frameEntries([restorationEntry(named, 1)])));
    const told = await verify(next, earlierFolder);
    expect(whats(told)).toEqual(["earlier ledger changed"]);
    expect(folder.ledgerFolder).not.toBe(next.ledgerFolder);
  });

  test("a chain that leads back into itself, or out of the folder, ends as missing", async () => {
    const { folder, earlierFolder, old } = restored();
    rmSync(join(earlierFolder, old.backup), { recursive: true });
    cpSync(folder.ledgerFolder, join(earlierFolder, old.backup), { recursive: true });
    expect(whats(await verify(folder, earlierFolder))).toContain("earlier ledger missing");
    const next = testFolder();
    withLog(next, (log) => log.append(frameEntries([restorationEntry({ ...old, backup: "../../etc" }, 1)])));
    expect(whats(await verify(next, earlierFolder))).toEqual(["earlier ledger missing"]);
  });

  test("one that began by itself, an empty one and a damaged one continue none", async () => {
    const plain = testFolder();
    withLog(plain, () => undefined);
    expect(await findRestoration(plain.ledgerFolder)).toBeUndefined();
    appendBlocks(plain, [2]);
    expect(await findRestoration(plain.ledgerFolder)).toBeUndefined();
    const told = await verify(plain, join(plain.home, "none"));
    expect(told).toMatchObject({ report: { restorations: [], findings: [] }, proofs: [] });
    rmSync(join(plain.ledgerFolder, "checkpoint"));
    expect(whats(await verify(plain, join(plain.home, "none")))).toContain("checkpoint missing");
  });

  test("shows progress and only the entries that are asked for", async () => {
    const { folder, earlierFolder } = restored();
    const seen: number[] = [];
    await verifyHistory({
      ledgerFolder: folder.ledgerFolder,
      earlierFolder,
      onlyContaining: '"seq":4}',
      onProof: ({ seq }) => void seen.push(seq),
      onProgress: () => undefined,
    });
    expect(seen).toEqual([4, 4]);
  });
});

describe("a note signed by the ledger's key", () => {
  const folder = (): TestFolder => {
    const made = testFolder();
    appendBlocks(made, [1]);
    return made;
  };

  test("opens with the key's public half, and never as a checkpoint or with another's", () => {
    const [mine, other] = [folder(), folder()];
    const signing = readSigningKey(keyPaths(mine.ledgerFolder, mine.keysFolder).signing);
    const verifier = parseVerifierKey(signing.verifierKey)!;
    const note = signNote("a kind of note\nits text\n", signing);
    expect(openNote(note, verifier)).toBe("a kind of note\nits text\n");
    const stranger = readSigningKey(keyPaths(other.ledgerFolder, other.keysFolder).signing);
    expect(openNote(note, parseVerifierKey(stranger.verifierKey)!)).toBeUndefined();
    expect(openNote(signNote("x\n", stranger), verifier)).toBeUndefined();
    expect(openNote("no note", verifier)).toBeUndefined();
    expect(openNote(note.replace("its text", "my text"), verifier)).toBeUndefined();
    const wrongId = note.replace(/ \S+\n$/, ` ${Buffer.alloc(68).toString("base64")}\n`);
    expect(openNote(wrongId, verifier)).toBeUndefined();
  });
});

describe("what is left to write after a short write", () => {
  test.each([
    [0, ["abc", "de"]],
    [2, ["c", "de"]],
    [3, ["de"]],
    [4, ["e"]],
    [5, []],
  ])("of %i bytes", (count, left) => {
    const pieces = [Buffer.from("abc"), Buffer.from("de")];
    expect(withoutFirst(pieces, count).map(String)).toEqual(left);
  });
});

test("an HMAC key that is two segments ahead is out of step", async () => {
  const folder = testFolder({ segmentBytes: 1 });
  appendBlocks(folder, [1, 1, 1]);
  const key = readFileSync(join(folder.keysFolder, "ledger-hmac.key"));
  const ahead = testFolder({ segmentBytes: 1 });
  mkdirSync(ahead.ledgerFolder, { recursive: true });
  cpSync(folder.ledgerFolder, ahead.ledgerFolder, { recursive: true });
  cpSync(folder.keysFolder, ahead.keysFolder, { recursive: true });
  appendBlocks(folder, [1, 1]);
  expect(readFileSync(join(folder.keysFolder, "ledger-hmac.key")).equals(key)).toBe(false);
  cpSync(join(folder.keysFolder, "ledger-hmac.key"), join(ahead.keysFolder, "ledger-hmac.key"));
  expect(whats(await verify(ahead, join(ahead.home, "none")))).toContain("HMAC key out of step");
});
