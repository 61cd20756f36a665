/** Encryption of secrets at rest: AES-256-GCM (NIST SP 800-38D), each value bound to its tenant, name and version. Pure but for nonces. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;

/** What a sealed value belongs to; it opens nowhere else. */
export interface SealPlace {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
}

/** Nonce, ciphertext and tag in base64. */
export function seal(key: Buffer, place: SealPlace, value: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(placeBytes(place));
  return Buffer.concat([nonce, cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  );
}

/** Throws when a bit of the sealed text, the place or the key differs. */
export function unseal(key: Buffer, place: SealPlace, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(placeBytes(place));
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  const plain = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
  return Buffer.concat([plain, decipher.final()]).toString("utf8");
}

/** The lengths keep `a/b` of one tenant apart from `b` of tenant `a`. */
function placeBytes({ tenant, name, version }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify(["homeostat secret", tenant, name, version]));
}

/** OWASP Password Storage Cheat Sheet (2024): scrypt with N = 2^17, r = 8, p = 1, which takes 128 MiB and about a third of a second. */
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 160 * 1024 * 1024 };

/** `salt` has 16 bytes and is kept beside the database. */
export function keyFromPassphrase(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize("NFKC"), salt, keyBytes, scryptCost);
}
