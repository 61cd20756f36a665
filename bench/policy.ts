/** Policy: one decision with its explanation at 10, 100 and 1,000 rules, beside a scan with picomatch; globs; reloading. */
import { compileGlob, matchesGlob } from "../packages/server/src/base/glob.ts";
import { compilePolicy } from "../packages/server/src/policy/compile.ts";
import type { CompiledPolicy } from "../packages/server/src/policy/compile.ts";
import { decide } from "../packages/server/src/policy/decide.ts";
import type { ActionRequest } from "../packages/server/src/policy/decision.ts";
import { requirePolicy } from "../packages/server/src/policy/policy-file.ts";
import type { PolicyRule } from "../packages/server/src/policy/policy.ts";
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
import type { Bar, BenchOptions, BenchResult, Row } from "./bench.ts";

const sizes = [10, 100, 1_000] as const;
const requestCount = 2_000;
const rounds = 7;
const seed = 20_251_121;

type Matcher = (text: string) => boolean;
type Picomatch = (pattern: string, options: { readonly dot: boolean }) => Matcher;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { progress } = options;
  const peers = await ensurePeers(["picomatch"], options);
  const picomatch = hasPeer(peers, "picomatch") ? await loadPicomatch() : undefined;
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const size of sizes) {
    progress(`${size} rules: ${rounds} rounds of ${requestCount} decisions`);
    const figures = await measureDecisions(size, picomatch);
    rows.push(...figures.rows);
    if (size === 1_000) bars.push(...barsOf(figures));
  }
  progress("globs made to backtrack, on 4 KB");
  const globs = measureGlobs();
  rows.push(...globs.rows);
  bars.push(atMost("glob-4k", "slowest glob on 4 KB, median ms", globs.worstMs, 1));
  progress("reading and compiling a file of 1,000 rules");
  const reload = measureReload();
  rows.push(row("reload of 1,000 rules, ms", "own", reload));
  bars.push(atMost("reload", "reload of 1,000 rules, median ms", median(reload), 50));
  return await benchResult("policy", { peers, rows, bars });
}

interface Figures {
  readonly rows: readonly Row[];
  readonly p50: number;
  readonly p99: number;
  readonly ratio: number | undefined;
}

function barsOf({ p50, p99, ratio }: Figures): readonly Bar[] {
  const bars = [
    atMost("decision-p50", "decision with explanation at 1,000 rules, p50 us", p50, 2),
    atMost("decision-p99", "decision with explanation at 1,000 rules, p99 us", p99, 10),
  ];
  // The ratio holds on any machine, the absolute figures above on one of this kind.
  if (ratio !== undefined)
    bars.push(atLeast("against-scan", "times faster than a picomatch scan", ratio, 10));
  return bars;
}

async function loadPicomatch(): Promise<Picomatch> {
  const name = "picomatch";
  // A peer lives in bench/node_modules and brings no types: its documented call is all that is used.
  const module = (await import(name)) as { readonly default: Picomatch };
  return module.default;
}

async function measureDecisions(size: number, picomatch: Picomatch | undefined): Promise<Figures> {
  const { text, requests } = generate(size);
  const policy = compilePolicy(requirePolicy(text));
  const own: number[] = [];
  const scan: number[] = [];
  const linear = picomatch === undefined ? undefined : compileScan(policy.rules, picomatch);
  if (linear !== undefined) requireSameAnswers(policy, linear, requests);
  const contenders: Record<string, () => number> = {
    own: () => measureEach(requests, (request) => decide(policy, request), own),
  };
  if (linear !== undefined) {
    contenders["scan"] = () => measureEach(requests, (request) => scanAll(linear, request), scan);
  }
  await interleave(contenders, 2);
  own.length = 0;
  scan.length = 0;
  await interleave(contenders, rounds);
  const p50 = percentile(own, 0.5);
  return {
    rows: [
      row(`decision at ${size} rules, us`, "own index, explained", own),
      ...(linear === undefined ? [] : [row(`decision at ${size} rules, us`, "scan with picomatch", scan)]),
    ],
    p50,
    p99: percentile(own, 0.99),
    ratio: linear === undefined ? undefined : percentile(scan, 0.5) / p50,
  };
}

/** Microseconds of each decision, clock reading included (about 0.05 us); answers their median. */
function measureEach(
  requests: readonly ActionRequest[],
  judge: (request: ActionRequest) => unknown,
  figures: number[],
): number {
  const mine: number[] = [];
  for (const request of requests) {
    const began = process.hrtime.bigint();
    judge(request);
    mine.push(Number(process.hrtime.bigint() - began) / 1_000);
  }
  for (const figure of mine) figures.push(figure);
  return percentile(mine, 0.5);
}

interface ScanRule {
  readonly rule: PolicyRule;
  readonly matchers: readonly Matcher[];
}

function compileScan(rules: readonly PolicyRule[], picomatch: Picomatch): readonly ScanRule[] {
  return rules.map((rule) => ({
    rule,
    matchers: rule.resources.map((glob) => picomatch(glob.source, { dot: true })),
  }));
}

/** The simplest correct judge with precompiled picomatch: all rules, one after the other, matches kept for the answer. */
function scanAll(
  rules: readonly ScanRule[],
  request: ActionRequest,
): { readonly effect: string; readonly names: string[] } {
  const names: string[] = [];
  let effect = "none";
  for (const { rule, matchers } of rules) {
    if (!rule.actions.includes("*") && !rule.actions.includes(request.action)) continue;
    if (!matchers.some((matches) => matches(request.resource))) continue;
    names.push(rule.name);
    if (effect === "none" || rule.effect === "deny" || (rule.effect === "ask" && effect === "allow")) {
      effect = rule.effect;
    }
  }
  return { effect: effect === "none" ? "deny" : effect, names };
}

function requireSameAnswers(
  policy: CompiledPolicy,
  linear: readonly ScanRule[],
  requests: readonly ActionRequest[],
): void {
  for (const request of requests) {
    const decision = decide(policy, request);
    const scanned = scanAll(linear, request);
    const names = decision.matched.map((rule) => rule.name).sort();
    if (decision.effect === scanned.effect && names.join() === scanned.names.sort().join()) continue;
    throw new Error(`the index and the scan disagree on ${request.action} ${request.resource}`);
  }
}

/**
 * Rules as in facts/policy-and-sandbox.md: 30 % deny, 20 % ask, 50 % allow; 15 % on any action; 55 % below a folder, 15 %
 * exact, 10 % an extension anywhere, 10 % a folder anywhere, 10 % an extension below a folder. Half of the requests are
 * made to hit some rule's folder.
 */
function generate(size: number): { readonly text: string; readonly requests: readonly ActionRequest[] } {
  const random = createRandom(seed + size);
  const actions = ["file_ops.read", "file_ops.write", "file_ops.delete", "http.get", "code_exec.run"];
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const folder = (): string => `workspace/${pick(teams)}/project${Math.floor(random() * size)}`;
  const lines = ["version: 1", "rules:"];
  for (let index = 0; index < size; index++) {
    const [chance, shape] = [random(), random()];
    const effect = chance < 0.3 ? "deny" : chance < 0.5 ? "ask" : "allow";
    const action = random() < 0.15 ? '"*"' : pick(actions);
    let resource = `${folder()}/**`;
    if (shape < 0.15) resource = `${folder()}/report${index}.txt`;
    else if (shape < 0.25) resource = `"**/*.ext${index}"`;
    else if (shape < 0.35) resource = `"**/folder${index}/**"`;
    else if (shape < 0.45) resource = `${folder()}/**/*.cfg`;
    lines.push(
      `  - name: rule-${index}`,
      `    effect: ${effect}`,
      `    action: ${action}`,
      `    resource: ${resource}`,
    );
  }
  const requests = Array.from({ length: requestCount }, (_, index): ActionRequest => {
    const leaf = pick([
      `a/b/file${index}.cfg`,
      `report${index}.txt`,
      `x.ext${index % size}`,
      `folder${index % size}/y.md`,
    ]);
    const resource = random() < 0.5 ? `${folder()}/${leaf}` : `other/${pick(teams)}/${leaf}`;
    const caller = { agent: "workflow:bench", role: "operator", tenant: "default" };
    return { action: pick(actions), resource, args: {}, labels: ["operator"], ...caller };
  });
  return { text: `${lines.join("\n")}\n`, requests };
}

const teams = ["design", "finance", "legal", "research", "sales", "support"];

/** Mulberry32: the same numbers on every machine. */
function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
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
  const { text } = generate(1_000);
  const times = Array.from({ length: 25 }, () => {
    const began = performance.now();
    compilePolicy(requirePolicy(text));
    return performance.now() - began;
  });
  return times.slice(5);
}

function row(what: string, by: string, values: readonly number[]): Row {
  return { what, by, p50: rounded(percentile(values, 0.5)), p99: rounded(percentile(values, 0.99)) };
}
