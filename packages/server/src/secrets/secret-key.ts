/** The key that seals secrets: from a file, from a passphrase (scrypt), or wrapped by Vault's transit engine. */
import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { HomeostatError } from "../base/error.ts";
import { createOnce, openKeyFile } from "../base/key-file.ts";
import { keyBytes, keyFromPassphrase } from "./seal.ts";
import type { Vault } from "./vault.ts";

export type KeySource =
  | { readonly kind: "file" }
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "transit"; readonly vault: Vault };

/** Shorter ones fall to guessing whatever scrypt costs. */
const minPassphraseLength = 16;

/** Makes what is missing in `folder` on first use. Throws SECRETS_KEY_UNUSABLE, VAULT_FAILED. */
export async function openSecretKey(folder: string, source: KeySource): Promise<Buffer> {
  switch (source.kind) {
    case "file":
      return await openKeyFile({
        path: join(folder, "secrets.key"),
        what: "The key of the secrets",
        code: "SECRETS_KEY_UNUSABLE",
      });
    case "passphrase":
      return await fromPassphrase(join(folder, "secrets.salt"), source.passphrase);
    case "transit":
      return await fromTransit(join(folder, "secrets.transit"), source.vault);
  }
}

async function fromPassphrase(path: string, passphrase: string): Promise<Buffer> {
  if (passphrase.length < minPassphraseLength) {
    const text = `The passphrase of the secrets has ${passphrase.length} characters, fewer than ${minPassphraseLength}`;
    throw new HomeostatError("SECRETS_KEY_UNUSABLE", text, { length: passphrase.length });
  }
  const salt = await readOrMake(path, () => Promise.resolve(randomBytes(16).toString("hex")));
  if (!/^[0-9a-f]{32}$/.test(salt))
    throw new HomeostatError("SECRETS_KEY_UNUSABLE", `${path} does not hold a salt`, { path });
  return keyFromPassphrase(passphrase, Buffer.from(salt, "hex"));
}

async function fromTransit(path: string, vault: Vault): Promise<Buffer> {
  const wrapped = await readOrMake(path, () => vault.encrypt(randomBytes(keyBytes)));
  const key = await vault.decrypt(wrapped);
  if (key.length === keyBytes) return key;
  throw new HomeostatError("SECRETS_KEY_UNUSABLE", `${path} does not hold a wrapped key`, { path });
}

async function readOrMake(path: string, make: () => Promise<string>): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) await createOnce(path, await make());
  return (await readFile(path, "utf8")).trim();
}
