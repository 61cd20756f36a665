/** `homeostat policy test|explain|diff|coverage|schema`: what a policy says, asked without doing anything. */
import { HomeostatError } from "../../base/error.ts";
import { toErrorDetail } from "../../base/finding.ts";
import { suggestName } from "../../base/nearest.ts";
import type { JsonObject } from "../../base/canonical-json.ts";
import { systemClock } from "../../base/clock.ts";
import { decide } from "../../policy/rules/decide.ts";
import type { ActionRequest, Decision } from "../../policy/rules/decision.ts";
import { describeObligations, placeOf } from "../../policy/rules/explain.ts";
import { findNearMisses } from "../../policy/questions/misses.ts";
import type { NearMiss } from "../../policy/questions/misses.ts";
import { coverRules, parsePolicyCases, runPolicyCases } from "../../policy/questions/policy-cases.ts";
import type { PolicyCase, PolicyTestReport, RuleCoverage } from "../../policy/questions/policy-cases.ts";
import { diffPolicies } from "../../policy/questions/policy-diff.ts";
import type { PolicyDifference } from "../../policy/questions/policy-diff.ts";
import { policyJsonSchema } from "../../policy/file/policy-schema.ts";
import { originLabels } from "../../policy/file/read-matchers.ts";
import { parseInstant } from "../../policy/rules/time-window.ts";
import { builtInTools } from "./built-in-tools.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { paintEffect, readCompiled, readPolicy, readPolicyTexts, toCandidate } from "./policy-files.ts";
import { replayOnServer } from "./policy-server.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface PolicyTestOptions extends GlobalOptions {
  readonly policy?: string;
  /** Percent of rules. */
  readonly minCoverage?: number;
}

export async function testPolicy(
  file: string,
  options: PolicyTestOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const policy = await readCompiled(options.policy, options);
  const report = runPolicyCases(policy, await readCases(file));
  const least = options.minCoverage ?? 0;
  const isCovered = report.coverage.percent >= least;
  terminal.result({ ...report, minCoverage: least, ok: report.failed === 0 && isCovered }, (paint) =>
    renderTests(report, { file, least, paint }),
  );
  return report.failed === 0 && isCovered ? exitCodes.done : exitCodes.failed;
}

async function readCases(file: string): Promise<readonly PolicyCase[]> {
  const parsed = parsePolicyCases((await readUserFile(file)).toString("utf8"), file);
  if (parsed.ok) return parsed.cases;
  const details = parsed.findings.map(toErrorDetail);
  throw new HomeostatError("POLICY_INVALID", `The table of cases ${file} cannot be read`, {}, { details });
}

function renderTests(
  { cases, passed, failed, coverage }: PolicyTestReport,
  { file, least, paint }: { readonly file: string; readonly least: number; readonly paint: Paint },
): string {
  const lines = cases
    .filter(({ ok }) => !ok)
    .flatMap(({ name, line, problems }) => [
      `${paint("red", "failed")}  ${file}:${line}  ${oneLine(name)}`,
      ...problems.map((problem) => `        ${oneLine(problem)}`),
    ]);
  const word = failed === 0 ? paint("green", "passed") : paint("red", "failed");
  lines.push(`${word}  ${passed} of ${cases.length} cases`, ...coverageLines(coverage, paint));
  if (coverage.percent < least) lines.push(`${paint("red", "failed")}  ${least}% of the rules must be hit`);
  return lines.join("\n");
}

function coverageLines({ hit, rules, percent, missed }: RuleCoverage, paint: Paint): readonly string[] {
  const never = missed.map(
    ({ name, line }) => `        never hit: ${name} ${paint("dim", `(line ${line})`)}`,
  );
  return [`rules   ${hit} of ${rules} hit (${Math.floor(percent)}%)`, ...never];
}

export interface PolicyExplainOptions extends GlobalOptions {
  readonly policy?: string;
  readonly arg?: readonly string[];
  readonly label?: readonly string[];
  readonly agent?: string;
  readonly role?: string;
  readonly tenant?: string;
  readonly user?: string;
  readonly at?: string;
}

export async function explainAction(
  action: string,
  resource: string,
  options: PolicyExplainOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const policy = await readCompiled(options.policy, options);
  const request = requestOf(action, resource, options);
  const decision = decide(policy, request);
  const nearMisses = findNearMisses(policy, request);
  const tools = [...builtInTools().keys()];
  // Else a slip of the pen reads as a policy that is too strict.
  if (!tools.includes(action))
    terminal.note((paint) =>
      paint("yellow", `no tool has the action ${action} (${suggestName(action, tools)})`),
    );
  terminal.result({ request, decision, nearMisses }, (paint) =>
    renderExplanation(decision, nearMisses, paint),
  );
  return exitCodes.done;
}

function requestOf(action: string, resource: string, options: PolicyExplainOptions): ActionRequest {
  const atMs = options.at === undefined ? systemClock.now() : parseInstant(options.at);
  if (atMs === undefined)
    throw new HomeostatError("USAGE", `--at ${options.at} is no time with zone such as 2026-01-07T09:00:00Z`);
  const labels = (options.label ?? []).map((text) => {
    const label = originLabels.find((known) => known === text);
    if (label !== undefined) return label;
    throw new HomeostatError("USAGE", `--label ${text} is none of ${originLabels.join(", ")}`);
  });
  return {
    action,
    resource,
    args: Object.fromEntries((options.arg ?? []).map(parseArgument)),
    labels,
    agent: options.agent ?? "workflow:example",
    role: options.role ?? "operator",
    tenant: options.tenant ?? "default",
    user: options.user ?? "user:admin",
    atMs,
  };
}

/** `sizeBytes=5`: JSON where it is JSON, a text otherwise. */
function parseArgument(text: string): readonly [string, unknown] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new HomeostatError("USAGE", `--arg ${text}: expected name=value`);
  const value = text.slice(equals + 1);
  try {
    return [text.slice(0, equals), JSON.parse(value) as unknown];
  } catch {
    // Not JSON: taken as it is, so that texts need no quotes.
    return [text.slice(0, equals), value];
  }
}

function renderExplanation(decision: Decision, misses: readonly NearMiss[], paint: Paint): string {
  const demands = describeObligations(decision.obligations);
  const lines = [
    `${paintEffect(decision.effect, paint)}  ${oneLine(decision.reason)}`,
    `risk      ${decision.risk}`,
  ];
  if (demands !== "") lines.push(`demands   ${demands}`);
  lines.push(`revision  ${decision.revision}`, "", paint("bold", "matched"));
  if (decision.matched.length === 0) lines.push("  none");
  for (const rule of decision.matched)
    lines.push(`  ${paintEffect(rule.effect, paint)} ${rule.name} (${placeOf(rule)}): ${oneLine(rule.why)}`);
  if (misses.length > 0) lines.push("", paint("bold", "nearest that did not match"));
  for (const miss of misses)
    lines.push(`  ${miss.effect} ${miss.name} (${placeOf(miss)}): ${oneLine(miss.missed.join("; "))}`);
  return lines.join("\n");
}

/** A side is a file, `v3` for a version, or `active`; the last two ask the server. */
export async function diffPolicyFiles(
  a: string,
  b: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const isRemote = [a, b].some((side) => side === "active" || isVersion(side));
  const difference = isRemote
    ? await diffOnServer(a, b, options)
    : diffPolicies(await readPolicy(a, options), await readPolicy(b, options));
  terminal.result(difference, (paint) => renderDifference(difference as PolicyDifference, paint));
  return exitCodes.done;
}

function isVersion(side: string): boolean {
  return /^v[1-9]\d{0,8}$/.test(side);
}

async function diffOnServer(a: string, b: string, options: GlobalOptions): Promise<unknown> {
  const sideOf = async (side: string): Promise<object> => {
    if (side === "active") return {};
    return isVersion(side)
      ? { version: Number(side.slice(1)) }
      : toCandidate(await readPolicyTexts(side, options));
  };
  const [from, to] = await Promise.all([sideOf(a), sideOf(b)]);
  const { client } = await connect(options);
  return await client.call("policy.diff", { body: { from, to } });
}

function renderDifference(
  { added, removed, changed, settings, examples }: PolicyDifference,
  paint: Paint,
): string {
  const lines: string[] = [];
  for (const { name, line, effect } of removed)
    lines.push(paint("red", `- ${effect} ${name} (line ${line})`));
  for (const { name, line, effect } of added)
    lines.push(paint("green", `+ ${effect} ${name} (line ${line})`));
  const parts = (changes: PolicyDifference["settings"]): string[] =>
    changes.map(
      ({ part, before, after }) =>
        `    ${part}: ${paint("red", before || "nothing")} -> ${paint("green", after || "nothing")}`,
    );
  for (const { name, line, parts: changes } of changed)
    lines.push(`~ ${name} (line ${line})`, ...parts(changes));
  if (settings.length > 0) lines.push("~ settings", ...parts(settings));
  if (lines.length === 0) return "No differences.";
  if (examples.length > 0) lines.push("", paint("bold", "by example"));
  for (const { request, from, to, after } of examples) {
    const what = oneLine(`${request.action} on ${request.resource}`);
    lines.push(
      `  ${paintEffect(from, paint)} -> ${paintEffect(to, paint)}  ${what}`,
      `    ${oneLine(after)}`,
    );
  }
  return lines.join("\n");
}

export interface PolicyCoverageOptions extends GlobalOptions {
  readonly policy?: string;
  readonly tests?: readonly string[];
  readonly since?: string;
  readonly minCoverage?: number;
}

/** Rules hit by tables of cases, by recorded actions, or by either. */
export async function coverPolicy(options: PolicyCoverageOptions, terminal: Terminal): Promise<ExitCode> {
  const { tests = [], since, minCoverage = 0 } = options;
  if (tests.length === 0 && since === undefined) {
    const hint = "Give --tests FILE, --since 30d, or both.";
    throw new HomeostatError("USAGE", "Nothing is named that could hit rules", {}, { hint });
  }
  const policy = await readCompiled(options.policy, options);
  const hit = new Set<string>();
  for (const file of tests) {
    const { cases } = runPolicyCases(policy, await readCases(file));
    for (const { decision } of cases) for (const { name } of decision.matched) hit.add(name);
  }
  if (since !== undefined) {
    const files = await readPolicyTexts(options.policy, options);
    const report = await replayOnServer({ ...toCandidate(files), since, examples: 0 }, options, terminal);
    for (const { name, hits } of report.rules) if (hits > 0) hit.add(name);
  }
  const coverage = coverRules(policy, hit);
  const ok = coverage.percent >= minCoverage;
  terminal.result({ ...coverage, ok }, (paint) => coverageLines(coverage, paint).join("\n"));
  return ok ? exitCodes.done : exitCodes.failed;
}

export function printPolicySchema(terminal: Terminal): ExitCode {
  const schema: JsonObject = policyJsonSchema();
  terminal.result(schema, () => JSON.stringify(schema, null, 2));
  return exitCodes.done;
}
