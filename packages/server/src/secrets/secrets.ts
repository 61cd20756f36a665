/** The secrets of every tenant: kept sealed, handed out as handles, opened only at a tool's edge for what they were granted. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { compileGlob, matchesGlob } from "../base/glob.ts";
import type { Logger } from "../base/log.ts";
import { suggestName } from "../base/nearest.ts";
import type { Store } from "../store/store.ts";
import { createExposures } from "./exposure.ts";
import type { KnownSecret } from "./exposure.ts";
import { findHandles, handleText, replaceHandles } from "./handle.ts";
import type { Handle } from "./handle.ts";
import { readReference } from "./references.ts";
import type { ReferenceDeps } from "./references.ts";
import { unseal } from "./seal.ts";
import { secretFromStore } from "./secret-rows.ts";
import type { SecretRow } from "./secret-rows.ts";

export interface SecretsDeps {
  readonly store: Pick<Store, "read" | "onCommit">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly key: Buffer;
  readonly references: ReferenceDeps;
}

/** Somebody's action, as far as secrets care. */
export interface SecretAction {
  readonly tenant: string;
  readonly action: string;
  /** All that it touches; a secret must be granted for each. */
  readonly resources: readonly string[];
  readonly args: JsonObject;
}

export interface Secrets {
  /**
   * The arguments with every handle bound to the version it means now. Throws SECRET_NOT_FOUND, SECRET_DENIED (not granted for
   * this action on this resource) and SECRET_EXPOSED (a value stands in the arguments itself).
   */
  pin(action: SecretAction): Promise<JsonObject>;
  /** The arguments with values in place of pinned handles: for the tool alone, never to be recorded. Throws as `pin`, VAULT_FAILED. */
  reveal(tenant: string, args: JsonObject): Promise<JsonObject>;
  /** Names of secrets whose value, or a usual encoding of it, stands in `value`. */
  exposedIn(value: JsonValue): readonly string[];
  /** What redactors mask besides their own patterns. The same list until a secret changes. */
  literals(): readonly string[];
  /** Reads the table anew; called by itself after commits of this server. */
  refresh(): Promise<void>;
  close(): void;
}

/** A value kept elsewhere is read again after this time, so that a rotation there is seen. */
const referenceTtlMs = 60_000;

/** A value that was replaced or removed is masked for this long still: an action under way, or an old output, may hold it. */
const formerTtlMs = 3_600_000;

interface Fetched {
  readonly value: string;
  readonly untilMs: number;
}

/** Opens every sealed value once, so that a wrong key is known at the start. Throws SECRETS_KEY_UNUSABLE. */
export async function openSecrets(deps: SecretsDeps): Promise<Secrets> {
  const { store, clock } = deps;
  const fetched = new Map<string, Fetched>();
  let sealedValues: readonly KnownSecret[] = [];
  let formerValues: readonly (KnownSecret & { readonly untilMs: number })[] = [];
  let exposures = createExposures([]);
  await refresh();
  const unsubscribe = store.onCommit("secrets", () => {
    refresh().catch((error: unknown) => {
      deps.logger.error({ error: errorMessage(error) }, "the secrets could not be read anew");
    });
  });

  return {
    async pin({ tenant, action, resources, args }) {
      requireNoValue(tenant, args);
      const rows = new Map<string, SecretRow>();
      for (const handle of findHandles(args)) {
        const row = await requireRow(tenant, handle);
        requireGranted(row, { action, resources });
        rows.set(handleText(handle), row);
      }
      if (rows.size === 0) return args;
      return replaceHandles(args, (handle) => {
        const { name, version } = rows.get(handleText(handle))!;
        return handleText({ name, version });
      });
    },
    async reveal(tenant, args) {
      const values = new Map<string, string>();
      for (const handle of findHandles(args))
        values.set(handleText(handle), await valueOf(await requireRow(tenant, handle)));
      if (values.size === 0) return args;
      return replaceHandles(args, (handle, whole) => {
        const value = values.get(handleText(handle))!;
        // Within an address the value must not end a part of it.
        return /^https?:\/\//i.test(whole) ? encodeURIComponent(value) : value;
      });
    },
    exposedIn: (value) => [...new Set(exposures.find(value).map(({ name }) => name))],
    literals: () => exposures.literals,
    refresh,
    close: unsubscribe,
  };

  async function refresh(): Promise<void> {
    const all = await store.read("SELECT * FROM secrets WHERE retired_at_ms IS NULL");
    const rows = all.map(secretFromStore);
    const before = sealedValues;
    sealedValues = rows
      .filter(({ sealed }) => sealed !== null)
      .map((row) => ({ tenant: row.tenant, name: row.name, value: openSealed(row) }));
    const values = new Set(sealedValues.map(({ value }) => value));
    remember(before.filter(({ value }) => !values.has(value)));
    learn();
    await learnReferences(rows.filter(({ reference }) => reference !== null));
  }

  /** A value kept elsewhere is masked from now on, and not only since a tool was given it. */
  async function learnReferences(rows: readonly SecretRow[]): Promise<void> {
    const learning = rows.map(async (row) => {
      try {
        await valueOf(row);
      } catch (error) {
        deps.logger.warn(
          { secret: row.name, error: errorMessage(error) },
          "a secret kept elsewhere is not there",
        );
      }
    });
    // Vault may be slow or away, and nobody should wait for it before somebody needs it.
    await Promise.all(learning.filter((_, index) => rows[index]!.reference!.kind !== "vault"));
  }

  function remember(values: readonly KnownSecret[]): void {
    const untilMs = clock.now() + formerTtlMs;
    const kept = formerValues.filter((value) => clock.now() < value.untilMs);
    formerValues = [...kept, ...values.map((value) => ({ ...value, untilMs }))];
  }

  function learn(): void {
    const elsewhere = [...fetched].map(([key, { value }]) => {
      const [tenant, name] = key.split("\n") as [string, string];
      return { tenant, name, value };
    });
    exposures = createExposures([...formerValues, ...elsewhere, ...sealedValues]);
  }

  /** A value that came into the arguments by itself has leaked already; it must not go further. */
  function requireNoValue(tenant: string, args: JsonObject): void {
    const found = exposures.find(args);
    if (found.length === 0) return;
    const own = found.find((secret) => secret.tenant === tenant);
    // Another tenant's name is not told, or values could be guessed and named.
    const what = own === undefined ? "a secret of this server" : `the secret ${own.name}`;
    throw new HomeostatError("SECRET_EXPOSED", `The value of ${what} stands in the arguments`, {
      ...(own === undefined ? {} : { name: own.name }),
    });
  }

  async function requireRow(tenant: string, handle: Handle): Promise<SecretRow> {
    const rows = await store.read(
      "SELECT * FROM secrets WHERE tenant = ? AND name = ? ORDER BY version DESC",
      [tenant, handle.name],
    );
    const versions = rows.map(secretFromStore);
    const row = versions.find(({ version }) => handle.version === undefined || version === handle.version);
    if (row !== undefined && row.retiredAtMs === null) return row;
    throw await notFound(tenant, handle, versions.length > 0);
  }

  async function notFound(tenant: string, handle: Handle, isRemoved: boolean): Promise<HomeostatError> {
    const text = handleText(handle);
    if (isRemoved)
      return new HomeostatError("SECRET_NOT_FOUND", `${text} was removed or replaced`, { name: handle.name });
    const rows = await store.read(
      "SELECT DISTINCT name FROM secrets WHERE tenant = ? AND retired_at_ms IS NULL",
      [tenant],
    );
    const hint = suggestName(
      handle.name,
      rows.map((row) => row["name"] as string),
    );
    return new HomeostatError(
      "SECRET_NOT_FOUND",
      `There is no secret ${handle.name}`,
      { name: handle.name },
      { hint },
    );
  }

  async function valueOf(row: SecretRow): Promise<string> {
    if (row.sealed !== null) return openSealed(row);
    const key = `${row.tenant}\n${row.name}\n${row.version}`;
    const known = fetched.get(key);
    if (known !== undefined && clock.now() < known.untilMs) return known.value;
    // A row that is not retired has one or the other.
    const value = await readReference(row.reference!, deps.references);
    if (known !== undefined && known.value !== value)
      remember([{ tenant: row.tenant, name: row.name, value: known.value }]);
    fetched.set(key, { value, untilMs: clock.now() + referenceTtlMs });
    // Known to the redactors before the tool that gets it can answer.
    learn();
    return value;
  }

  function openSealed(row: SecretRow): string {
    try {
      return unseal(deps.key, row, row.sealed!);
    } catch (error) {
      throw new HomeostatError(
        "SECRETS_KEY_UNUSABLE",
        `The secret ${row.name} cannot be opened: the key of the secrets, or the row, was changed`,
        { name: row.name },
        { cause: error },
      );
    }
  }
}

function requireGranted(row: SecretRow, used: Pick<SecretAction, "action" | "resources">): void {
  const mayTouch = (resource: string): boolean =>
    row.uses.some((use) => matches(use.action, used.action) && matches(use.resource, resource));
  const refused = used.resources.find((resource) => !mayTouch(resource));
  if (refused === undefined) return;
  const granted = row.uses.map((use) => `${use.action} ${use.resource}`).join(", ");
  throw new HomeostatError(
    "SECRET_DENIED",
    `The secret ${row.name} is not granted for ${used.action} on ${refused}; it is for ${granted}`,
    { name: row.name, action: used.action, resource: refused },
  );
}

/** Patterns were compiled when the secret was set; one that no longer compiles grants nothing. */
function matches(pattern: string, text: string): boolean {
  const compiled = compileGlob(pattern);
  return compiled.ok && matchesGlob(compiled.glob, text);
}
