/** Ids that sort by creation time (UUIDv7, RFC 9562 section 5.7), with a prefix that says what they name. */
import { randomBytes } from "node:crypto";

export type IdPrefix =
  "run" | "apr" | "art" | "bak" | "inb" | "ent" | "req" | "key" | "evt" | "rst" | "sch" | "sta" | "del";

/** For example `run_0192f3b2c1d47a0e8b7c5d6e7f809a1b`. `nowMs` is milliseconds since 1970. */
export function createId(
  prefix: IdPrefix,
  nowMs: number,
  random: (bytes: number) => Buffer = randomBytes,
): string {
  const bytes = random(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return `${prefix}_${bytes.toString("hex")}`;
}

/** 16 random bytes as hex: salts of commitments. */
export function createSalt(random: (bytes: number) => Buffer = randomBytes): string {
  return random(16).toString("hex");
}
