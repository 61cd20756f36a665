/** Policy: one decision with its explanation, beside a scan with picomatch, Cedar and casbin; globs made to backtrack; reloading. */
import { compileGlob, matchesGlob } from "../packages/server/src/base/glob.ts";
import { compilePolicy } from "../packages/server/src/policy/rules/compile.ts";
import type { CompiledPolicy } from "../packages/server/src/policy/rules/compile.ts";
import { decide } from "../packages/server/src/policy/rules/decide.ts";
import type { ActionRequest } from "../packages/server/src/policy/rules/decision.ts";
import { lintPolicy } from "../packages/server/src/policy/file/lint.ts";
import { parsePolicyFiles, requireGood } from "../packages/server/src/policy/file/policy-file.ts";
import {
  atLeast,
  atMost,
  benchResult,
  ensurePeers,
  hasPeer,
  interleave,
  median,
  percentile,
  rounded,
} from "./bench.ts";
import type { Bar, BenchOptions, BenchResult, Peers, Row } from "./bench.ts";
import { compareGlobs } from "./policy-globs.ts";
import { createCasbin, createCedar, createScan } from "./policy-peers.ts";
import type { Effect, Judge } from "./policy-peers.ts";
import { generate } from "./policy-rules.ts";
import type { Generated } from "./policy-rules.ts";

const sizes = [10, 100, 1_000, 10_000] as const;
const requestCount = 2_000;
const rounds = 7;
/** Milliseconds for one decision: fewer of them are asked, and not of 10,000 rules. */
const slowRequests = 100;
const slowRounds = 3;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { progress } = options;
  const peers = await ensurePeers(["picomatch", "@cedar-policy/cedar-wasm", "casbin"], options);
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const size of sizes) {
    progress(`${size} rules: every engine in turn`);
    const figures = await measureDecisions(size, peers);
    rows.push(...figures.rows);
    if (size === 1_000) bars.push(...barsOf(figures));
    if (size === 10_000)
      bars.push(atMost("decision-10k-p99", "decision at 10,000 rules, p99 us", figures.p99, 20));
  }
  progress("globs made to backtrack, on 4 KB");
  const globs = measureGlobs();
  rows.push(...globs.rows);
  bars.push(atMost("glob-4k", "slowest glob on 4 KB, median ms", globs.worstMs, 1));
  if (hasPeer(peers, "picomatch")) {
    progress("globs and paths at random, beside picomatch");
    const { pairs, mismatches } = await compareGlobs(50_000);
    const text = `answers of globs that differ from picomatch's, of ${pairs}`;
    bars.push(atMost("glob-mismatches", text, mismatches, 0));
  }
  progress("reading, checking and compiling a file of 1,000 rules");
  const reload = measureReload();
  rows.push(row("reload of 1,000 rules, ms", "own, lint included", reload));
  bars.push(atMost("reload", "reload of 1,000 rules, median ms", median(reload), 50));
  return await benchResult("policy", { peers, rows, bars });
}

interface Figures {
  readonly rows: readonly Row[];
  readonly p50: number;
  readonly p99: number;
  /** How many times slower each other engine is, by its name. */
  readonly ratios: ReadonlyMap<string, number>;
  /** Answers that differ from the linear scan's, of all engines. */
  readonly mismatches: number;
}

function barsOf({ p50, p99, ratios, mismatches }: Figures): readonly Bar[] {
  // The ratios hold on any machine, the absolute figures on one of this kind.
  const least: readonly (readonly [id: string, name: string, text: string, limit: number])[] = [
    ["against-scan", scanName, "times faster than a picomatch scan", 10],
    ["against-cedar", cedarName, "times faster than Cedar, preparsed", 500],
    ["against-casbin", casbinName, "times faster than casbin", 500],
  ];
  return [
    atMost("decision-p50", "decision with explanation at 1,000 rules, p50 us", p50, 2),
    atMost("decision-p99", "decision with explanation at 1,000 rules, p99 us", p99, 10),
    atMost("mismatches", "answers that differ from the scan's", mismatches, 0),
    ...least.flatMap(([id, name, text, limit]) => {
      const ratio = ratios.get(name);
      return ratio === undefined ? [] : [atLeast(id, text, ratio, limit)];
    }),
  ];
}

const ownName = "own index, explained";
const scanName = "scan with picomatch";
const cedarName = "cedar-wasm, preparsed";
const casbinName = "casbin enforceSync";

interface Contender {
  readonly judge: Judge;
  readonly requests: readonly ActionRequest[];
  readonly rounds: number;
  readonly figures: number[];
}

async function measureDecisions(size: number, peers: Peers): Promise<Figures> {
  const generated = generate(size, requestCount);
  const policy = compileAll(generated);
  const contenders = await createContenders(policy, generated, peers);
  const scan = contenders.get(scanName);
  const mismatches = scan === undefined ? 0 : countMismatches(scan.judge, contenders);
  const turns = (count: number): Record<string, () => number> =>
    Object.fromEntries(
      [...contenders].flatMap(([name, contender]) =>
        count <= contender.rounds ? [[name, () => measureEach(contender)]] : [],
      ),
    );
  await interleave(turns(1), 2);
  for (const { figures } of contenders.values()) figures.length = 0;
  await interleave(turns(slowRounds), slowRounds);
  await interleave(turns(rounds), rounds - slowRounds);
  const own = contenders.get(ownName)!.figures;
  const p50 = percentile(own, 0.5);
  const ratios = new Map(
    [...contenders].map(([name, { figures }]) => [name, percentile(figures, 0.5) / p50] as const),
  );
  return {
    rows: [...contenders].map(([name, { figures }]) => ({
      ...row(`decision at ${size} rules, us`, name, figures),
      "times own": rounded(ratios.get(name)!),
    })),
    p50,
    p99: percentile(own, 0.99),
    ratios,
    mismatches,
  };
}

function compileAll({ files }: Generated): CompiledPolicy {
  return compilePolicy(requireGood(parsePolicyFiles(files)));
}

async function createContenders(
  policy: CompiledPolicy,
  { rules, requests }: Generated,
  peers: Peers,
): Promise<ReadonlyMap<string, Contender>> {
  const contenders = new Map<string, Contender>();
  const add = (name: string, judge: Judge, isSlow = false): void => {
    const asked = isSlow ? requests.slice(0, slowRequests) : requests;
    contenders.set(name, { judge, requests: asked, rounds: isSlow ? slowRounds : rounds, figures: [] });
  };
  add(ownName, (request) => decide(policy, request));
  const isHuge = rules.length > 1_000;
  if (hasPeer(peers, "picomatch")) add(scanName, await createScan(rules), isHuge);
  if (hasPeer(peers, "@cedar-policy/cedar-wasm") && !isHuge) add(cedarName, createCedar(rules), true);
  if (hasPeer(peers, "casbin") && !isHuge) add(casbinName, await createCasbin(rules), true);
  return contenders;
}

/** Casbin knows allow and deny only; the others must say ask as well, and ours must name the very same rules. */
function countMismatches(scan: Judge, contenders: ReadonlyMap<string, Contender>): number {
  let mismatches = 0;
  for (const [name, { judge, requests }] of contenders) {
    for (const request of requests) {
      const [expected, found] = [scan(request), judge(request)];
      const wanted: Effect = name === casbinName && expected.effect === "ask" ? "allow" : expected.effect;
      const isSame = found.matched === undefined || namesOf(found) === namesOf(expected);
      if (wanted !== found.effect || !isSame) mismatches += 1;
    }
  }
  return mismatches;
}

function namesOf({ matched = [] }: ReturnType<Judge>): string {
  return matched
    .map(({ name }) => name)
    .sort()
    .join();
}

/** Microseconds of each decision, clock reading included (about 0.05 us); answers their median. */
function measureEach({ judge, requests, figures }: Contender): number {
  const mine: number[] = [];
  for (const request of requests) {
    const began = process.hrtime.bigint();
    judge(request);
    mine.push(Number(process.hrtime.bigint() - began) / 1_000);
  }
  for (const figure of mine) figures.push(figure);
  return percentile(mine, 0.5);
}

function measureGlobs(): { readonly rows: readonly Row[]; readonly worstMs: number } {
  const letters = "a".repeat(4_096);
  const path = "a/".repeat(2_048);
  const cases: readonly (readonly [name: string, pattern: string, text: string])[] = [
    ["eight stars", "*a*a*a*a*a*a*a*a*b*", letters],
    ["250 stars", `${"*a".repeat(250)}*b*`, letters],
    ["480 question marks", `*${"?".repeat(480)}b*`, letters],
    ["100 deep segments", `${"**/a/".repeat(100)}b*`, path],
    ["70 deep segments with stars", `${"**/*a*/".repeat(70)}b*`, path],
    [
      "32 alternatives",
      `{${Array.from({ length: 32 }, (_, index) => `**/a/**/${index}b*`).join(",")}}`,
      path,
    ],
    ["100 sets", `*${"[a-z]".repeat(100)}b*`, letters],
  ];
  const rows: Row[] = [];
  let worstMs = 0;
  for (const [name, pattern, text] of cases) {
    const result = compileGlob(pattern);
    if (!result.ok) throw new Error(`${name}: ${result.problem}`);
    const times = Array.from({ length: 200 }, () => {
      const began = performance.now();
      matchesGlob(result.glob, text);
      return performance.now() - began;
    });
    rows.push(row(`glob on 4 KB, ms`, name, times));
    worstMs = Math.max(worstMs, percentile(times, 0.5));
  }
  return { rows, worstMs };
}

function measureReload(): readonly number[] {
  const { files } = generate(1_000, 1);
  const knownActions = ["file_ops.read", "file_ops.write", "file_ops.delete", "http.get", "code_exec.run"];
  const times = Array.from({ length: 25 }, () => {
    const began = performance.now();
    const policy = requireGood(parsePolicyFiles(files));
    compilePolicy(policy);
    lintPolicy(policy, { knownActions });
    return performance.now() - began;
  });
  return times.slice(5);
}

function row(what: string, by: string, values: readonly number[]): Row {
  return {
    what,
    by,
    p50: rounded(percentile(values, 0.5)),
    p99: rounded(percentile(values, 0.99)),
    "times own": null,
  };
}
