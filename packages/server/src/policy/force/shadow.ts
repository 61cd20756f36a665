/** A candidate policy that runs beside the one in force: it counts where it would decide otherwise, and decides nothing. */
import type { Clock } from "../../base/clock.ts";
import { errorMessage, isProgrammingError } from "../../base/error.ts";
import type { Logger } from "../../base/log.ts";
import type { Migration, Row, Statement, Store } from "../../store/store.ts";
import type { Part } from "../../supervision/part.ts";
import { compilePolicy } from "../rules/compile.ts";
import type { CompiledPolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest, Decision } from "../rules/decision.ts";
import { parsePolicyFiles, requireGood } from "../file/policy-file.ts";
import type { PolicyText } from "../file/policy-file.ts";

export const policyShadowMigration: Migration = {
  id: "0411-policy-shadow",
  statements: () => [
    `CREATE TABLE policy_shadow (
      -- One row or none.
      id INTEGER PRIMARY KEY,
      revision TEXT NOT NULL,
      files TEXT NOT NULL,
      set_by TEXT NOT NULL,
      set_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE policy_shadow_counts (
      revision TEXT NOT NULL,
      -- For example "allow deny"; "same" when both agree.
      change TEXT NOT NULL,
      count BIGINT NOT NULL,
      samples TEXT NOT NULL,
      PRIMARY KEY (revision, change)
    )`,
  ],
};

/** One decision in which the two differ; arguments are left out, they may be private. */
export interface ShadowSample {
  readonly atMs: number;
  readonly action: string;
  readonly resource: string;
  readonly agent: string;
  readonly from: Decision["effect"];
  readonly to: Decision["effect"];
  readonly reason: string;
}

export interface ShadowReport {
  readonly revision: string;
  readonly by: string;
  readonly setAtMs: number;
  readonly rules: number;
  /** Decisions both agreed on. */
  readonly same: number;
  readonly changes: readonly {
    readonly from: Decision["effect"];
    readonly to: Decision["effect"];
    readonly count: number;
    /** Newest first. */
    readonly samples: readonly ShadowSample[];
  }[];
}

export interface Shadow extends Part {
  /** Throws POLICY_INVALID. The counts of the same policy go on. */
  set(files: readonly PolicyText[], by: string): Promise<void>;
  clear(): Promise<void>;
  /** Null: there is none. */
  report(): Promise<ShadowReport | null>;
  /** Never throws, never slow: looks at what the active policy has decided. */
  observe(request: ActionRequest, decision: Decision): void;
}

export interface ShadowDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each decision; `change` is "same" or such as "allow deny". */
  readonly count: (change: string) => void;
  /** How often counts are kept and other processes' candidates seen; 2,000 by default. */
  readonly pollMs?: number;
}

interface Candidate {
  readonly compiled: CompiledPolicy;
  readonly by: string;
  readonly setAtMs: number;
}

const samplesKept = 20;

export function openShadow(deps: ShadowDeps): Shadow {
  const { store, clock, logger } = deps;
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  const candidates = createCandidates(store, clock);
  const tally = createTally(store);
  let polling: Promise<void> = Promise.resolve();
  let problem: string | undefined;

  async function flush(): Promise<void> {
    const candidate = candidates.current();
    if (candidate !== null) await tally.flush(candidate.compiled.revision);
  }

  async function poll(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        await clock.sleep(deps.pollMs ?? 2_000, signal);
        await flush();
        await candidates.refresh();
        problem = undefined;
      } catch (error) {
        if (signal.aborted) return;
        if (problem === undefined)
          logger.warn({ error: errorMessage(error) }, "the shadow policy could not be kept");
        problem = errorMessage(error);
        if (isProgrammingError(error)) return failed.resolve(error);
      }
    }
  }

  return {
    name: "policy shadow",
    failed: failed.promise,
    async start() {
      await candidates.refresh();
      polling = poll();
    },
    async stop() {
      stopping.abort(new Error("the shadow policy is stopping"));
      await polling;
      // Counts of the last moments; the store's own health tells when it cannot be written.
      await flush().catch((error: unknown) =>
        logger.warn({ error: errorMessage(error) }, "last counts were lost"),
      );
    },
    health: () => (problem === undefined ? { kind: "ok" } : { kind: "degraded", detail: problem }),
    async set(files, by) {
      requireGood(parsePolicyFiles(files));
      await flush();
      await candidates.set(files, by);
    },
    async clear() {
      await candidates.clear();
      tally.clear();
    },
    async report() {
      await flush();
      await candidates.refresh();
      const candidate = candidates.current();
      return candidate === null ? null : await reportOn(candidate, store);
    },
    observe(request, decision) {
      const candidate = candidates.current();
      if (candidate === null) return;
      try {
        deps.count(compareOne(candidate, { request, decision, atMs: clock.now() }, tally));
      } catch (error) {
        // A candidate's failure is its own affair: the decision has been made.
        problem = errorMessage(error);
      }
    },
  };
}

/** Counts one decision, and says how the candidate's differs: "same", or such as "allow deny". */
function compareOne(
  { compiled }: Candidate,
  seen: { readonly request: ActionRequest; readonly decision: Decision; readonly atMs: number },
  tally: Tally,
): string {
  const { request, decision, atMs } = seen;
  const shadowed = decide(compiled, request);
  const isSame = shadowed.effect === decision.effect;
  const change = isSame ? "same" : `${decision.effect} ${shadowed.effect}`;
  tally.add(change, { count: 1, samples: isSame ? [] : [sampleOf(request, decision, { shadowed, atMs })] });
  return change;
}

/** The one candidate all processes of a database share. */
interface Candidates {
  current(): Candidate | null;
  /** Looks whether another process has set or cleared it. */
  refresh(): Promise<void>;
  set(files: readonly PolicyText[], by: string): Promise<void>;
  clear(): Promise<void>;
}

function createCandidates(store: ShadowDeps["store"], clock: Clock): Candidates {
  let candidate: Candidate | null = null;
  async function refresh(): Promise<void> {
    const [row] = await store.read("SELECT * FROM policy_shadow WHERE id = 1");
    if (row === undefined) candidate = null;
    else if (row["revision"] !== candidate?.compiled.revision) candidate = candidateOf(row);
  }
  return {
    current: () => candidate,
    refresh,
    async set(files, by) {
      const { revision } = requireGood(parsePolicyFiles(files));
      await store.write([
        {
          sql: `INSERT INTO policy_shadow (id, revision, files, set_by, set_at_ms) VALUES (1, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, files = excluded.files,
            set_by = excluded.set_by, set_at_ms = excluded.set_at_ms`,
          params: [revision, JSON.stringify(files), by, clock.now()],
        },
      ]);
      await refresh();
    },
    async clear() {
      await store.write([{ sql: "DELETE FROM policy_shadow" }, { sql: "DELETE FROM policy_shadow_counts" }]);
      candidate = null;
    },
  };
}

async function reportOn(
  { compiled, by, setAtMs }: Candidate,
  store: ShadowDeps["store"],
): Promise<ShadowReport> {
  const { revision, rules } = compiled;
  const rows = await store.read("SELECT * FROM policy_shadow_counts WHERE revision = ?", [revision]);
  return { revision, by, setAtMs, rules: rules.length, ...reportOf(rows) };
}

/** Rows were made by `set`, which had read the files; a later program may know other keys and then has no candidate. */
function candidateOf(row: Row): Candidate | null {
  const read = parsePolicyFiles(JSON.parse(String(row["files"])) as PolicyText[]);
  if (!read.ok) return null;
  return {
    compiled: compilePolicy(read.policy),
    by: String(row["set_by"]),
    setAtMs: Number(row["set_at_ms"]),
  };
}

/** Counts that are not in the database yet. */
interface Tally {
  add(change: string, counted: Counted): void;
  /** Adds them to what is there; what cannot be written now is kept for the next time. */
  flush(revision: string): Promise<void>;
  clear(): void;
}

interface Counted {
  readonly count: number;
  readonly samples: readonly ShadowSample[];
}

function createTally(store: ShadowDeps["store"]): Tally {
  let counts = new Map<string, Counted>();
  function add(change: string, { count, samples }: Counted): void {
    const before = counts.get(change);
    const kept = [...samples, ...(before?.samples ?? [])].slice(0, samplesKept);
    counts.set(change, { count: (before?.count ?? 0) + count, samples: kept });
  }
  return {
    add,
    clear: () => counts.clear(),
    async flush(revision) {
      if (counts.size === 0) return;
      const mine = counts;
      counts = new Map();
      try {
        const rows = await store.read("SELECT * FROM policy_shadow_counts WHERE revision = ?", [revision]);
        await store.write(
          [...mine].map(([change, counted]) => addCount(revision, change, { add: counted, rows })),
        );
      } catch (error) {
        for (const [change, counted] of mine) add(change, counted);
        throw error;
      }
    },
  };
}

function sampleOf(
  { action, resource, agent }: ActionRequest,
  { effect: from }: Decision,
  { shadowed, atMs }: { readonly shadowed: Decision; readonly atMs: number },
): ShadowSample {
  return {
    atMs,
    action,
    resource: resource.slice(0, 500),
    agent,
    from,
    to: shadowed.effect,
    reason: shadowed.reason.slice(0, 500),
  };
}

function addCount(
  revision: string,
  change: string,
  {
    add,
    rows,
  }: {
    readonly add: { readonly count: number; readonly samples: readonly ShadowSample[] };
    readonly rows: readonly Row[];
  },
): Statement {
  const row = rows.find((each) => each["change"] === change);
  const before = row === undefined ? [] : (JSON.parse(String(row["samples"])) as ShadowSample[]);
  const samples = [...add.samples, ...before].slice(0, samplesKept);
  return {
    sql: `INSERT INTO policy_shadow_counts (revision, change, count, samples) VALUES (?, ?, ?, ?)
      ON CONFLICT (revision, change) DO UPDATE SET count = policy_shadow_counts.count + excluded.count, samples = excluded.samples`,
    params: [revision, change, add.count, JSON.stringify(samples)],
  };
}

function reportOf(rows: readonly Row[]): Pick<ShadowReport, "same" | "changes"> {
  const changes = rows.flatMap((row): ShadowReport["changes"] => {
    const [from, to] = String(row["change"]).split(" ");
    if (from === undefined || to === undefined) return [];
    const effects = { from: from as Decision["effect"], to: to as Decision["effect"] };
    return [
      {
        ...effects,
        count: Number(row["count"]),
        samples: JSON.parse(String(row["samples"])) as ShadowSample[],
      },
    ];
  });
  const same = rows.find((row) => row["change"] === "same");
  return { same: Number(same?.["count"] ?? 0), changes: changes.sort((a, b) => b.count - a.count) };
}
