/** The key files of a data folder in one encrypted file: scrypt (RFC 7914) makes the key from a passphrase, AES-256-GCM seals. */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import type { ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { HomeostatError } from "../base/error.ts";

/** Path below the data folder -> content. */
export type KeyFiles = ReadonlyMap<string, Buffer>;

/** 128 MiB and about 0.4 s for each guess: OWASP's strongest setting. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const shortestPassphrase = 12;

/** `about` is bound into the encryption: a box of another backup does not open. Throws BACKUP_PASSPHRASE. */
export async function sealKeys(files: KeyFiles, passphrase: string, about: string): Promise<string> {
  if (passphrase.length < shortestPassphrase) {
    const text = `The passphrase has ${passphrase.length} characters; it needs ${shortestPassphrase} at least`;
    throw new HomeostatError("BACKUP_PASSPHRASE", text);
  }
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", await deriveKey(passphrase, salt), nonce);
  cipher.setAAD(Buffer.from(about));
  const plain = Object.fromEntries([...files].map(([path, bytes]) => [path, bytes.toString("base64")]));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(plain)), cipher.final(), cipher.getAuthTag()]);
  const box = {
    v: 1,
    salt: salt.toString("hex"),
    nonce: nonce.toString("hex"),
    sealed: sealed.toString("base64"),
  };
  return `${JSON.stringify(box)}\n`;
}

/** Throws BACKUP_PASSPHRASE when the passphrase is another one, or the box was changed. */
export async function openKeys(box: string, passphrase: string, about: string): Promise<KeyFiles> {
  try {
    const { salt, nonce, sealed } = JSON.parse(box) as Record<"salt" | "nonce" | "sealed", string>;
    const bytes = Buffer.from(sealed, "base64");
    const key = await deriveKey(passphrase, Buffer.from(salt, "hex"));
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "hex"), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(bytes.subarray(-16));
    const text = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString();
    const plain = JSON.parse(text) as Record<string, string>;
    return new Map(Object.entries(plain).map(([path, content]) => [path, Buffer.from(content, "base64")]));
  } catch (error) {
    const text = "The keys of the backup do not open: the passphrase is another one, or keys.enc was changed";
    throw new HomeostatError("BACKUP_PASSPHRASE", text, {}, { cause: error });
  }
}

async function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  // The types know only its form without options.
  const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
  // NFKC, so that the same characters typed on another machine give the same key.
  return await derive(passphrase.normalize("NFKC"), salt, 32, cost);
}
