/** The data flow of one run: what it has seen, from where, and what that says about the action at the door. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { ActionFlow, ArgumentOrigin, PastAct } from "../policy/rules/argument-origin.ts";
import type { OriginLabel } from "../policy/rules/decision.ts";
import type { ForeignPassage, ForeignPassages } from "./data-flow-passages.ts";
import { isEffectByName, isRequested, readIntent } from "./data-flow-task.ts";
import { traceArguments } from "./data-flow-trace.ts";
import type { ArgumentRoles } from "./labels-roles.ts";
import { leavesOf } from "./labels-roles.ts";
import { tokensOf } from "./labels-text.ts";
import { createLabels, defaultLabelLimits, holds } from "./labels.ts";
import type { Labels, LabelLimits } from "./labels.ts";

/** What is known of a run's beginning. Both are trusted. */
export interface FlowStart {
  /** The task in the user's words; null for a workflow, whose steps are the operator's and whose flow is exact. */
  readonly task: string | null;
  readonly inputs: JsonObject;
  /** Further text of the operator: an agent's instructions. */
  readonly instructions?: string;
  /** Names of the tools the agent has. */
  readonly tools: readonly string[];
  readonly limits?: LabelLimits;
}

/** A call whose output came into the run. */
export interface Observation {
  readonly action: string;
  readonly resource: string;
  readonly args: JsonObject;
  readonly step: string;
  readonly output: JsonValue;
  /** What the tool says its output is; nothing said means `tool`. */
  readonly labels: readonly OriginLabel[];
  readonly outcome: PastAct["outcome"];
  readonly atMs: number;
}

/** An action at the door. */
export interface FlowQuestion {
  readonly action: string;
  readonly args: JsonObject;
  readonly roles?: ArgumentRoles | undefined;
  /** What the tool declares; by its name when it says nothing. */
  readonly isEffect?: boolean | undefined;
}

export interface RunFlow {
  /** Takes in what a call brought; returns the highest score of an instruction-like passage in it. */
  observe(observation: Observation): number;
  /** Something more that the user said. */
  hear(text: string): void;
  trace(question: FlowQuestion): ActionFlow;
  /** What the run has seen that reads as an instruction. */
  passages(): ForeignPassages;
}

const maxHistory = 200;

/** Labels from the most to the least foreign: the span of an output with several carries the first. */
const foreignness: readonly OriginLabel[] = [
  "web",
  "mail",
  "mcp",
  "file",
  "tool",
  "agent",
  "user",
  "operator",
];

export function createRunFlow(start: FlowStart): RunFlow {
  const labels = createLabels(start.limits ?? defaultLabelLimits);
  const heard: string[] = start.task === null ? [] : [start.task];
  let intent = start.task === null ? null : readIntent(start.task);
  const history: PastAct[] = [];
  const trust = (value: JsonValue, label: OriginLabel, step: string): void => {
    labels.add(value, { label, step, isDelegated: false }, null);
  };
  if (start.task !== null) trust(start.task, "user", "task");
  trust(start.inputs, "user", "inputs");
  if (start.instructions !== undefined) trust(start.instructions, "operator", "instructions");
  return {
    observe(observation) {
      const { action, resource, step, outcome, atMs } = observation;
      const label = foreignness.find((known) => observation.labels.includes(known)) ?? "tool";
      const echoes = leavesOf(observation.args).map((leaf) => String(leaf.value));
      const isDelegated = isNamedByTask(observation.args, { labels, intent });
      const source = { label, step, isDelegated, echoes };
      // A tool that answers "send_email: done" names itself; that is no command.
      const tools = start.tools.filter((tool) => tool !== action);
      const instructed = labels.add(observation.output, source, { tools, intent });
      history.push({ action, resource, labels: [label], outcome, instructed, atMs });
      if (history.length > maxHistory) history.shift();
      return instructed;
    },
    hear(text) {
      if (heard.includes(text)) return;
      heard.push(text);
      intent = readIntent(heard.join("\n"));
      trust(text, "user", "task");
    },
    trace({ action, args, roles, isEffect }) {
      return {
        arguments: traceArguments(args, roles, { labels, intent }),
        history: [...history],
        isEffect: isEffect ?? isEffectByName(action),
        isRequested: intent === null ? null : isRequested(action, intent),
        newTargets: null,
      };
    },
    passages: () => ({
      list: labels
        .passages()
        .map(({ text, instructed, reasons }): ForeignPassage => ({ text, score: instructed, reasons })),
      isElsewhere: (words) =>
        labels
          .withToken(tokensOf(words)[0] ?? "")
          .some((span) => span.instructed === 0 && holds(span.text, words)),
    }),
  };
}

/** The task says literally what was read: this file, that page, mail from this sender. */
function isNamedByTask(
  args: JsonObject,
  tracing: { readonly labels: Labels; readonly intent: ReturnType<typeof readIntent> | null },
): boolean {
  if (tracing.intent === null) return false;
  return traceArguments(args, undefined, tracing).some(
    (origin: ArgumentOrigin) =>
      origin.from === "trusted" && !["amount", "date", "option"].includes(origin.role),
  );
}
