/** What an agent is shown of a text from somewhere, and which passages of it read as instructions. Pure. */
import type { OriginLabel } from "../policy/rules/decision.ts";
import type { UntrustedHandling } from "../policy/rules/policy.ts";
import { findInstructions } from "./data-flow-instructions.ts";
import type { Passage } from "./data-flow-instructions.ts";
import { readIntent } from "./data-flow-task.ts";
import { showUntrusted } from "./data-flow-transform.ts";
import { isTrustedLabel } from "./labels.ts";

export interface ReadingQuestion {
  readonly text: string;
  readonly label: OriginLabel;
  /** The task the agent is at, in the user's words: what it does not ask for is a sign. Absent: nobody says. */
  readonly task?: string | undefined;
  /** Names of the tools the agent has. */
  readonly tools: readonly string[];
}

export interface Reading {
  readonly shown: string;
  readonly isChanged: boolean;
  /** Of 35 points and more, in order; empty for what the user, the operator or the agent itself says. */
  readonly passages: readonly Passage[];
}

/** The same functions as the gate's and the agent's own reading; `handling` is the policy's `untrusted`. */
export function readAsAgent(
  { text, label, task, tools }: ReadingQuestion,
  handling: UntrustedHandling | undefined,
): Reading {
  if (isTrustedLabel(label)) return { shown: text, isChanged: false, passages: [] };
  const context = { tools, intent: task === undefined ? null : readIntent(task) };
  const passages = findInstructions(text, context);
  if (handling === undefined) return { shown: text, isChanged: false, passages };
  const { output, changed } = showUntrusted(text, handling, context);
  // A text is shown as a text.
  return { shown: output as string, isChanged: changed.length > 0, passages };
}
