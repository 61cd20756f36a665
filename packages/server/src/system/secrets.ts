/** Builds secrets from their settings, and the two redactors that know every value. */
import { createRedactor } from "@homeostat/cell/redact";
import type { Redactor } from "@homeostat/cell/redact";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config-schema.ts";
import { createSecretChanges } from "../secrets/secret-changes.ts";
import type { SecretChanges } from "../secrets/secret-changes.ts";
import { openSecretKey } from "../secrets/secret-key.ts";
import type { KeySource } from "../secrets/secret-key.ts";
import { openSecrets } from "../secrets/secrets.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { createVault } from "../secrets/vault.ts";
import type { Vault, VaultLogin } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import { secretMarks } from "./facts.ts";

export interface SecretSystem {
  readonly secrets: Secrets;
  readonly changes: SecretChanges;
}

export interface SecretSystemDeps {
  readonly settings: Config["secrets"];
  readonly environment: Readonly<Record<string, string>>;
  readonly keysFolder: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Throws CONFIG_INVALID (settings that do not fit together), SECRETS_KEY_UNUSABLE, VAULT_FAILED. */
export async function openSecretSystem(deps: SecretSystemDeps): Promise<SecretSystem> {
  const { settings, store, clock, logger } = deps;
  const vault = openVault(settings.vault, clock);
  const key = await openSecretKey(deps.keysFolder, keySourceOf(settings, vault));
  const references = { vault, environment: deps.environment, folder: settings.folder };
  const secrets = await openSecrets({ store, clock, logger, key, references });
  return { secrets, changes: createSecretChanges({ store, clock, key }) };
}

function openVault(settings: Config["secrets"]["vault"], clock: Clock): Vault | undefined {
  const { url, mount, transitMount, transitKey, namespace } = settings;
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw invalid("secrets.vault.url", "is no http or https address");
  const login = loginOf(settings);
  return createVault({ url, login, namespace, mount, transitMount, transitKey }, { clock });
}

function loginOf({ token, roleId, secretId }: Config["secrets"]["vault"]): VaultLogin {
  if (token !== undefined) return { kind: "token", token };
  if (roleId !== undefined && secretId !== undefined) return { kind: "approle", roleId, secretId };
  throw invalid("secrets.vault", "needs `token`, or `roleId` and `secretId`");
}

function keySourceOf(settings: Config["secrets"], vault: Vault | undefined): KeySource {
  switch (settings.key) {
    case "file":
      return { kind: "file" };
    case "passphrase":
      if (settings.passphrase !== undefined) return { kind: "passphrase", passphrase: settings.passphrase };
      throw invalid("secrets.passphrase", "is missing, and `secrets.key` is `passphrase`");
    case "transit":
      if (vault !== undefined) return { kind: "transit", vault };
      throw invalid("secrets.vault.url", "is missing, and `secrets.key` is `transit`");
  }
}

function invalid(key: string, why: string): HomeostatError {
  return new HomeostatError("CONFIG_INVALID", `${key} ${why}`, { key });
}

export interface Redactors {
  /** For logs and everything shown: without personal data too. */
  readonly shown: Redactor;
  /** For the journal: without secrets alone, for runs work with its values. */
  readonly recorded: Redactor;
  /** For outputs in the journal where policy demands it: without personal data too. */
  readonly personal: Redactor;
  /** From when there are secrets: their values are masked too. */
  learn(secrets: Pick<Secrets, "literals">): void;
}

/** The logger must redact before there is a database, so the values of secrets come in later. `token` is the admin's. */
export function createRedactors(token: string, passwords: readonly string[] = []): Redactors {
  let known: Pick<Secrets, "literals"> | undefined;
  let seen: readonly string[] = [];
  const fixed = [token, ...passwords];
  let all: readonly string[] = fixed;
  const secrets = (): readonly string[] => {
    const literals = known?.literals() ?? seen;
    if (literals !== seen) {
      seen = literals;
      all = [...fixed, ...literals];
    }
    return all;
  };
  return {
    shown: createRedactor({ secrets }),
    recorded: createRedactor({ secrets, marks: secretMarks, maxNodes: 1_000_000 }),
    personal: createRedactor({ secrets, maxNodes: 1_000_000 }),
    learn: (given) => void (known = given),
  };
}
