/** What people do with secrets: set, rotate, list, remove. Every change is a fact of the ledger; values never are. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { compileGlob } from "../base/glob.ts";
import { factInsert } from "../store/fact.ts";
import type { Statement, Store } from "../store/store.ts";
import { shortestSecret } from "./exposure.ts";
import { secretNamePattern } from "./handle.ts";
import { seal } from "./seal.ts";
import { insertSecret, retireBefore, retireSecret, secretFromStore } from "./secret-rows.ts";
import type { Reference, SecretRow, SecretUse } from "./secret-rows.ts";

export interface SecretChangesDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
  readonly key: Buffer;
}

/** Who changes what. */
export interface SecretKey {
  readonly tenant: string;
  readonly name: string;
  readonly by: string;
}

/** The value itself, or where it lies. */
export type SecretContent =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "reference"; readonly reference: Reference };

export interface SetSecret extends SecretKey {
  readonly content: SecretContent;
  /** At least one: what it may be used for. */
  readonly uses: readonly SecretUse[];
  readonly description: string | null;
}

export interface RotateSecret extends SecretKey {
  readonly content: SecretContent;
  /** True destroys the version before at once; otherwise it stays until the next rotation, for actions under way. */
  readonly retirePrevious: boolean;
}

export interface SecretChanges {
  /** The newest version of every secret that was not removed, by name. */
  list(tenant: string): Promise<readonly SecretRow[]>;
  /** Makes the secret, or replaces value, uses and description by a new version. Throws SECRET_INVALID, SECRET_CONFLICT. */
  set(request: SetSecret): Promise<SecretRow>;
  /** As `set`, as statements for a batch with what needs the secret. The batch fails (STORE_CONFLICT) when somebody was faster. */
  planSet(request: SetSecret): Promise<readonly Statement[]>;
  /** As `remove`, as statements; none when there is no such secret. */
  planRemoval(key: SecretKey): Promise<readonly Statement[]>;
  /** A new version for the same uses. Throws SECRET_NOT_FOUND, SECRET_INVALID, SECRET_CONFLICT. */
  rotate(request: RotateSecret): Promise<SecretRow>;
  /** Destroys every version's value. Throws SECRET_NOT_FOUND. */
  remove(key: SecretKey): Promise<void>;
}

/** As long as a header line of common servers may be; longer things are files. */
const longestSecret = 16 * 1024;

export function createSecretChanges(deps: SecretChangesDeps): SecretChanges {
  const { store, clock } = deps;
  return {
    async list(tenant) {
      const rows = await store.read(
        `SELECT * FROM secrets WHERE tenant = ? AND retired_at_ms IS NULL ORDER BY name, version DESC`,
        [tenant],
      );
      const newest = new Map<string, SecretRow>();
      for (const row of rows.map(secretFromStore)) if (!newest.has(row.name)) newest.set(row.name, row);
      return [...newest.values()];
    },
    async set(request) {
      const row = await rowToSet(request);
      await write(request, "secret.set", row);
      return row;
    },
    async planSet(request) {
      const row = await rowToSet(request);
      return [insertSecret(row), fact("secret.set", request, shownOf(row))];
    },
    async planRemoval(key) {
      const current = await findCurrent(key);
      return current === undefined ? [] : removal(key, current);
    },
    async rotate(request) {
      requireContent(request.content);
      const current = await requireCurrent(request);
      const version = (await newestVersion(request)) + 1;
      const row = rowOf(request, { version, uses: current.uses, description: current.description });
      const kept = request.retirePrevious ? version : current.version;
      await write(request, "secret.rotated", row, [retireBefore({ ...request, version: kept }, clock.now())]);
      return row;
    },
    async remove(key) {
      await store.write(removal(key, await requireCurrent(key)));
    },
  };

  function removal(key: SecretKey, { version }: SecretRow): readonly Statement[] {
    return [retireSecret(key, clock.now()), fact("secret.removed", key, { name: key.name, version })];
  }

  async function rowToSet(request: SetSecret): Promise<SecretRow> {
    requireName(request.name);
    requireContent(request.content);
    requireUses(request.uses);
    const version = (await newestVersion(request)) + 1;
    return rowOf(request, { version, uses: request.uses, description: request.description });
  }

  /** 0 when there was none yet; removed versions keep their numbers. */
  async function newestVersion({ tenant, name }: SecretKey): Promise<number> {
    const rows = await store.read(
      "SELECT MAX(version) AS newest FROM secrets WHERE tenant = ? AND name = ?",
      [tenant, name],
    );
    return Number(rows[0]?.["newest"] ?? 0);
  }

  async function requireCurrent(key: SecretKey): Promise<SecretRow> {
    const current = await findCurrent(key);
    if (current !== undefined) return current;
    const { name } = key;
    throw new HomeostatError("SECRET_NOT_FOUND", `There is no secret ${name.slice(0, 80)}`, { name });
  }

  async function findCurrent({ tenant, name }: SecretKey): Promise<SecretRow | undefined> {
    const rows = await store.read(
      "SELECT * FROM secrets WHERE tenant = ? AND name = ? AND retired_at_ms IS NULL ORDER BY version DESC LIMIT 1",
      [tenant, name],
    );
    return rows[0] && secretFromStore(rows[0]);
  }

  function rowOf(
    request: SecretKey & { readonly content: SecretContent },
    terms: Pick<SecretRow, "version" | "uses" | "description">,
  ): SecretRow {
    const { tenant, name, by, content } = request;
    const place = { tenant, name, version: terms.version };
    return {
      ...place,
      ...terms,
      sealed: content.kind === "value" ? seal(deps.key, place, content.value) : null,
      reference: content.kind === "reference" ? content.reference : null,
      createdBy: by,
      createdAtMs: clock.now(),
      retiredAtMs: null,
    };
  }

  async function write(
    key: SecretKey,
    type: string,
    row: SecretRow,
    extra: readonly Statement[] = [],
  ): Promise<void> {
    try {
      await store.write([insertSecret(row), ...extra, fact(type, key, shownOf(row))]);
    } catch (error) {
      if (!isVersionTaken(error)) throw error;
      const text = `Somebody else changed ${key.name} at the same time`;
      throw new HomeostatError("SECRET_CONFLICT", text, { name: key.name }, { cause: error });
    }
  }

  function fact(type: string, { tenant, by }: SecretKey, data: JsonObject): Statement {
    return factInsert({ type, tenant, actor: { kind: "user", id: by }, atMs: clock.now(), data });
  }
}

function shownOf({ name, version, uses }: SecretRow): JsonObject {
  return { name, version, uses: uses.map((use) => ({ ...use })) };
}

function isVersionTaken(error: unknown): boolean {
  return error instanceof HomeostatError && error.code === "STORE_CONFLICT";
}

function requireName(name: string): void {
  if (secretNamePattern.test(name)) return;
  throw invalid(
    `${JSON.stringify(name.slice(0, 80))} is no name of a secret`,
    "lower-case letters, digits, - and _, a letter first",
  );
}

function requireContent(content: SecretContent): void {
  if (content.kind === "reference") return;
  const { length } = content.value;
  if (length < shortestSecret)
    throw invalid(
      `the value has ${length} characters`,
      `at least ${shortestSecret}: shorter ones could not be found where they leak`,
    );
  if (length > longestSecret) throw invalid(`the value has ${length} characters`, `at most ${longestSecret}`);
  if (content.value.trim() !== content.value)
    throw invalid(
      "the value begins or ends with white space",
      "usually a line end that was copied along; leave it out",
    );
}

function requireUses(uses: readonly SecretUse[]): void {
  if (uses.length === 0)
    throw invalid(
      "it is granted for nothing",
      'say for what, for example --for "http.request https://api.example.org:443/**"',
    );
  for (const pattern of uses.flatMap((use) => [use.action, use.resource])) {
    const compiled = compileGlob(pattern);
    if (!compiled.ok)
      throw invalid(
        `the pattern ${JSON.stringify(pattern.slice(0, 80))}: ${compiled.problem}`,
        "see docs/policy.md on globs",
      );
  }
}

function invalid(why: string, hint: string): HomeostatError {
  return new HomeostatError("SECRET_INVALID", `The secret is refused: ${why}`, {}, { hint });
}
