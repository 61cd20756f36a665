/** Replays recorded tool-calling runs through the gate's data flow and a policy: which calls would have been stopped. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRecordedSuite, replay } from "./eval-injection/replay.ts";
import type { RecordedRun } from "./eval-injection/replay.ts";
import { summarize, tableOf } from "./eval-injection/report.ts";
import type { Summary } from "./eval-injection/report.ts";
import { evaluationPolicy } from "./eval-injection/policy.ts";
import { firstIngredients, furtherIngredients, generateSuite } from "./eval-injection/generate.ts";
import type { Ingredients } from "./eval-injection/generate.ts";

export interface InjectionOptions {
  /** A policy file instead of the shipped one. */
  readonly policy?: string | undefined;
  /** Where the JSON goes. */
  readonly json?: string | undefined;
}

/** Every `*.jsonl` of the folder is a suite; then a generated one of other domains. Exit code 1 when a bar is missed. */
export function evaluateInjection(folder: string, options: InjectionOptions = {}): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort();
  if (files.length === 0) return console.log(`eval injection: skipped, no *.jsonl in ${folder}`);
  const policy = evaluationPolicy(options.policy);
  const summaries: Summary[] = [];
  for (const file of files) {
    const suite = createRecordedSuite(file, parseLines(join(folder, file)));
    const outcomes = replay(suite, policy);
    summaries.push(summarize(file, outcomes));
    summaries.push(
      summarize(
        `${file}, tasks developed on`,
        outcomes.filter(({ run }) => isDeveloped(run.user_task)),
      ),
    );
    summaries.push(
      summarize(
        `${file}, tasks held out`,
        outcomes.filter(({ run }) => !isDeveloped(run.user_task)),
      ),
    );
  }
  for (const [name, ingredients] of generated)
    summaries.push(summarize(name, replay(generateSuite(20260101, 6, ingredients), policy)));
  console.log(tableOf(summaries));
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ policy: policy.revision, suites: summaries }, null, 2)}\n`,
    );
}

const generated: readonly (readonly [string, Ingredients])[] = [
  ["generated (mail, calendar, files, chat, shopping)", firstIngredients],
  ["generated, hard (requests, how-tos, bills, tickets, travel)", furtherIngredients],
];

/** The rules were written with the tasks of even number in view; the odd ones were only measured. */
function isDeveloped(task: string): boolean {
  return Number(/\d+$/.exec(task)?.[0] ?? "1") % 2 === 0;
}

function parseLines(path: string): readonly RecordedRun[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as RecordedRun);
}
