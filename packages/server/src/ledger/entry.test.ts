import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import { isHomeostatError } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { isPlainEntry } from "./entry-scan.ts";
import { encodeEntry, frameEntries, isEntry, maxEntryBytes, parseEntry, splitPayload } from "./entry.ts";

const plain: LedgerEntry = {
  v: 1,
  key: "run/run_1/4",
  at: "2026-02-03T04:05:06.789Z",
  type: "run.step_completed",
  tenant: "default",
  actor: { kind: "user", id: "admin" },
  labels: ["secret", "eu"],
  run: { id: "run_1", seq: 4, digest: "ab".repeat(32) },
  salt: "0123456789abcdef0123456789abcdef",
  supervisor: "ops",
  blob: { subject: "run_1", sha256: "cd".repeat(32), sizeBytes: 12 },
  data: { b: [1, -2, 0, true, false, null, {}, []], a: { z: "x" }, ab: "" },
};

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 8 }),
);
const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/);
const time = fc
  .date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());
const data = fc.dictionary(text, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>;
const entries: fc.Arbitrary<LedgerEntry> = fc.record(
  {
    v: fc.constant(1 as const),
    key: text,
    at: time,
    type: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,30}$/),
    tenant: text,
    actor: fc.record({
      kind: fc.constantFrom("user" as const, "agent" as const, "system" as const),
      id: text,
    }),
    labels: fc.array(text, { maxLength: 3 }),
    run: fc.record({ id: text, seq: fc.maxSafeNat(), digest: hex64 }),
    salt: fc.stringMatching(/^[0-9a-f]{32}$/),
    supervisor: text,
    blob: fc.record({ subject: text, sha256: hex64, sizeBytes: fc.maxSafeNat() }),
    data,
  },
  { requiredKeys: ["v", "key", "at", "type", "tenant", "actor", "labels", "salt", "data"] },
);

function isWellFormed(entry: LedgerEntry): boolean {
  return JSON.stringify(entry).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(entry));
}

function refusal(entry: unknown): string {
  try {
    encodeEntry(entry as LedgerEntry);
  } catch (error) {
    if (isHomeostatError(error, "LEDGER_ENTRY_INVALID")) return error.message;
    throw error;
  }
  return "accepted";
}

test("an entry is the canonical JSON of its value and comes back as it was", () => {
  fc.assert(
    fc.property(entries.filter(isWellFormed), (entry) => {
      const bytes = encodeEntry(entry);
      expect(bytes.toString()).toBe(canonicalJson(entry as unknown as JsonObject));
      expect(parseEntry(bytes)).toEqual(JSON.parse(JSON.stringify(entry)));
      expect(isEntry(bytes, 0, bytes.length)).toBe(true);
    }),
  );
});

test("the plain scan recognises an ordinary entry, also in the middle of other bytes", () => {
  const bytes = encodeEntry(plain);
  expect(isPlainEntry(bytes, 0, bytes.length)).toBe(true);
  const padded = Buffer.concat([Buffer.from("x{"), bytes, bytes]);
  expect(isPlainEntry(padded, 2, 2 + bytes.length)).toBe(true);
  expect(isPlainEntry(padded, 2, 1 + bytes.length)).toBe(false);
  expect(isPlainEntry(padded, 2, padded.length)).toBe(false);
  const { run: _run, blob: _blob, supervisor: _supervisor, ...short } = plain;
  const least = encodeEntry({ ...short, labels: [], data: {} });
  expect(isPlainEntry(least, 0, least.length)).toBe(true);
});

test("what the plain scan accepts, the exact road accepts: one changed, removed or added byte at any place", () => {
  const bytes = encodeEntry(plain);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const byte of [...'{}[]",:\\ 0129aefz-.+E/', "\n", "\x7f", "\x80", "\xff"].map((c) =>
      c.charCodeAt(0),
    )) {
      const changed = Buffer.from(bytes);
      changed[at] = byte;
      expectScanSound(changed);
      expectScanSound(Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]));
    }
    expectScanSound(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]));
    expectScanSound(bytes.subarray(0, at));
  }
});

test("what the plain scan accepts, the exact road accepts: random entries with random edits", () => {
  fc.assert(
    fc.property(entries.filter(isWellFormed), fc.nat(), fc.nat(255), (entry, place, byte) => {
      const bytes = Buffer.from(encodeEntry(entry));
      bytes[place % bytes.length] = byte;
      expectScanSound(bytes);
    }),
    { numRuns: 2000 },
  );
});

function expectScanSound(bytes: Buffer): void {
  if (!isPlainEntry(bytes, 0, bytes.length)) return;
  expect(() => parseEntry(bytes), bytes.toString("latin1")).not.toThrow();
}

test("numbers, names and nesting in data that are not plain are judged by the exact road", () => {
  for (const data of [
    { a: 1.5, b: 1e21, c: -0.1, d: 9007199254740991, e: -1 },
    { "10": 1, "9": 2 },
    { é: "ü", "\u20ac": "\ud83d\ude00" },
    { text: 'quote " and \\ and \n and \u0001' },
    { deep: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]] },
  ] as JsonObject[]) {
    const bytes = encodeEntry({ ...plain, data });
    expect(isEntry(bytes, 0, bytes.length)).toBe(true);
    expect(parseEntry(bytes).data).toEqual(data);
  }
  for (const day of ["28", "29", "30"]) {
    const bytes = encodeEntry({ ...plain, at: `2026-01-${day}T00:00:00.000Z` });
    expect(isEntry(bytes, 0, bytes.length)).toBe(true);
  }
});

test("a member that breaks the schema is named", () => {
  expect(refusal({ ...plain, v: 2 })).toContain("member v");
  expect(refusal({ ...plain, key: "" })).toContain("member key");
  expect(refusal({ ...plain, key: "x".repeat(1025) })).toContain("member key");
  expect(refusal({ ...plain, at: "2026-02-30T00:00:00.000Z" })).toContain("member at");
  expect(refusal({ ...plain, at: "yesterday" })).toContain("member at");
  expect(refusal({ ...plain, type: "Run" })).toContain("member type");
  expect(refusal({ ...plain, actor: { kind: "robot", id: "x" } })).toContain("member actor");
  expect(refusal({ ...plain, labels: [1] })).toContain("member labels");
  expect(refusal({ ...plain, run: { id: "r", seq: -1, digest: "ab".repeat(32) } })).toContain("member run");
  expect(refusal({ ...plain, run: { id: "r", seq: 1, digest: "ab" } })).toContain("member run");
  expect(refusal({ ...plain, salt: "12" })).toContain("member salt");
  expect(refusal({ ...plain, blob: { subject: "s", sha256: "ab".repeat(32), sizeBytes: 0.5 } })).toContain(
    "member blob",
  );
  expect(refusal({ ...plain, data: [] })).toContain("member data");
  expect(refusal({ ...plain, data: { x: NaN } })).toContain("NaN");
  expect(refusal({ ...plain, key: "\ud800" })).toContain("surrogate");
  expect(refusal({ ...plain, actor: undefined })).toContain("refused");
});

test("bytes that are not one canonical entry are refused", () => {
  const json = encodeEntry(plain).toString();
  const bad = (replaced: string): string => {
    const bytes = Buffer.from(replaced, "latin1");
    expect(isEntry(bytes, 0, bytes.length)).toBe(false);
    try {
      parseEntry(bytes);
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };
  expect(bad("")).toContain("not JSON");
  expect(bad("\xff")).toContain("not JSON");
  expect(bad("[]")).toContain("not an object");
  expect(bad(json.replace("{", "{ "))).toContain("canonical");
  expect(bad(json.replace('"v":1', '"v":1,"v":1'))).toContain("canonical");
  expect(bad(json.replace('"v":1', '"v":1,"w":1'))).toContain('unknown member "w"');
  expect(bad(json.replace('"v":1', '"toString":1,"v":1'))).toContain("unknown member");
  expect(bad(json.replace(',"tenant":"default"', ""))).toContain("member tenant is missing");
  expect(bad(`\ufeff${json}`)).toContain("not JSON");
  expect(bad(json.replace('{"id":"admin","kind":"user"}', "5"))).toContain("member actor");
  expect(bad(json.replace(`"type":"${plain.type}"`, `"type":"${"t".repeat(129)}"`))).toContain("member type");
});

test("an entry of 65,535 bytes fits and one byte more does not", () => {
  const rest = encodeEntry({ ...plain, data: { text: "" } }).length;
  expect(encodeEntry({ ...plain, data: { text: "x".repeat(maxEntryBytes - rest) } }).length).toBe(65_535);
  expect(refusal({ ...plain, data: { text: "x".repeat(maxEntryBytes - rest + 1) } })).toContain(
    "65536 bytes",
  );
});

describe("framing", () => {
  test("a payload is split where it was framed", () => {
    const { payload, count } = frameEntries([plain, { ...plain, key: "other" }]);
    const keys: string[] = [];
    expect(
      splitPayload(payload, (start, end) => keys.push(parseEntry(payload.subarray(start, end)).key)),
    ).toBeUndefined();
    expect(count).toBe(2);
    expect(keys).toEqual([plain.key, "other"]);
  });

  test("a cut or overlong frame is told", () => {
    const { payload } = frameEntries([plain]);
    expect(splitPayload(payload.subarray(0, 1), () => {})).toContain("cut off");
    expect(splitPayload(payload.subarray(0, 100), () => {})).toContain("past the block");
  });
});
