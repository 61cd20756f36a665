/** One journal event as a line for people. Pure. */
import type { RunEvent } from "@homeostat/client/api";
import { formatSpan } from "../terminal/format-time.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Style } from "../terminal/terminal.ts";

export interface EventLine {
  /** What happened, one word. */
  readonly word: string;
  readonly style: Style;
  readonly text: string;
}

/** Undefined for events that say nothing a person waits for. Unknown kinds (of a newer server) are shown by name. */
export function describeEvent({ kind, body }: RunEvent): EventLine | undefined {
  if (kind.startsWith("run.")) return describeRunEvent(kind, body);
  const text = textsOf(body);
  const error = describeError(body["error"]);
  switch (kind) {
    case "action.intended":
      return { word: "runs", style: "dim", text: summaryOf(body["intent"]) };
    case "action.completed":
      return { word: "done", style: "green", text: doneIn(body["durationMs"], body["artifacts"]) };
    case "action.failed":
      return {
        word: "failed",
        style: "red",
        text: `${error}${body["retryAtMs"] === null ? "" : ", tries again"}`,
      };
    case "action.held":
      return { word: "held back", style: "yellow", text: heldText(text("reason"), body["retryAtMs"]) };
    case "action.denied":
      return {
        word: "denied",
        style: "red",
        text: `${text("tool")} ${text("resource")}`.trim() + `: ${error}`,
      };
    case "step.started":
      return describeStart(body["start"]);
    case "step.completed":
      return { word: "done", style: "green", text: "" };
    case "step.carried":
      return { word: "kept", style: "dim", text: describeCarried(body["from"]) };
    case "step.skipped":
      return { word: "skipped", style: "dim", text: text("reason") };
    case "step.caught":
      return { word: "goes on", style: "yellow", text: "its failure was dealt with" };
    case "step.cancelled":
      return { word: "given up", style: "dim", text: text("reason") };
    case "step.reopened":
      return { word: "again", style: "yellow", text: byWhom(text) };
    case "child.ended":
      return describeChildEnd(text("state"), text("childId"), error);
    case "signal.received":
      return { word: "signal", style: "yellow", text: `${text("name")} ${byWhom(text)}` };
    case "step.failed":
      return { word: "failed", style: "red", text: error };
    case "approval.requested":
      return { word: "asks", style: "yellow", text: `${text("summary")} (${text("approvalId")})` };
    case "approval.decided":
    case "outcome.resolved":
      return { word: "answered", style: "yellow", text: `${text("answer")} ${byWhom(text)}` };
    case "message.set_aside":
      return {
        word: "not read",
        style: "yellow",
        text: `${text("message")} by ${text("by")}: ${text("why")}`,
      };
    case "workspace.restored":
      return { word: "restored", style: "yellow", text: describeRepair(body) };
    default:
      return { word: kind, style: "dim", text: "" };
  }
}

/** `done      inventory  85 ms`: the word, the step, the rest. */
export function formatEventLine(event: RunEvent, paint: Paint): string | undefined {
  const line = describeEvent(event);
  if (line === undefined) return undefined;
  const word = paint(line.style, line.word.padEnd(9));
  return `${word} ${event.step === null ? "" : `${paint("bold", oneLine(event.step))}  `}${line.text}`.trimEnd();
}

function describeRunEvent(kind: string, body: Body): EventLine {
  const text = textsOf(body);
  const error = describeError(body["error"]);
  const word = kind.slice("run.".length);
  switch (word) {
    case "created":
      return { word, style: "dim", text: `by ${text("requester")}` };
    case "started":
      return { word, style: "dim", text: body["attempt"] === 1 ? "" : `attempt ${String(body["attempt"])}` };
    case "completed":
      return { word, style: "green", text: "" };
    case "failed":
      return { word, style: "red", text: error };
    case "died":
      return { word: "dead", style: "red", text: error };
    case "retrying":
      return { word, style: "yellow", text: error };
    case "cancelled":
      return { word, style: "red", text: byWhom(text) };
    case "unwinding":
      return { word: "undoing", style: "yellow", text: error === "" ? byWhom(text) : error };
    case "steered":
      return { word, style: "yellow", text: `by ${text("by")}: ${text("message")}` };
    case "paused":
    case "resumed":
    case "revived":
      return { word, style: "yellow", text: byWhom(text) };
    default:
      return { word: kind, style: "dim", text: "" };
  }
}

type Body = Readonly<Record<string, unknown>>;
type Texts = (name: string) => string;

/** A member of the body as one line; empty when it is no text. */
function textsOf(body: Body): Texts {
  return (name) => (typeof body[name] === "string" ? oneLine(body[name]) : "");
}

function byWhom(text: Texts): string {
  const reason = text("reason");
  return `by ${text("by")}${reason === "" ? "" : `: ${reason}`}`;
}

function describeStart(start: unknown): EventLine | undefined {
  if (!isRecord(start)) return undefined;
  if (start["kind"] === "for_each" && Array.isArray(start["items"])) {
    return { word: "begins", style: "dim", text: `for each of ${start["items"].length}` };
  }
  if (start["kind"] === "wait" && typeof start["untilMs"] === "number") {
    return { word: "waits", style: "dim", text: `until ${new Date(start["untilMs"]).toISOString()}` };
  }
  if (start["kind"] === "signal") {
    return { word: "waits", style: "dim", text: `for the signal ${String(start["name"])}` };
  }
  if (start["kind"] === "workflow" && isRecord(start["workflow"])) {
    const { name } = start["workflow"];
    return { word: "begins", style: "dim", text: `${String(name)} as ${String(start["childId"])}` };
  }
  if (start["kind"] === "compensate") return { word: "undoes", style: "yellow", text: "" };
  return undefined;
}

function describeChildEnd(state: string, childId: string, error: string): EventLine {
  return state === "completed"
    ? { word: "done", style: "green", text: childId }
    : { word: "failed", style: "red", text: `${error === "" ? state : error} (${childId})` };
}

function describeCarried(from: unknown): string {
  return isRecord(from) ? `outcome of ${String(from["run"])}, event ${String(from["seq"])}` : "";
}

function heldText(reason: string, retryAtMs: unknown): string {
  return typeof retryAtMs === "number" ? `${reason}, until ${new Date(retryAtMs).toISOString()}` : reason;
}

/** `1 file was put back: a.txt`; also the line of `homeostat show`. */
export function describeRepair(repair: Readonly<Record<string, unknown>>): string {
  const name = (list: unknown): readonly string[] =>
    Array.isArray(list) ? list.map((each) => oneLine(String(each))) : [];
  const putBack = name(repair["putBack"]);
  const removed = name(repair["removed"]);
  const parts = [
    ...(putBack.length > 0 ? [`${counted(putBack.length)} put back: ${putBack.join(", ")}`] : []),
    ...(removed.length > 0 ? [`${counted(removed.length)} removed: ${removed.join(", ")}`] : []),
  ];
  const left = Number(repair["count"]) - putBack.length - removed.length;
  return `${parts.join("; ")}${left > 0 ? `; and ${left} more` : ""}`;
}

function counted(count: number): string {
  return count === 1 ? "1 file was" : `${count} files were`;
}

function describeError(error: unknown): string {
  if (!isRecord(error)) return "";
  const hint = typeof error["hint"] === "string" ? ` (${oneLine(error["hint"])})` : "";
  return `${oneLine(String(error["message"]))}${hint}`;
}

function summaryOf(intent: unknown): string {
  return isRecord(intent) && typeof intent["summary"] === "string" ? oneLine(intent["summary"]) : "";
}

function doneIn(durationMs: unknown, artifacts: unknown): string {
  const time = typeof durationMs === "number" ? formatSpan(durationMs) : "";
  const count = Array.isArray(artifacts) ? artifacts.length : 0;
  return count === 0 ? time : `${time}, ${count} ${count === 1 ? "artifact" : "artifacts"}`;
}

function isRecord(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
