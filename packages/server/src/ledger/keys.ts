/** The ledger's key files: signing key, HMAC key of the current segment, the auditor's first HMAC key, and the public key. */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileDurably } from "../base/durable-file.ts";
import { HomeostatError } from "../base/error.ts";
import { formatSigningKey, parseSigningKey, parseVerifierKey } from "./checkpoint.ts";
import type { SigningKey, VerifierKey } from "./checkpoint.ts";
import { nextSegmentKey } from "./segment.ts";

/** The HMAC key of one segment; keys of earlier segments cannot be computed from it. */
export interface SegmentKey {
  readonly segment: number;
  readonly key: Buffer;
}

export interface LedgerKeys {
  readonly signing: SigningKey;
  readonly verifier: VerifierKey;
  readonly segmentKey: SegmentKey;
}

export interface KeyPaths {
  readonly signing: string;
  readonly segmentKey: string;
  /** First HMAC key, from which all others follow; an operator may move it to an auditor. Then it is simply not there. */
  readonly auditor: string;
  readonly verifier: string;
}

export function keyPaths(ledgerFolder: string, keysFolder: string): KeyPaths {
  return {
    signing: join(keysFolder, "ledger-signing.key"),
    segmentKey: join(keysFolder, "ledger-hmac.key"),
    auditor: join(keysFolder, "ledger-auditor.key"),
    verifier: join(ledgerFolder, "key.pub"),
  };
}

/** Makes the keys of a new ledger. Files that a crash half-way left are kept; the public key is written last. */
export function createKeys(paths: KeyPaths, random: (bytes: number) => Buffer = randomBytes): void {
  if (!existsSync(paths.segmentKey)) {
    const first = formatSegmentKey({ segment: 0, key: random(32) });
    writeFileDurably(paths.auditor, first, 0o600);
    writeFileDurably(paths.segmentKey, first, 0o600);
  }
  if (!existsSync(paths.signing)) {
    const name = `homeostat.local/${random(8).toString("hex")}`;
    writeFileDurably(paths.signing, formatSigningKey(name, random(32)), 0o600);
  }
  writeFileDurably(paths.verifier, `${readSigningKey(paths.signing).verifierKey}\n`, 0o644);
}

/** Throws LEDGER_KEYS_UNUSABLE when a file is missing, readable by others, changed, or does not belong to the rest. */
export function openKeys(paths: KeyPaths): LedgerKeys {
  const signing = readSigningKey(paths.signing);
  const text = readText(paths.verifier);
  if (!equalTexts(text, `${signing.verifierKey}\n`)) {
    throw unusable(paths.verifier, "is not the public half of the signing key");
  }
  const verifier = parseVerifierKey(signing.verifierKey) as VerifierKey;
  return { signing, verifier, segmentKey: readSegmentKey(paths.segmentKey) };
}

export function readSigningKey(path: string): SigningKey {
  requirePrivate(path);
  const key = parseSigningKey(readText(path));
  if (key === undefined) throw unusable(path, "does not hold a signing key");
  return key;
}

export function readVerifierKey(path: string): VerifierKey {
  const text = readText(path);
  const key = text.endsWith("\n") ? parseVerifierKey(text.slice(0, -1)) : undefined;
  if (key === undefined) throw unusable(path, "does not hold a public key");
  return key;
}

export function readSegmentKey(path: string): SegmentKey {
  requirePrivate(path);
  const text = readText(path);
  const match = /^homeostat-ledger-hmac v1\nsegment (\d{1,9})\nkey ([0-9a-f]{64})\n/.exec(text);
  const key =
    match === null ? undefined : { segment: Number(match[1]), key: Buffer.from(match[2] as string, "hex") };
  if (key === undefined || !equalTexts(formatSegmentKey(key), text))
    throw unusable(path, "does not hold an HMAC key");
  return key;
}

/** Replaces the segment's key by the next one. The old one is gone from this file; storage may keep a copy of replaced blocks. */
export function advanceSegmentKey(paths: KeyPaths, current: SegmentKey): SegmentKey {
  const next = { segment: current.segment + 1, key: nextSegmentKey(current.key) };
  writeFileDurably(paths.segmentKey, formatSegmentKey(next), 0o600);
  current.key.fill(0);
  return next;
}

/** The key of a later segment. */
export function deriveSegmentKey(from: SegmentKey, segment: number): SegmentKey {
  let key = from.key;
  for (let i = from.segment; i < segment; i += 1) key = nextSegmentKey(key);
  return { segment, key };
}

/** Constant in time, so that it says nothing about a secret. */
export function equalTexts(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}

/** The sum finds a changed byte: 32 random bytes cannot be guessed from it. */
function formatSegmentKey({ segment, key }: SegmentKey): string {
  const text = `homeostat-ledger-hmac v1\nsegment ${segment}\nkey ${key.toString("hex")}\n`;
  return `${text}sum ${hash("sha256", text, "hex")}\n`;
}

function requirePrivate(path: string): void {
  let mode: number;
  try {
    mode = statSync(path).mode;
  } catch (error) {
    throw unusable(path, "is missing", error);
  }
  if ((mode & 0o077) !== 0) {
    throw unusable(path, `may be read by others (mode ${(mode & 0o777).toString(8)}, wanted 600)`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw unusable(path, "cannot be read", error);
  }
}

function unusable(path: string, why: string, cause?: unknown): HomeostatError {
  return new HomeostatError("LEDGER_KEYS_UNUSABLE", `Key file ${path} ${why}`, { path }, { cause });
}

/** Folders of a data folder that the ledger needs; keys are for the owner only. */
export function createFolders(ledgerFolder: string, keysFolder: string): void {
  mkdirSync(join(ledgerFolder, "segments"), { recursive: true, mode: 0o755 });
  mkdirSync(keysFolder, { recursive: true, mode: 0o700 });
}
