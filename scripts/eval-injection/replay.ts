/** Walks recorded runs call by call through labels, policy and risk, as the gate does, and notes each verdict. */
import type { JsonObject } from "../../packages/server/src/base/canonical-json.ts";
import { createRunFlow } from "../../packages/server/src/gate/data-flow.ts";
import { readIntent } from "../../packages/server/src/gate/data-flow-task.ts";
import { showUntrusted } from "../../packages/server/src/gate/data-flow-transform.ts";
import { leavesOf } from "../../packages/server/src/gate/labels-roles.ts";
import { compact, normalise } from "../../packages/server/src/gate/labels-text.ts";
import type { ActionFlow } from "../../packages/server/src/policy/rules/argument-origin.ts";
import type { CompiledPolicy } from "../../packages/server/src/policy/rules/compile.ts";
import { decide } from "../../packages/server/src/policy/rules/decide.ts";
import type { Decision, OriginLabel } from "../../packages/server/src/policy/rules/decision.ts";

export interface RecordedCall {
  readonly id?: string | null;
  readonly name: string;
  readonly args: JsonObject;
}

export interface RecordedMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: unknown;
  readonly tool_calls?: readonly RecordedCall[] | null;
  readonly tool_call_id?: string | null;
}

export interface RecordedRun {
  readonly model: string;
  readonly user_task: string;
  readonly injection_task: string | null;
  readonly attack: string | null;
  readonly task_success: boolean;
  /** In runs under injection: the injected goal was reached. */
  readonly security_flag: boolean;
  readonly messages: readonly RecordedMessage[];
}

export interface Suite {
  readonly name: string;
  readonly runs: readonly RecordedRun[];
  readonly tools: readonly string[];
  /** Texts of outputs of the suite's runs without injection, by user task: what is not in them was injected. */
  readonly clean: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface JudgedCall {
  readonly call: RecordedCall;
  readonly flow: ActionFlow;
  readonly decision: Decision;
  /** By the recording alone, not by the detector: the call carries a value that only the injected text holds. */
  readonly isInjected: boolean;
  /** Its words that came from what was read are there too when passages that speak to the assistant are left out. */
  readonly isStillReadable: boolean;
  readonly durationUs: number;
}

export interface JudgedRun {
  readonly run: RecordedRun;
  readonly calls: readonly JudgedCall[];
  /** Outputs in which the agent would have been shown a quoted or stripped passage. */
  readonly transformed: number;
}

export function createRecordedSuite(name: string, runs: readonly RecordedRun[]): Suite {
  const tools = [
    ...new Set(
      runs.flatMap((run) => run.messages.flatMap((each) => (each.tool_calls ?? []).map((call) => call.name))),
    ),
  ];
  const clean = new Map<string, Set<string>>();
  for (const run of runs.filter(({ injection_task: task }) => task === null)) {
    const words = clean.get(run.user_task) ?? new Set<string>();
    clean.set(run.user_task, words);
    for (const message of run.messages) for (const word of wordsOf(textOf(message.content))) words.add(word);
  }
  return { name, runs, tools, clean };
}

export function replay(suite: Suite, policy: CompiledPolicy): readonly JudgedRun[] {
  return suite.runs.map((run) => replayRun(run, suite, policy));
}

function replayRun(run: RecordedRun, suite: Suite, policy: CompiledPolicy): JudgedRun {
  const task = textOf(run.messages.find(({ role }) => role === "user")?.content);
  const system = textOf(run.messages.find(({ role }) => role === "system")?.content);
  const flow = createRunFlow({ task, inputs: {}, instructions: system, tools: suite.tools });
  const context = { tools: suite.tools, intent: readIntent(task) };
  const calls: JudgedCall[] = [];
  const open: RecordedCall[] = [];
  const injectedWords = new Set<string>();
  const known = new Set([...(suite.clean.get(run.user_task) ?? []), ...wordsOf(task), ...wordsOf(system)]);
  const read = { whole: new Set<string>(), stripped: new Set<string>() };
  let transformed = 0;
  for (const [index, message] of run.messages.entries()) {
    if (message.role === "user") flow.hear(textOf(message.content));
    if (message.role === "tool") {
      // Some recordings have no ids; answers then come in the order of the calls.
      const at = Math.max(
        0,
        open.findIndex(
          (call) => call.id !== undefined && call.id !== null && call.id === message.tool_call_id,
        ),
      );
      const [call] = open.splice(at, 1);
      const output = textOf(message.content);
      const name = call?.name ?? "tool";
      flow.observe({
        action: name,
        resource: name,
        args: call?.args ?? {},
        step: `${index} ${name}`,
        output,
        labels: labelsOf(name),
        outcome: "completed",
        atMs: index,
      });
      const handling = policy.untrusted ?? { instructions: "strip", from: Infinity };
      const shown = showUntrusted(
        output,
        { ...handling, instructions: "strip" },
        {
          ...context,
          tools: suite.tools.filter((tool) => tool !== name),
        },
      );
      if (shown.changed.length > 0) transformed += 1;
      for (const word of wordsOf(output)) read.whole.add(word);
      for (const word of wordsOf(textOf(shown.output))) read.stripped.add(word);
      if (run.injection_task !== null)
        for (const word of wordsOf(output)) if (!known.has(word)) injectedWords.add(word);
    }
    for (const call of message.tool_calls ?? []) {
      open.push(call);
      calls.push(judge(call, { flow, policy, injectedWords, read }));
    }
  }
  return { run, calls, transformed };
}

interface Judging {
  readonly flow: ReturnType<typeof createRunFlow>;
  readonly policy: CompiledPolicy;
  readonly injectedWords: ReadonlySet<string>;
  /** Words of what was read, as it was and with passages left out. */
  readonly read: { readonly whole: ReadonlySet<string>; readonly stripped: ReadonlySet<string> };
}

function judge(call: RecordedCall, { flow, policy, injectedWords, read }: Judging): JudgedCall {
  const started = performance.now();
  const traced = flow.trace({ action: call.name, args: call.args });
  const decision = decide(policy, {
    action: call.name,
    resource: call.name,
    args: call.args,
    labels: [...new Set(traced.arguments.flatMap((origin) => origin.labels))],
    agent: "evaluated",
    role: "user",
    tenant: "default",
    flow: traced,
  });
  const durationUs = (performance.now() - started) * 1_000;
  const words = leavesOf(call.args).flatMap(({ value }) => wordsOf(String(value)));
  const isInjected = traced.isEffect && words.some((word) => injectedWords.has(word));
  const isStillReadable = words.every((word) => !read.whole.has(word) || read.stripped.has(word));
  return { call, flow: traced, decision, isInjected, isStillReadable, durationUs };
}

/** By the tool's name, as an operator would label an unknown server's tools. */
function labelsOf(tool: string): readonly OriginLabel[] {
  if (/web|page|url|http|browse|internet/i.test(tool)) return ["web"];
  if (/mail|inbox/i.test(tool)) return ["mail"];
  if (/file|document|drive|folder/i.test(tool)) return ["file"];
  return ["tool"];
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return content === null || content === undefined ? "" : JSON.stringify(content);
}

/** Words that can be told from others: compared without case and signs. */
function wordsOf(text: string): readonly string[] {
  return (normalise(text).match(/[^\s"'`,;<>()[\]{}]+/g) ?? [])
    .map(compact)
    .filter((word) => word.length >= 5);
}
