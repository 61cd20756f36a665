/** One ledger entry as bytes and back: canonical JSON (RFC 8785) of schema version 1, at most 65,535 bytes. */
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { isPlainEntry } from "./entry-scan.ts";

/** The length prefix of a C2SP entry bundle is 16 bits wide. */
export const maxEntryBytes = 65_535;

/** Entries framed for a block's payload: each one preceded by its length, 16 bits, most significant byte first. */
export interface FramedEntries {
  readonly payload: Buffer;
  readonly count: number;
}

/** Throws LEDGER_ENTRY_INVALID when the entry breaks the schema or is larger than 65,535 bytes. */
export function encodeEntry(entry: LedgerEntry): Buffer {
  return Buffer.from(frameEntries([entry]).payload.subarray(2));
}

/** About 2 us for an entry of 240 bytes. Throws LEDGER_ENTRY_INVALID and names the entry's key. */
export function frameEntries(entries: readonly LedgerEntry[]): FramedEntries {
  const texts = entries.map(entryText);
  let totalBytes = 0;
  for (const text of texts) totalBytes += 2 + Buffer.byteLength(text);
  const payload = Buffer.allocUnsafeSlow(totalBytes);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const sizeBytes = payload.write(text, at + 2);
    const key = entries[index]?.key;
    if (sizeBytes > maxEntryBytes) {
      throw invalid(`entry ${key} has ${sizeBytes} bytes, at most ${maxEntryBytes} fit`, { key, sizeBytes });
    }
    payload.writeUInt16BE(sizeBytes, at);
    requireEntry(payload, at + 2, at + 2 + sizeBytes);
    at += 2 + sizeBytes;
  }
  return { payload, count: entries.length };
}

/** Parses the bytes of one entry. Throws LEDGER_ENTRY_INVALID unless they are the canonical form of a valid entry. */
export function parseEntry(bytes: Buffer): LedgerEntry {
  let value: unknown;
  try {
    value = JSON.parse(strictUtf8.decode(bytes));
  } catch (error) {
    throw invalid(`not JSON: ${(error as Error).message}`, {}, error);
  }
  const problem = entryProblem(value);
  if (problem !== undefined) throw invalid(problem, {});
  const entry = value as LedgerEntry;
  if (entryText(entry) !== bytes.toString("utf8"))
    throw invalid("not in canonical form (RFC 8785)", { key: entry.key });
  return entry;
}

/** True when `bytes[start, end)` is the canonical form of a valid entry; what `parseEntry` accepts, without parsing as a rule. */
export function isEntry(bytes: Buffer, start: number, end: number): boolean {
  if (isPlainEntry(bytes, start, end)) return true;
  try {
    parseEntry(bytes.subarray(start, end));
    return true;
  } catch {
    // The caller reports that the entry is bad; why is told by parseEntry.
    return false;
  }
}

/** Calls `visit` with the bounds of each entry of a payload. Returns undefined, or what is wrong with the framing. */
export function splitPayload(
  payload: Buffer,
  visit: (start: number, end: number) => void,
): string | undefined {
  let at = 0;
  while (at < payload.length) {
    if (at + 2 > payload.length) return `length prefix cut off at payload byte ${at}`;
    const end = at + 2 + payload.readUInt16BE(at);
    if (end > payload.length) return `entry at payload byte ${at} reaches past the block`;
    visit(at + 2, end);
    at = end;
  }
  return undefined;
}

/** What is wrong with a value that should be a LedgerEntry, or undefined. The canonical form is judged elsewhere. */
export function entryProblem(value: unknown): string | undefined {
  if (!isObject(value)) return "entry is not an object";
  for (const [name, member] of Object.entries(value)) {
    const check = memberChecks[name as keyof LedgerEntry] as ((member: unknown) => boolean) | undefined;
    if (check === undefined || !Object.hasOwn(memberChecks, name))
      return `unknown member ${JSON.stringify(name)}`;
    if (!check(member)) return `member ${name} is not as schema version 1 wants it`;
  }
  for (const name of requiredMembers) if (!Object.hasOwn(value, name)) return `member ${name} is missing`;
  return undefined;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const typePattern = /^[a-z][a-z0-9_.-]{0,127}$/;
const requiredMembers = ["v", "key", "at", "type", "tenant", "actor", "labels", "salt", "data"] as const;

const memberChecks: { readonly [Name in keyof Required<LedgerEntry>]: (member: unknown) => boolean } = {
  v: (member) => member === 1,
  key: isText,
  at: (member) => typeof member === "string" && timePattern.test(member) && isRealTime(member),
  type: (member) => typeof member === "string" && typePattern.test(member),
  tenant: isText,
  actor: (member) => hasExactly(member, { kind: isActorKind, id: isText }),
  supervisor: isText,
  labels: (member) => Array.isArray(member) && member.every(isText),
  run: (member) => hasExactly(member, { id: isText, seq: isCount, digest: isSha256 }),
  salt: (member) => typeof member === "string" && /^[0-9a-f]{32}$/.test(member),
  blob: (member) => hasExactly(member, { subject: isText, sha256: isSha256, sizeBytes: isCount }),
  data: isObject,
};

/** Members in the order of RFC 8785. Strings of our own making are plain ASCII; JSON.stringify covers the rest. */
function entryText(entry: LedgerEntry): string {
  try {
    const { actor, blob, run, supervisor } = entry;
    return `{"actor":{"id":${quote(actor.id)},"kind":"${actor.kind}"},"at":${quote(entry.at)}${
      blob === undefined ? "" : `,"blob":${canonicalJson(blob as unknown as JsonObject)}`
    },"data":${canonicalJson(entry.data)},"key":${quote(entry.key)},"labels":${canonicalJson(entry.labels as JsonValue)}${
      run === undefined ? "" : `,"run":{"digest":${quote(run.digest)},"id":${quote(run.id)},"seq":${run.seq}}`
    },"salt":${quote(entry.salt)}${supervisor === undefined ? "" : `,"supervisor":${quote(supervisor)}`},"tenant":${quote(
      entry.tenant,
    )},"type":${quote(entry.type)},"v":${entry.v}}`;
  } catch (error) {
    // canonicalJson refuses NaN, lone surrogates and (by the stack) nesting of many thousand levels.
    throw invalid((error as Error).message, { key: entry.key }, error);
  }
}

function quote(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("a text holds a lone surrogate");
  return JSON.stringify(text);
}

/** The text was made here, so only the schema is in question; the plain scan is five times as fast as parsing. */
function requireEntry(payload: Buffer, start: number, end: number): void {
  if (!isPlainEntry(payload, start, end)) parseEntry(payload.subarray(start, end));
}

function invalid(detail: string, data: Readonly<Record<string, unknown>>, cause?: unknown): HomeostatError {
  return new HomeostatError("LEDGER_ENTRY_INVALID", `Ledger entry refused: ${detail}`, data, { cause });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasExactly(value: unknown, checks: Readonly<Record<string, (member: unknown) => boolean>>): boolean {
  if (!isObject(value)) return false;
  const names = Object.keys(checks);
  return (
    Object.keys(value).length === names.length && names.every((name) => checks[name]?.(value[name]) === true)
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= 1024;
}

function isActorKind(value: unknown): boolean {
  return value === "user" || value === "agent" || value === "system";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSha256(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function isRealTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
