/** Ids that sort by creation time (UUIDv7, RFC 9562 section 5.7), with a prefix that says what they name. */
import { randomBytes, randomUUID } from "node:crypto";

export type IdPrefix =
  "run" | "apr" | "art" | "bak" | "inb" | "ent" | "req" | "key" | "evt" | "rst" | "sch" | "sta" | "del";

/**
 * For example `run_0192f3b2c1d47a0e8b7c5d6e7f809a1b`. `nowMs` is milliseconds since 1970. Randomness comes as a version 4 UUID, of which
 * Node keeps some in store: asked for 16 bytes each time, the generator takes ten times as long.
 */
export function createId(prefix: IdPrefix, nowMs: number, random: () => string = randomUUID): string {
  const uuid = random();
  // Its variant and all that is random; see RFC 9562 section 5.4.
  return `${prefix}_${timeDigits(nowMs)}7${uuid.slice(15, 18)}${uuid.slice(19, 23)}${uuid.slice(24)}`;
}

/** Before every id that is made in that millisecond or later. */
export function idsFrom(prefix: IdPrefix, ms: number): string {
  return `${prefix}_${timeDigits(Math.max(0, ms))}`;
}

/** 16 random bytes as hex: salts of commitments. */
export function createSalt(): string {
  return randomBytes(16).toString("hex");
}

function timeDigits(ms: number): string {
  return Math.floor(ms).toString(16).padStart(12, "0");
}
