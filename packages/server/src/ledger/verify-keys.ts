/** Checks the ledger's key files: form, mode, and that they belong together. */
import { existsSync } from "node:fs";
import { errorMessage } from "../base/error.ts";
import { parseVerifierKey } from "./checkpoint.ts";
import type { SigningKey, VerifierKey } from "./checkpoint.ts";
import type { Findings, OpenCheck } from "./findings.ts";
import {
  deriveSegmentKey,
  equalTexts,
  keyPaths,
  readSegmentKey,
  readSigningKey,
  readVerifierKey,
} from "./keys.ts";
import type { SegmentKey } from "./keys.ts";
import { listSegments } from "./read-segments.ts";
import type { VerifyLedgerOptions } from "./verify-options.ts";

export interface VerifiedKeys {
  readonly verifier: VerifierKey | undefined;
  /** The earliest HMAC key at hand: blocks of its segment and later ones can be checked. */
  readonly firstSegmentKey: SegmentKey | undefined;
}

export function verifyKeys(options: VerifyLedgerOptions, findings: Findings): VerifiedKeys {
  const { ledgerFolder, keysFolder, verifierKey } = options;
  const check = findings.check("key files");
  const paths = keyPaths(ledgerFolder, keysFolder ?? "");
  const verifier = attempt(check, "key.pub", () => readVerifierKey(paths.verifier));
  if (verifierKey !== undefined) compareVerifier(check, verifier, verifierKey);
  if (keysFolder === undefined) return { verifier, firstSegmentKey: undefined };
  const newest = listSegments(ledgerFolder).length - 1;
  const signing = attempt(check, "keys/ledger-signing.key", () => readSigningKey(paths.signing));
  if (signing !== undefined && verifier !== undefined) comparePair(check, signing, verifier);
  const current = attempt(check, "keys/ledger-hmac.key", () => readSegmentKey(paths.segmentKey));
  if (current !== undefined && current.segment !== newest && !isNextSegment(ledgerFolder, current, newest)) {
    const detail = `it belongs to segment ${current.segment}, the newest segment is ${newest}`;
    check.found({ what: "HMAC key out of step", where: "keys/ledger-hmac.key", detail });
  }
  if (!existsSync(paths.auditor)) {
    check.note("the auditor's key is kept elsewhere");
    return { verifier, firstSegmentKey: current };
  }
  const auditor = attempt(check, "keys/ledger-auditor.key", () => readSegmentKey(paths.auditor));
  if (auditor === undefined) return { verifier, firstSegmentKey: current };
  if (current !== undefined && !isAncestor(auditor, current)) {
    const detail = "today's HMAC key does not follow from it";
    check.found({ what: "HMAC keys do not belong together", where: "keys/ledger-auditor.key", detail });
    return { verifier, firstSegmentKey: current };
  }
  return { verifier, firstSegmentKey: auditor };
}

/** The writer advances the key just before it starts a segment, perhaps while this runs. */
function isNextSegment(ledgerFolder: string, { segment }: SegmentKey, newest: number): boolean {
  return segment === newest + 1 || (segment > newest && segment <= listSegments(ledgerFolder).length);
}

function isAncestor(auditor: SegmentKey, current: SegmentKey): boolean {
  if (auditor.segment > current.segment) return false;
  return equalTexts(
    deriveSegmentKey(auditor, current.segment).key.toString("hex"),
    current.key.toString("hex"),
  );
}

function compareVerifier(check: OpenCheck, own: VerifierKey | undefined, given: string): void {
  const parsed = parseVerifierKey(given);
  if (parsed === undefined) {
    check.found({
      what: "verifier key unusable",
      where: "the given key",
      detail: "it is no C2SP verifier key",
    });
  } else if (own !== undefined && (own.name !== parsed.name || own.id !== parsed.id)) {
    check.found({
      what: "public key replaced",
      where: "key.pub",
      detail: `it is not the given key ${parsed.name}+${parsed.id}`,
    });
  }
}

function comparePair(check: OpenCheck, signing: SigningKey, verifier: VerifierKey): void {
  if (equalTexts(signing.verifierKey.slice(0, signing.name.length + 9), `${verifier.name}+${verifier.id}`))
    return;
  check.found({
    what: "keys do not belong together",
    where: "key.pub",
    detail: "it is not the public half of keys/ledger-signing.key",
  });
}

function attempt<Key>(check: OpenCheck, where: string, read: () => Key): Key | undefined {
  check.add(1);
  try {
    return read();
  } catch (error) {
    check.found({ what: "key file unusable", where, detail: errorMessage(error) });
    return undefined;
  }
}
