/** Says in one sentence why a rule matched and what was decided; most of it is prepared when a policy is compiled. */
import type { GlobAlternative } from "../../base/glob.ts";
import { formatDuration } from "../../base/duration.ts";
import type { ActionRequest, MatchedRule, Obligations } from "./decision.ts";
import type { Condition, PolicyRule } from "./policy.ts";
import { describeRisk } from "./risk-condition.ts";
import { describeFlow } from "./sequence.ts";

/** The parts of a rule that had to match, for example "action file_ops.delete, resource workspace/**, sizeBytes gt 5". */
export function whyMatched(rule: PolicyRule, alternative: GlobAlternative | null): string {
  const parts = [rule.actions.includes("*") ? "any action" : `action ${rule.actions.join(" or ")}`];
  if (alternative !== null) parts.push(`resource ${alternative.source}`);
  if (rule.except.length > 0) parts.push(`except ${rule.except.map((glob) => glob.source).join(", ")}`);
  for (const condition of rule.conditions) parts.push(describeCondition(condition));
  if (rule.labelsAny.length > 0) parts.push(`values from ${rule.labelsAny.join(" or ")}`);
  if (rule.flow !== undefined) parts.push(...describeFlow(rule.flow));
  if (rule.riskScore !== undefined) parts.push(describeRisk(rule.riskScore));
  for (const kind of ["agent", "role", "tenant"] as const) {
    const globs = rule.scope[kind];
    if (globs.length > 0) parts.push(`${kind} ${globs.map((glob) => glob.source).join(" or ")}`);
  }
  const users = rule.scope.user ?? [];
  if (users.length > 0) parts.push(`user ${users.map((glob) => glob.source).join(" or ")}`);
  if (rule.window !== undefined) parts.push(rule.window.text);
  if (rule.section !== undefined) parts.push(`section ${rule.section.name}`);
  return parts.join(", ");
}

export function describeCondition({ arg, op, value }: Condition): string {
  if (op === "exists") return value === true ? `${arg} is there` : `${arg} is absent`;
  return `${arg} ${op} ${JSON.stringify(value).slice(0, 200)}`;
}

/** The sentence for a decision whose first match is `rule`; `others` is how many more matched. */
export function reasonFor(rule: MatchedRule, others: number): string {
  const more = others === 0 ? "" : ` (and ${others} more)`;
  return `${openings[rule.effect]} rule \`${rule.name}\` (${placeOf(rule)}): ${rule.why}${more}`;
}

/** `line 3`, with the file when it is not policy.yaml. */
export function placeOf({ line, file }: Pick<MatchedRule, "line" | "file">): string {
  return file === undefined ? `line ${line}` : `line ${line} of ${file}`;
}

const openings: Readonly<Record<MatchedRule["effect"], string>> = {
  deny: "Action blocked by policy:",
  ask: "Needs approval:",
  allow: "Allowed:",
};

export function reasonForDefault({ action, resource }: ActionRequest): string {
  return `Action blocked by policy: no rule allows ${action} on ${shorten(resource)}`;
}

/** Rules of sections let nothing pass that the organisation does not. */
export function reasonForSections(request: ActionRequest, rules: readonly MatchedRule[]): string {
  const names = rules.map((rule) => `\`${rule.name}\``).join(", ");
  return `${reasonForDefault(request)} for the whole organisation, and a section (${names}) can only tighten`;
}

/** Two rules ask roles that have no member in common: an answer of either would break the other. */
export function reasonForNobody(rules: readonly MatchedRule[]): string {
  const names = rules.filter((rule) => rule.effect === "ask").map((rule) => `\`${rule.name}\``);
  return `Action blocked by policy: the rules ${names.join(" and ")} ask different roles, so nobody may answer`;
}

/** What an action must keep to, in words: "sandbox at least standard; at most 30s". Empty when there is nothing. */
export function describeObligations({
  approval,
  sandbox,
  timeoutMs,
  redact,
  rate,
  transform,
}: Obligations): string {
  const parts: string[] = [];
  if (approval !== undefined) {
    const count = approval.quorum === 1 ? "one of" : `${approval.quorum} of`;
    const eyes = approval.fourEyes === true ? ", not by who asked for the run" : "";
    parts.push(
      `approval by ${count} ${approval.by.join(", ")}${eyes} within ${formatDuration(approval.expiresMs)}`,
    );
  }
  if (sandbox !== undefined) parts.push(`sandbox at least ${sandbox}`);
  if (timeoutMs !== undefined) parts.push(`at most ${formatDuration(timeoutMs)}`);
  if (redact === true) parts.push("output redacted");
  if (transform !== undefined)
    parts.push(`untrusted passages ${transform === "strip" ? "left out" : "quoted"} first`);
  if (rate !== undefined) parts.push(`at most ${rate.count} per ${formatDuration(rate.perMs)}`);
  return parts.join("; ");
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
