/** Runs as people read them in a terminal. Pure. */
import type { Answer } from "@homeostat/client";
import type { Approval, Artifact, StepView } from "@homeostat/client/api";
import { describeRepair } from "./describe-event.ts";
import { formatBytes, formatSpan } from "../terminal/format-time.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Paint, Style } from "../terminal/terminal.ts";

export type RunDetail = Answer<"runs.get">;

/** Commands that carry the run on, in the order a person would want them. */
export function nextCommands(run: RunDetail): readonly string[] {
  const waiting = run.approvals.filter(({ status }) => status === "waiting");
  if (waiting.length > 0) {
    return waiting.flatMap(({ id, kind }) =>
      kind === "outcome"
        ? [`homeostat resolve ${id} happened|did-not-happen|abandon`]
        : [`homeostat approve ${id}`, `homeostat reject ${id} --reason "..."`],
    );
  }
  if (run.state === "DEAD") return [`homeostat retry ${run.id}`, `homeostat discard ${run.id}`];
  if (run.endedAt !== null) return [`homeostat verify --run ${run.id}`];
  if (run.waitingFor?.kind === "pause") return [`homeostat resume ${run.id}`];
  return [`homeostat logs -f ${run.id}`];
}

/** The end of `homeostat run`. */
export function renderOutcome(
  run: RunDetail,
  { outcome, next }: { readonly outcome: string; readonly next: readonly string[] },
  paint: Paint,
): string {
  const lines = [headline(run, paint)];
  if (outcome === "interrupted" || outcome === "timeout") {
    const why = outcome === "timeout" ? "The time is up" : "Interrupted";
    lines.push(`${why}; the run goes on. Stop it with: homeostat cancel ${run.id}`);
  }
  if (run.error !== null) lines.push(...renderFailure(run.error, paint));
  const waiting = run.approvals.filter(({ status }) => status === "waiting");
  for (const approval of waiting) lines.push("", ...renderApproval(approval, paint));
  if (run.state === "COMPLETED") lines.push(...renderOutputs(run.outputs, paint));
  if (run.endedAt !== null && run.artifacts.length > 0) lines.push("", renderArtifacts(run.artifacts));
  if (next.length > 0) lines.push("", ...next.map((command) => `  ${paint("cyan", command)}`));
  return lines.join("\n");
}

/** The whole of `homeostat show`. */
export function renderDetail(run: RunDetail, paint: Paint): string {
  const lines = [
    headline(run, paint),
    `  by ${run.requester} at ${run.createdAt}, attempt ${run.attempts} of ${run.maxAttempts}`,
  ];
  if (run.origin !== null)
    lines.push(`  a ${run.origin.kind} of ${run.origin.run}, after event ${run.origin.seq}`);
  if (Object.keys(run.inputs).length > 0) lines.push(`  inputs ${JSON.stringify(run.inputs)}`);
  for (const { at, by, text } of run.messages) lines.push(`  told by ${by} at ${at}: ${oneLine(text)}`);
  if (run.error !== null) lines.push(...renderFailure(run.error, paint));
  if (run.fault !== null) lines.push(...renderFault(run.fault, paint));
  if (run.progress !== null && run.endedAt === null)
    lines.push(`  says      ${formatProgress(run.progress)}`);
  if (run.workspaceRestored !== null) {
    lines.push(
      `  ${paint("yellow", "workspace")} ${describeRepair(run.workspaceRestored)} (the folder belongs to the run)`,
    );
  }
  lines.push("", ...run.steps.map((step) => renderStep(step, paint)));
  for (const approval of run.approvals) lines.push("", ...renderApproval(approval, paint));
  lines.push(...renderOutputs(run.outputs, paint));
  if (run.artifacts.length > 0) lines.push("", renderArtifacts(run.artifacts));
  const next = nextCommands(run);
  if (next.length > 0) lines.push("", ...next.map((command) => `  ${paint("cyan", command)}`));
  return lines.join("\n");
}

/** The arguments are always shown: nobody should answer without them. */
export function renderApproval(approval: Approval, paint: Paint): readonly string[] {
  const { id, status, message, summary, action, resource, args, reason, risk, matched } = approval;
  const lines = [
    `${paint("yellow", status === "waiting" ? "waits for a person" : status)}  ${paint("bold", id)}  ${oneLine(summary)}`,
  ];
  if (message !== null) lines.push(`  ${oneLine(message)}`);
  if (action !== null) lines.push(`  action    ${action}  ${oneLine(resource ?? "")}`);
  lines.push(`  arguments ${formatArguments(args)}`);
  lines.push(`  risk      ${risk}: ${oneLine(reason)}`);
  for (const rule of matched)
    lines.push(`  rule      ${rule.name} (policy.yaml:${rule.line}) ${rule.effect}: ${oneLine(rule.why)}`);
  if (approval.status === "waiting") {
    const count = approval.quorum > 1 ? ` (${approval.votes} of ${approval.quorum} agree)` : "";
    const eyes = approval.fourEyes ? `, not ${approval.requester}` : "";
    lines.push(
      `  answer    ${[...approval.by, ...approval.delegates].join(" or ")}${eyes}${count}${approval.expiresAt === null ? "" : `, until ${approval.expiresAt}`}`,
    );
  } else if (approval.decidedBy !== null) {
    const why = approval.decisionReason === null ? "" : `: ${oneLine(approval.decisionReason)}`;
    lines.push(`  answered  ${approval.answer ?? approval.status} by ${approval.decidedBy}${why}`);
    if (approval.editedArgs !== null) lines.push(`  instead   ${formatArguments(approval.editedArgs)}`);
  }
  return lines;
}

/** On one line while that is readable, else indented: a person must be able to check every value. */
function formatArguments(args: unknown): string {
  const line = JSON.stringify(args);
  return line.length <= 100 ? line : JSON.stringify(args, null, 2).replaceAll("\n", "\n    ");
}

/** The server's fault, not the run's: it is tried again by itself. */
function renderFault(fault: NonNullable<RunDetail["fault"]>, paint: Paint): readonly string[] {
  const again = fault.nextTryAt === null ? "" : `, tried again at ${fault.nextTryAt}`;
  return [
    `  ${paint("yellow", "fault")}     ${oneLine(fault.message)} (${fault.code})${again}`,
    `  hint      ${oneLine(fault.hint)}`,
  ];
}

export function formatProgress({ percent, text }: NonNullable<RunDetail["progress"]>): string {
  return oneLine(percent === null ? text : `${percent} % ${text}`);
}

export function stateStyle(state: string): Style {
  if (state === "COMPLETED" || state === "completed") return "green";
  if (["FAILED", "DEAD", "CANCELLED", "failed", "denied", "cancelled"].includes(state)) return "red";
  if (["WAITING", "RETRYING", "waiting", "retrying"].includes(state)) return "yellow";
  return state === "RUNNING" || state === "running" ? "cyan" : "dim";
}

function headline(run: RunDetail, paint: Paint): string {
  const ended = run.endedAt ?? null;
  const took =
    ended === null || run.startedAt === null
      ? ""
      : ` in ${formatSpan(Date.parse(ended) - Date.parse(run.startedAt))}`;
  const state = paint(stateStyle(run.state), run.state);
  return `${paint("bold", run.id)}  ${run.workflow.name}  ${state}${took}, ${run.stepsDone} of ${run.stepsTotal} steps`;
}

function renderFailure(error: NonNullable<RunDetail["error"]>, paint: Paint): readonly string[] {
  const at = error.step === undefined ? "" : ` at ${error.step}`;
  const lines = [
    `${paint("red", "error:")} ${oneLine(error.message)} ${paint("dim", `(${error.code}${at})`)}`,
  ];
  if (error.hint !== undefined) lines.push(`  ${paint("cyan", "hint:")} ${oneLine(error.hint)}`);
  return lines;
}

function renderStep(step: StepView, paint: Paint): string {
  const indent = "  ".repeat(step.depth + 1);
  const took =
    step.startedAt === null || step.endedAt === null
      ? ""
      : formatSpan(Date.parse(step.endedAt) - Date.parse(step.startedAt));
  const kept = step.carried === null ? "" : `kept from ${step.carried.run}, event ${step.carried.seq}`;
  const what = [step.summary ?? step.title ?? step.tool ?? "", kept].filter((text) => text !== "").join("  ");
  const held =
    step.held === null ? "" : `: held back: ${oneLine(step.held.reason)}, until ${step.held.until}`;
  const error = step.error === null ? held : `: ${oneLine(step.error.message)}`;
  const state = paint(stateStyle(step.state), step.state.padEnd(9));
  const line =
    `${indent}${state} ${paint("bold", oneLine(step.path))}  ${oneLine(what)}  ${paint("dim", took)}${error}`.trimEnd();
  return [line, ...renderOrigins(step, `${indent}  `).map((text) => paint("dim", text))].join("\n");
}

/** Arguments that others chose, and a risk worth a word; what the task itself says needs none. */
function renderOrigins({ decision }: StepView, indent: string): readonly string[] {
  const foreign = (decision?.origins ?? []).filter(
    ({ from }) => from === "untrusted-only" || from === "mixed",
  );
  const lines = foreign.slice(0, 5).map(({ path, role, from, labels, sources, instructed }) => {
    const passage = instructed >= 35 ? `, in a passage that reads as an instruction (${instructed})` : "";
    const where = sources.length === 0 ? "" : ` (${sources.join("; ")})`;
    return oneLine(
      `${path} (${role}) ${from === "mixed" ? "partly" : "only"} from ${labels.join(", ")}${where}${passage}`,
    );
  });
  for (const { path, handling, passages } of decision?.transformed?.changes ?? []) {
    const length = passages.reduce((sum, passage) => sum + passage.length, 0);
    const reasons = [...new Set(passages.flatMap((passage) => passage.reasons))].slice(0, 3).join("; ");
    const done = handling === "strip" ? "left out" : "quoted";
    lines.push(
      oneLine(
        `${path}: ${passages.length} passage${passages.length === 1 ? "" : "s"} (${length} characters) of a third party ${done}: ${reasons}`,
      ),
    );
  }
  const score = decision?.score;
  if (score !== undefined && score.value >= 30) {
    lines.push(
      oneLine(
        `risk ${score.value} of 100: ${score.factors.map(({ why, points }) => `${why} ${points}`).join(", ")}`,
      ),
    );
  }
  return lines.map((line) => indent + line);
}

function renderOutputs(outputs: unknown, paint: Paint): readonly string[] {
  if (typeof outputs !== "object" || outputs === null) return [];
  return Object.entries(outputs).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `  ${paint("bold", name)}  ${text}`;
  });
}

function renderArtifacts(artifacts: readonly Artifact[]): string {
  const rows = artifacts.map(({ path, sizeBytes, mediaType, id, title }) => [
    path,
    formatBytes(sizeBytes),
    mediaType,
    id,
    oneLine(title ?? ""),
  ]);
  return formatTable(["ARTIFACT", "SIZE", "TYPE", "ID", "TITLE"], rows);
}
