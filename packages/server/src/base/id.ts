/** Ids that sort by creation time (UUIDv7, RFC 9562 section 5.7), with a prefix that says what they name. */
import { randomFillSync } from "node:crypto";

export type IdPrefix =
  "run" | "apr" | "art" | "bak" | "inb" | "ent" | "req" | "key" | "evt" | "rst" | "sch" | "sta" | "del";

/** For example `run_0192f3b2c1d47a0e8b7c5d6e7f809a1b`. `nowMs` is milliseconds since 1970. */
export function createId(
  prefix: IdPrefix,
  nowMs: number,
  random: (bytes: number) => Buffer = pooledBytes,
): string {
  const bytes = random(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return `${prefix}_${bytes.toString("hex")}`;
}

/** Before every id that is made in that millisecond or later. */
export function idsFrom(prefix: IdPrefix, ms: number): string {
  return `${prefix}_${Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0")}`;
}

/** 16 random bytes as hex: salts of commitments. */
export function createSalt(random: (bytes: number) => Buffer = pooledBytes): string {
  return random(16).toString("hex");
}

// One call of the generator costs more than the bytes: it is asked for many at once, of which none is used twice.
const pool = Buffer.alloc(4096);
let used = pool.length;

/** At most the pool's size. What is returned is the caller's until the next call. */
function pooledBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
