/** How many runs of a tenant or workflow may be worked on at once, and how many may begin in a time; as conditions on rows. Pure. */
import { joined, nothing, now, plain, sql } from "./sql-part.ts";
import type { Sending, SqlPart } from "./sql-part.ts";

export interface Limit {
  /** Runs that hold a worker at the same time. */
  readonly concurrency?: number | undefined;
  /** Runs that may begin within any stretch of `windowMs`. */
  readonly rate?: { readonly count: number; readonly windowMs: number } | undefined;
}

/** By name; `*` is for each that has none of its own. */
export type LimitTable = Readonly<Record<string, Limit>>;

export interface QueueLimits {
  readonly tenants: LimitTable;
  /** Of each tenant's workflow of that name. */
  readonly workflows: LimitTable;
}

export const noLimits: QueueLimits = { tenants: {}, workflows: {} };

/** Larger than any count of runs. */
const unlimited = 1_000_000_000;

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
export const rateForm: RegExp = /^[1-9]\d{0,5}\/[smh]$/;

/** `10/s`, `100/m`, `1000/h`. Throws a RangeError for anything else; the configuration's schema has checked it. */
export function parseRate(text: string): NonNullable<Limit["rate"]> {
  const [count = "", unit = ""] = text.split("/");
  if (!rateForm.test(text)) throw new RangeError(`${text} is no rate such as 100/m`);
  return { count: Number(count), windowMs: unitsMs[unit as keyof typeof unitsMs] };
}

/** 1 for a run that was never worked on: what a rate holds back. */
export const begins = "CASE WHEN runs.claimed_at_ms IS NULL AND runs.started_at_ms IS NULL THEN 1 ELSE 0 END";

/** True when somebody must know when runs began. */
export function hasRates({ tenants, workflows }: QueueLimits): boolean {
  return has(tenants, "rate") || has(workflows, "rate");
}

/** What a claim adds to itself to keep the limits. */
export interface LimitParts {
  /** Tables for WITH, each followed by a comma. */
  readonly tables: SqlPart;
  /** A condition on `runs`: not of a tenant or workflow that has nothing left. */
  readonly open: SqlPart;
  /** Narrows the table `due` down to what may be taken together, and names the table that is left. */
  readonly narrowing: SqlPart;
  readonly result: string;
}

interface Scope {
  readonly columns: string;
  readonly name: string;
  /** The columns of two tables are the same. */
  readonly same: (a: string, b: string) => string;
  readonly limits: LimitTable;
}

/**
 * Held runs are counted in the leases, begun ones by the time of their first claim: there is no counter that could be wrong after a
 * crash. Workflows are narrowed before tenants and rates before concurrency, so that what one limit holds back does not use
 * up the room of another.
 */
export function limitParts(limits: QueueLimits): LimitParts | undefined {
  const scopes: readonly Scope[] = [
    {
      columns: "tenant, workflow_name",
      name: "workflow_name",
      same: (a, b) => `${a}.tenant = ${b}.tenant AND ${a}.workflow_name = ${b}.workflow_name`,
      limits: limits.workflows,
    },
    {
      columns: "tenant",
      name: "tenant",
      same: (a, b) => `${a}.tenant = ${b}.tenant`,
      limits: limits.tenants,
    },
  ];
  const rules = [
    ...scopes.filter(({ limits: each }) => has(each, "rate")).map(rateRule),
    ...scopes.filter(({ limits: each }) => has(each, "concurrency")).map(concurrencyRule),
  ];
  if (rules.length === 0) return undefined;
  const stages = rules.map((rule, index) =>
    stage(rule, index === 0 ? "due" : `fit${index}`, `fit${index + 1}`),
  );
  return {
    tables: sql`held AS (${heldRuns}), ${begunRuns(limits)}${joined(
      rules.map(({ used }) => sql`${used}, `),
      "",
    )}`,
    open: joined(
      rules.map(({ isFull }) => sql` AND NOT ${isFull}`),
      "",
    ),
    narrowing: joined(stages, ""),
    result: `fit${rules.length}`,
  };
}

interface Rule {
  /** The table `<name>` of what is used up, with the columns of the scope and `used`. */
  readonly used: SqlPart;
  readonly isFull: SqlPart;
  readonly scope: Scope;
  readonly name: string;
  readonly limitOf: (table: string) => SqlPart;
  /** Which rows count: for rates only those that begin. */
  readonly counts: (table: string) => string;
}

function concurrencyRule(scope: Scope): Rule {
  const name = `held_by_${scope.name}`;
  const limitOf = (table: string): SqlPart => limitCase(scope, table, (limit) => limit.concurrency);
  return {
    used: sql`${plain(name)} AS (SELECT ${plain(scope.columns)}, COUNT(*) AS used FROM held GROUP BY ${plain(scope.columns)})`,
    isFull: sql`EXISTS (SELECT 1 FROM ${plain(name)} AS u WHERE ${plain(scope.same("u", "runs"))}
      AND u.used >= ${limitOf("u")})`,
    scope,
    name,
    limitOf,
    counts: () => "1 = 1",
  };
}

function rateRule(scope: Scope): Rule {
  const name = `begun_by_${scope.name}`;
  const limitOf = (table: string): SqlPart => limitCase(scope, table, (limit) => limit.rate?.count);
  // Added to the column and not taken from the time: PostgreSQL would take a parameter beside a small number for a small number.
  const windowMs = limitCase(scope, "begun", (limit) => limit.rate?.windowMs, 0);
  return {
    used: sql`${plain(name)} AS (SELECT ${plain(scope.columns)}, COUNT(*) AS used FROM begun
      WHERE claimed_at_ms + ${windowMs} > ${now} GROUP BY ${plain(scope.columns)})`,
    isFull: sql`(${plain(begins)} = 1 AND EXISTS (SELECT 1 FROM ${plain(name)} AS u
      WHERE ${plain(scope.same("u", "runs"))} AND u.used >= ${limitOf("u")}))`,
    scope,
    name,
    limitOf,
    counts: (table) => `${table}.begins = 1`,
  };
}

/** Numbers the rows of each scope in the order in which they would be taken, and keeps as many as there is room for. */
function stage({ scope, name, limitOf, counts }: Rule, from: string, to: string): SqlPart {
  const columns = scope.columns;
  return sql`, ${plain(`${to}_numbered`)} AS (SELECT ${plain(from)}.*, ROW_NUMBER() OVER (
      PARTITION BY ${plain(columns)}, CASE WHEN ${plain(counts(from))} THEN 1 ELSE 0 END
      ORDER BY lane, wake_at_ms, id) AS ${plain(`${to}_place`)} FROM ${plain(from)}),
    ${plain(to)} AS (SELECT n.* FROM ${plain(`${to}_numbered`)} AS n
      WHERE NOT (${plain(counts("n"))}) OR n.${plain(`${to}_place`)} <= ${limitOf("n")}
        - COALESCE((SELECT u.used FROM ${plain(name)} AS u WHERE ${plain(scope.same("u", "n"))}), 0))`;
}

const heldRuns: SqlPart = sql`SELECT r.tenant, r.workflow_name FROM leases AS l JOIN runs AS r ON r.id = substr(l.name, 5)
    WHERE l.owner <> '' AND l.until_ms > ${now} AND l.name LIKE 'run/%'`;

function begunRuns({ tenants, workflows }: QueueLimits): SqlPart {
  const windows = [...Object.values(tenants), ...Object.values(workflows)].map(
    ({ rate }) => rate?.windowMs ?? 0,
  );
  const longestMs = Math.max(0, ...windows);
  if (longestMs === 0) return nothing;
  return sql`begun AS (SELECT tenant, workflow_name, claimed_at_ms FROM runs WHERE claimed_at_ms > ${({ nowMs }: Sending) => nowMs - longestMs}), `;
}

/** What holds for the row of `table`, as a number. Numbers stand in the text: they are the configuration's, not a caller's. */
function limitCase(
  { name, limits }: Scope,
  table: string,
  valueOf: (limit: Limit) => number | undefined,
  otherwise: number = unlimited,
): SqlPart {
  const standard = (limits["*"] && valueOf(limits["*"])) ?? otherwise;
  const own = Object.entries(limits).filter(([key]) => key !== "*");
  if (own.length === 0) return plain(standard);
  const cases = own.map(([key, limit]) => sql` WHEN ${key} THEN ${plain(valueOf(limit) ?? standard)}`);
  return sql`CASE ${plain(`${table}.${name}`)}${joined(cases, "")} ELSE ${plain(standard)} END`;
}

function has(limits: LimitTable, kind: keyof Limit): boolean {
  return Object.values(limits).some((limit) => limit[kind] !== undefined);
}
