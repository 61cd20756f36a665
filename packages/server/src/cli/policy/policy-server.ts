/** `homeostat policy dry-run|shadow|versions|activate|rollback`: what a candidate would do and did, and what is in force. */
import type { Answer } from "@homeostat/client";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { paintEffect, readPolicyTexts, toCandidate } from "./policy-files.ts";
import type { EffectName } from "./policy-files.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface DryRunOptions extends GlobalOptions {
  readonly since?: string;
  readonly against?: "recorded" | "active";
  readonly examples?: number;
}

/** What the server's stream ends with; the routes of policy write it so. */
export interface ReplayReport {
  readonly actions: number;
  readonly changed: number;
  readonly incomplete: number;
  readonly erasedRuns: number;
  readonly groups: readonly {
    readonly from: EffectName;
    readonly to: EffectName;
    readonly count: number;
    readonly examples: readonly {
      readonly runId: string;
      readonly step: string;
      readonly action: string;
      readonly resource: string;
      readonly reason: string;
      readonly at: string;
    }[];
  }[];
  readonly rules: readonly { readonly name: string; readonly line: number; readonly hits: number }[];
}

interface Progress {
  readonly runs: number;
  readonly runsTotal: number;
  readonly actions: number;
  readonly changed: number;
}

/** Without a file: the policy in force against what was decided in the past. */
export async function dryRunPolicy(
  file: string | undefined,
  options: DryRunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const candidate = file === undefined ? {} : toCandidate(await readPolicyTexts(file, options));
  const { since = "30d", against = "recorded", examples = 5 } = options;
  const report = await replayOnServer({ ...candidate, since, against, examples }, options, terminal);
  terminal.result(report, (paint) => renderReport(report, paint));
  return exitCodes.done;
}

export interface ReplayBody {
  readonly text?: string;
  readonly files?: { name: string; text: string }[];
  readonly since: string;
  readonly against?: "recorded" | "active";
  readonly examples: number;
}

export async function replayOnServer(
  body: ReplayBody,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ReplayReport> {
  const { client } = await connect(options);
  let told = -1;
  for await (const { event, data } of client.stream("policy.dryRun", { body, maxTries: 1 })) {
    if (event === "report") return data as ReplayReport;
    if (event !== "progress" || terminal.json) continue;
    const { runs, runsTotal, actions, changed } = data as Progress;
    if (runs === told) continue;
    told = runs;
    terminal.note((paint) =>
      paint("dim", `${runs} of ${runsTotal} runs, ${actions} actions, ${changed} would change`),
    );
  }
  throw new HomeostatError("SERVER_UNREACHABLE", "The server ended the dry run without a report");
}

function renderReport(
  { actions, changed, incomplete, erasedRuns, groups, rules }: ReplayReport,
  paint: Paint,
): string {
  const lines = [`${actions} actions decided again, ${changed} would change`];
  if (incomplete > 0)
    lines.push(`${incomplete} of them were recorded without role and user by an older version`);
  if (erasedRuns > 0) lines.push(`${erasedRuns} runs were erased and are left out`);
  for (const { from, to, count, examples } of groups) {
    lines.push(
      "",
      `${paintEffect(from, paint)} -> ${paintEffect(to, paint)}  ${paint("bold", String(count))}`,
    );
    for (const { runId, step, action, resource, reason } of examples)
      lines.push(
        `  ${oneLine(`${action} on ${resource}`)}`,
        `    ${paint("dim", `${runId} ${step}`)}  ${oneLine(reason)}`,
      );
  }
  const never = rules.filter(({ hits }) => hits === 0);
  if (never.length > 0)
    lines.push(
      "",
      `${never.length} of ${rules.length} rules matched nothing: ${never.map(({ name }) => name).join(", ")}`,
    );
  return lines.join("\n");
}

export async function setShadow(file: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const body = toCandidate(await readPolicyTexts(file, options));
  const { client } = await connect(options);
  const answer = await client.call("policy.setShadow", { body });
  terminal.result(
    answer,
    () => `The shadow policy is set: ${answer.shadow?.rules} rules, ${answer.shadow?.revision}`,
  );
  return exitCodes.done;
}

export async function showShadow(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const answer = await client.call("policy.shadow", {});
  terminal.result(answer, (paint) => renderShadow(answer, paint));
  return exitCodes.done;
}

function renderShadow({ shadow }: Answer<"policy.shadow">, paint: Paint): string {
  if (shadow === null) return "There is no shadow policy; `homeostat policy shadow set FILE` sets one.";
  const differing = shadow.changes.reduce((sum, { count }) => sum + count, 0);
  const lines = [
    `${shadow.revision}, ${shadow.rules} rules, set by ${oneLine(shadow.by)} at ${shadow.setAt}`,
    `${shadow.same} decisions the same, ${differing} otherwise`,
  ];
  for (const { from, to, count, samples } of shadow.changes) {
    lines.push(
      "",
      `${paintEffect(from, paint)} -> ${paintEffect(to, paint)}  ${paint("bold", String(count))}`,
    );
    for (const { action, resource, agent, reason } of samples.slice(0, 5))
      lines.push(`  ${oneLine(`${action} on ${resource} by ${agent}`)}`, `    ${oneLine(reason)}`);
  }
  return lines.join("\n");
}

export async function clearShadow(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  await client.call("policy.clearShadow", {});
  terminal.result({ shadow: null }, () => "There is no shadow policy any more.");
  return exitCodes.done;
}

export async function listVersions(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const page = await client.call("policy.versions", { query: {} });
  terminal.result(page, () => {
    const rows = page.data.map(({ number, isActive, rules, by, at, note, revision }) => [
      `v${number}${isActive ? " *" : ""}`,
      at.slice(0, 19),
      by === null ? "(file)" : oneLine(by),
      String(rules),
      revision.slice(7, 19),
      oneLine(note ?? ""),
    ]);
    return formatTable(["VERSION", "SINCE", "BY", "RULES", "REVISION", "NOTE"], rows, terminal.columns);
  });
  return exitCodes.done;
}

export interface ActivateOptions extends GlobalOptions {
  readonly note?: string;
  /** The revision the change was made on; the one in force now without it. */
  readonly expected?: string;
}

export async function activatePolicy(
  file: string,
  options: ActivateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const candidate = toCandidate(await readPolicyTexts(file, options));
  const { client } = await connect(options);
  const expected = options.expected ?? (await client.call("policy.get", {})).revision;
  const answer = await client.call("policy.activate", {
    body: { ...candidate, expected, note: options.note },
  });
  return tellActivated(answer, terminal);
}

export async function rollbackPolicy(
  version: string,
  options: ActivateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const number = Number(/^v?([1-9]\d{0,8})$/.exec(version)?.[1]);
  if (Number.isNaN(number)) throw new HomeostatError("USAGE", `${version} is no version such as v3`);
  const { client } = await connect(options);
  const expected = options.expected ?? (await client.call("policy.get", {})).revision;
  const answer = await client.call("policy.rollback", {
    params: { number },
    body: { expected, note: options.note },
  });
  return tellActivated(answer, terminal);
}

function tellActivated(policy: Answer<"policy.get">, terminal: Terminal): ExitCode {
  const { revision, rules, findings } = policy;
  terminal.result({ revision, rules: rules.length, findings }, (paint) =>
    [
      `${paint("green", "in force")}  ${rules.length} rules, ${revision}`,
      ...findings.map(
        ({ line, message }) => `${paint("yellow", "warning")}  line ${line}: ${oneLine(message)}`,
      ),
    ].join("\n"),
  );
  return exitCodes.done;
}
