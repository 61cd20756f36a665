/** Idempotency-Key: the first success under a key is kept and answered again, so that a retried POST creates nothing twice. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { Migration, Row, Store } from "../store/store.ts";

export const idempotencyMigration: Migration = {
  id: "0003-idempotency-keys",
  statements: () => [
    `CREATE TABLE idempotency_keys (
      tenant TEXT NOT NULL,
      principal TEXT NOT NULL,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      attempt TEXT NOT NULL,
      locked_until BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      answer TEXT,
      PRIMARY KEY (tenant, principal, key)
    )`,
    "CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)",
  ],
};

/** What is kept of an answer and sent again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON text. */
  readonly body: string;
}

export interface IdempotencyRequest {
  readonly tenant: string;
  readonly principal: string;
  /** As sent: 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** Digest of method, path, query and body bytes. */
  readonly fingerprint: string;
  /** Unique per request: shows whose lock it is. */
  readonly requestId: string;
}

export type IdempotencyTurn =
  | { readonly kind: "replay"; readonly answer: KeptAnswer }
  | {
      readonly kind: "first";
      /** Keeps the answer for 24 hours. Does not reject: what could not be kept now is kept later. */
      readonly keep: (answer: KeptAnswer) => Promise<void>;
      /** Nothing was done: the key is free again. Does not reject either. */
      readonly release: () => Promise<void>;
    };

export interface Idempotency {
  /**
   * Takes the key for this request, or hands back the kept answer. Throws REQUEST_INVALID (bad key),
   * IDEMPOTENCY_KEY_REUSED (the key stands for another request) and REQUEST_CONFLICT (its request is still under way).
   */
  begin(request: IdempotencyRequest): Promise<IdempotencyTurn>;
}

const keptMs = 24 * 60 * 60 * 1000;
/**
 * After this an unanswered key may be taken over: its process died where nobody could see it. The handler then runs again, which is why it gets the
 * key too and stores it with what it creates.
 */
const lockMs = 120_000;
/** How soon an answer or a release is written again that the database did not take. */
const againMs = 500;

export interface IdempotencyDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Who this process is; see `process-identity.ts`. */
  readonly owner: string;
  /** True for a process that is provably gone: what it had begun is free at once. */
  readonly isOwnerDead: (owner: string) => boolean;
}

export function createIdempotency({ store, clock, owner, isOwnerDead }: IdempotencyDeps): Idempotency {
  return {
    async begin(given) {
      // The lock names the process, so that others can tell when it will never be released.
      const request = { ...given, requestId: `${owner} ${given.requestId}` };
      requireKey(request.key);
      if (await lock(request)) return firstTurn(store, request, surely);
      const row = await findRow(store, request);
      // Released or expired between the two statements: the next try of the caller finds it free.
      if (row === undefined) throw underWay();
      if (row["fingerprint"] !== request.fingerprint) {
        throw new HomeostatError(
          "IDEMPOTENCY_KEY_REUSED",
          "This Idempotency-Key was sent before with a different request",
        );
      }
      if (typeof row["answer"] === "string") {
        return { kind: "replay", answer: JSON.parse(row["answer"]) as KeptAnswer };
      }
      const holder = String(row["attempt"]).split(" ")[0] ?? "";
      const isHeld = Number(row["locked_until"]) > clock.now() && !isOwnerDead(holder);
      if (isHeld || !(await takeOver(store, clock, request, row))) throw underWay();
      return firstTurn(store, request, surely);
    },
  };

  async function lock(request: IdempotencyRequest): Promise<boolean> {
    try {
      return await insertLock(store, clock, request);
    } catch (error) {
      // The database may have committed it all the same, and nobody would ever release it.
      void surely(() => release(store, request));
      throw error;
    }
  }

  /** Resolves at once when it is done; else it is tried in the background until the lock is over by itself. Does not reject. */
  async function surely(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch {
      // Nobody waits for it: the answer is the caller's whatever becomes of the key.
      void tryAgain(write);
    }
  }

  async function tryAgain(write: () => Promise<void>): Promise<void> {
    const untilMs = clock.monotonic() + lockMs;
    while (clock.monotonic() < untilMs) {
      await clock.sleep(againMs);
      const isDone = await write().then(
        () => true,
        () => false,
      );
      if (isDone) return;
    }
  }
}

function requireKey(key: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new HomeostatError(
    "REQUEST_INVALID",
    "Idempotency-Key must be 1 to 255 visible ASCII characters",
    {},
    {
      details: [{ path: "headers.idempotency-key", detail: "1 to 255 visible ASCII characters" }],
    },
  );
}

/** True when this request now holds the key. Expired keys go in the same batch: the table needs no other sweep. */
async function insertLock(store: Store, clock: Clock, request: IdempotencyRequest): Promise<boolean> {
  const nowMs = clock.now();
  try {
    await store.write([
      { sql: "DELETE FROM idempotency_keys WHERE expires_at <= ?", params: [nowMs] },
      {
        sql: `INSERT INTO idempotency_keys (tenant, principal, key, fingerprint, attempt, locked_until, expires_at)
          VALUES (?, ?, ?, ?, ?, ?, ?)`,
        params: [
          request.tenant,
          request.principal,
          request.key,
          request.fingerprint,
          request.requestId,
          nowMs + lockMs,
          nowMs + keptMs,
        ],
      },
    ]);
    return true;
  } catch (error) {
    if (isHomeostatError(error, "STORE_CONFLICT")) return false;
    throw error;
  }
}

async function findRow(store: Store, request: IdempotencyRequest): Promise<Row | undefined> {
  const rows = await store.read(
    `SELECT fingerprint, attempt, locked_until, answer FROM idempotency_keys
      WHERE tenant = ? AND principal = ? AND key = ?`,
    [request.tenant, request.principal, request.key],
  );
  return rows[0];
}

async function takeOver(store: Store, clock: Clock, request: IdempotencyRequest, row: Row): Promise<boolean> {
  const results = await store.write([
    {
      sql: `UPDATE idempotency_keys SET attempt = ?, locked_until = ?
        WHERE tenant = ? AND principal = ? AND key = ? AND attempt = ? AND answer IS NULL`,
      params: [
        request.requestId,
        clock.now() + lockMs,
        request.tenant,
        request.principal,
        request.key,
        row["attempt"] ?? null,
      ],
    },
  ]);
  return results[0]?.changes === 1;
}

/** Both ends name the attempt, so a request that lost its lock to a take-over changes nothing. */
function firstTurn(
  store: Store,
  request: IdempotencyRequest,
  surely: (write: () => Promise<void>) => Promise<void>,
): IdempotencyTurn {
  return {
    kind: "first",
    keep: (answer) => surely(() => keep(store, request, answer)),
    release: () => surely(() => release(store, request)),
  };
}

const whereMine = "WHERE tenant = ? AND principal = ? AND key = ? AND attempt = ?";

function mine({ tenant, principal, key, requestId }: IdempotencyRequest): readonly string[] {
  return [tenant, principal, key, requestId];
}

async function keep(store: Store, request: IdempotencyRequest, answer: KeptAnswer): Promise<void> {
  const sql = `UPDATE idempotency_keys SET answer = ? ${whereMine}`;
  await store.write([{ sql, params: [JSON.stringify(answer), ...mine(request)] }]);
}

async function release(store: Store, request: IdempotencyRequest): Promise<void> {
  const sql = `DELETE FROM idempotency_keys ${whereMine} AND answer IS NULL`;
  await store.write([{ sql, params: mine(request) }]);
}

function underWay(): HomeostatError {
  return new HomeostatError(
    "REQUEST_CONFLICT",
    "A request with this Idempotency-Key is still being answered",
    {
      retryAfterSeconds: 1,
    },
  );
}
