/** What every benchmark shares: the shape of a result, statistics, bars, the machine, and the programs compared with. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A figure that the project promised. `limit` is what `value` has to reach. */
export interface Bar {
  readonly id: string;
  /** For people, with unit, for example "durable entries/s, batched, at least". */
  readonly text: string;
  readonly value: number;
  readonly limit: number;
  readonly ok: boolean;
}

/** One line of the table; every row of a bench has the same members in the same order. */
export type Row = Readonly<Record<string, string | number | null>>;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly openssl: string;
  readonly kernel: string;
}

/** The version of each program compared with, or why it could not be had. */
export type Peers = Readonly<Record<string, string>>;

export interface BenchResult {
  readonly name: string;
  /** Of this repository; ends in "+changes" when files differ from it. */
  readonly commit: string;
  readonly machine: Machine;
  readonly peers: Peers;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
}

export interface BenchOptions {
  /** Says on standard error what is being done. */
  readonly progress: (text: string) => void;
}

/** What a file `bench/NAME.ts` exports as `run`. */
export type RunBench = (options: BenchOptions) => Promise<BenchResult>;

export const benchFolder: string = import.meta.dirname;

export async function benchResult(
  name: string,
  parts: Pick<BenchResult, "peers" | "rows" | "bars">,
): Promise<BenchResult> {
  return { name, commit: await currentCommit(), machine: describeMachine(), ...parts };
}

/** A bar that `value` has to reach from below. */
export function atLeast(id: string, text: string, value: number, limit: number): Bar {
  return { id, text: `${text}, at least`, value: rounded(value), limit, ok: value >= limit };
}

/** A bar that `value` must not exceed. */
export function atMost(id: string, text: string, value: number, limit: number): Bar {
  return { id, text: `${text}, at most`, value: rounded(value), limit, ok: value <= limit };
}

/** The value below which `ratio` (0 to 1) of the values lie, by the nearest rank; NaN of none. */
export function percentile(values: readonly number[], ratio: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)] ?? NaN;
}

export function median(values: readonly number[]): number {
  return (percentile(values, 0.5) + percentile(values, 0.5 + 1 / Math.max(2, values.length * 2))) / 2;
}

/**
 * Runs every contender once per round, in turn, so that a change of the machine's load meets all alike. Returns each one's
 * figures in the order of the rounds.
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, () => number | Promise<number>>>,
  rounds: number,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contenders) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    // Every second round backwards, so that nobody always comes after the same neighbour.
    for (const name of round % 2 === 0 ? names : names.toReversed())
      figures[name].push(await contenders[name]());
  }
  return figures;
}

/** Milliseconds that `act` takes. */
export async function timed(act: () => unknown): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}

/** Three significant digits and no more zeros than needed. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

/**
 * Makes the named packages of bench/package.json importable from bench files; installs what is missing. Returns each one's
 * version, or the reason why the bench must do without it; never throws.
 */
export async function ensurePeers(names: readonly string[], { progress }: BenchOptions): Promise<Peers> {
  let failure = "it is not in bench/package.json";
  if (names.some((name) => installedVersion(name) === undefined)) {
    progress(`installing ${names.join(", ")} into bench/node_modules`);
    try {
      await promisify(execFile)("npm", ["install", "--prefix", benchFolder], { cwd: benchFolder });
    } catch (error) {
      failure =
        ((error as { stderr?: string }).stderr ?? String(error)).trim().split("\n").at(-1) ?? "npm failed";
    }
  }
  const peers: Record<string, string> = {};
  for (const name of names) {
    const version = installedVersion(name);
    peers[name] = version ?? `not installed: ${failure}`;
    if (version === undefined) progress(`${name} cannot be compared with: ${failure}`);
  }
  return peers;
}

/** True when `ensurePeers` found the package. */
export function hasPeer(peers: Peers, name: string): boolean {
  return peers[name] !== undefined && !peers[name].startsWith("not installed");
}

function installedVersion(name: string): string | undefined {
  const path = join(benchFolder, "node_modules", name, "package.json");
  if (!existsSync(path)) return undefined;
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: rounded(totalmem() / 1024 ** 3),
    node: process.version,
    openssl: process.versions.openssl,
    kernel: release(),
  };
}

async function currentCommit(): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("git", args, { cwd: benchFolder })).stdout.trim();
  try {
    const commit = await git("rev-parse", "HEAD");
    return (await git("status", "--porcelain", "--untracked-files=no")) === "" ? commit : `${commit}+changes`;
  } catch {
    return "unknown: not a git checkout";
  }
}
