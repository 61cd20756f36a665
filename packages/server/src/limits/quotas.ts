/** Quotas: counters in the database for calendar windows, so that they outlive restarts and hold for all processes together. */
import { isHomeostatError } from "../base/error.ts";
import type { Migration, Store } from "../store/store.ts";
import type { QuotaClaim } from "./limit-rules.ts";

export const quotasMigration: Migration = {
  id: "0370-quotas",
  statements: () => [
    `CREATE TABLE quota_counters (
      key TEXT NOT NULL,
      window_start_ms BIGINT NOT NULL,
      window_end_ms BIGINT NOT NULL,
      used BIGINT NOT NULL,
      most BIGINT NOT NULL,
      PRIMARY KEY (key, window_start_ms)
    )`,
  ],
};

export interface QuotaWindow {
  readonly startMs: number;
  readonly endMs: number;
}

export interface QuotaLevel {
  readonly key: string;
  readonly used: number;
  readonly count: number;
  readonly endsAtMs: number;
}

/** The day or month that `nowMs` lies in, in UTC. Pure. */
export function windowAt(window: QuotaClaim["window"], nowMs: number): QuotaWindow {
  const date = new Date(nowMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return window === "day"
    ? { startMs: Date.UTC(year, month, day), endMs: Date.UTC(year, month, day + 1) }
    : { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
}

/** Counts one in every quota, or in none: then the one that is used up and when it begins anew. Old windows go with it. */
export async function useQuotas(
  store: Pick<Store, "write">,
  claims: readonly QuotaClaim[],
  nowMs: number,
): Promise<{ readonly key: string; readonly retryAtMs: number } | undefined> {
  if (claims.length === 0) return undefined;
  try {
    await store.write([
      { sql: "DELETE FROM quota_counters WHERE window_end_ms <= ?", params: [nowMs] },
      ...claims.map(({ key, count, window }) => {
        const { startMs, endMs } = windowAt(window, nowMs);
        return {
          sql: `INSERT INTO quota_counters (key, window_start_ms, window_end_ms, used, most) VALUES (?, ?, ?, 1, ?)
            ON CONFLICT (key, window_start_ms) DO UPDATE SET used = quota_counters.used + 1, most = excluded.most
            WHERE quota_counters.used < excluded.most`,
          params: [key, startMs, endMs, count],
          expect: { rows: 1, guard: key },
        };
      }),
    ]);
    return undefined;
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    // Every statement of the batch is guarded by its claim's key.
    const spent = claims.find(({ key }) => key === error.data["guard"])!;
    return { key: spent.key, retryAtMs: windowAt(spent.window, nowMs).endMs };
  }
}

export async function quotaLevels(store: Pick<Store, "read">, nowMs: number): Promise<readonly QuotaLevel[]> {
  const rows = await store.read(
    "SELECT key, used, most, window_end_ms FROM quota_counters WHERE window_end_ms > ? ORDER BY key LIMIT 1000",
    [nowMs],
  );
  return rows.map((row) => ({
    key: row["key"] as string,
    used: Number(row["used"]),
    count: Number(row["most"]),
    endsAtMs: Number(row["window_end_ms"]),
  }));
}
