/** `homeostat rerun` and `fork`: a new run made from another, with what it takes over and what it does again. */
import type { Answer } from "@homeostat/client";
import type { JsonValue } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { parseInputs } from "./parse-inputs.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface RerunOptions extends GlobalOptions {
  /** Path of the first step to be done again. */
  readonly from?: string;
  /** For a fork: the last event that counts. */
  readonly at?: number;
  readonly input?: readonly string[];
  /** `STEP={"name":value}`. */
  readonly args?: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Effects that cannot be taken back are repeated only with `--yes`. */
export async function rerun(
  id: string,
  kind: "rerun" | "fork",
  options: RerunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const given = options.input ?? [];
  const inputs =
    given.length === 0
      ? {}
      : parseInputs(given, requireWorkflow((await client.call("runs.get", { params: { id } })).workflowText));
  const wishes = {
    inputs,
    stepArguments: parseStepArguments(options.args ?? []),
    confirm: options.yes === true,
    dryRun: options.dryRun === true,
  };
  const answer =
    kind === "rerun"
      ? await client.call("runs.rerun", {
          params: { id },
          body: { ...wishes, ...(options.from === undefined ? {} : { fromStep: options.from }) },
        })
      : await client.call("runs.fork", {
          params: { id },
          body: { ...wishes, ...(options.at === undefined ? {} : { seq: options.at }) },
        });
  terminal.result(answer, (paint) => renderRerun(answer, paint));
  return exitCodes.done;
}

export function renderRerun(answer: Answer<"runs.rerun">, paint: Paint): string {
  const { run, origin, carried, carriedCount, repeats, repeatsCount } = answer;
  const from = `from ${origin.run} after event ${origin.seq}`;
  const lines = [run === null ? `dry run ${from}` : `${paint("bold", run.id)}  ${run.state} ${from}`];
  if (carriedCount > 0) lines.push(`  keeps    ${listed(carried, carriedCount)}`);
  for (const { step, tool, summary, effect, outcome } of repeats) {
    const style = effect === "unsafe" ? "red" : "dim";
    lines.push(
      `  ${paint(style, "repeats")}  ${step}  ${tool}: ${oneLine(summary)} (${effect}, ${outcome} before)`,
    );
  }
  if (repeatsCount > repeats.length) lines.push(`  and ${repeatsCount - repeats.length} more`);
  if (run !== null) lines.push("", `  ${paint("cyan", `homeostat logs -f ${run.id}`)}`);
  return lines.join("\n");
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, 10).join(", ");
  return count > 10 ? `${shown} and ${count - 10} more` : shown;
}

/** Throws USAGE. */
export function parseStepArguments(
  given: readonly string[],
): Readonly<Record<string, Readonly<Record<string, JsonValue>>>> {
  return Object.fromEntries(
    given.map((each) => {
      const equals = each.indexOf("=");
      const value = equals < 1 ? undefined : parseObject(each.slice(equals + 1));
      if (value !== undefined) return [each.slice(0, equals), value];
      throw new HomeostatError("USAGE", `--args ${each}: expected STEP={"name":value}`);
    }),
  );
}

function parseObject(text: string): Readonly<Record<string, JsonValue>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    // What JSON.parse gives is JSON.
    return value as Readonly<Record<string, JsonValue>>;
  } catch {
    // The caller says what was expected.
    return undefined;
  }
}
