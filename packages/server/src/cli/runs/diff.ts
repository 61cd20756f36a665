/** `homeostat diff A B`: what two runs did differently. */
import type { Answer } from "@homeostat/client";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatSpan } from "../terminal/format-time.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export async function diff(
  a: string,
  b: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const difference = await client.call("runs.diff", { params: { a, b } });
  terminal.result(difference, (paint) => renderDifference(difference, paint));
  return exitCodes.done;
}

type Difference = Answer<"runs.diff">;
type Values = Difference["inputs"];

/** Left lines in red, right lines in green, as every diff. */
export function renderDifference(difference: Difference, paint: Paint): string {
  const { runs, workflow, steps, stepsDiffer, stepsSame, artifacts } = difference;
  const lines = [
    paint("red", `- ${runs.a.id}  ${runs.a.workflow.name}  ${runs.a.state}`),
    paint("green", `+ ${runs.b.id}  ${runs.b.workflow.name}  ${runs.b.state}`),
  ];
  if (workflow.length > 0) lines.push("", paint("bold", "workflow"));
  for (const { kind, line, text } of workflow)
    lines.push(
      paint(kind === "added" ? "green" : "red", `  ${kind === "added" ? "+" : "-"} ${line}: ${text}`),
    );
  lines.push(...section("inputs", difference.inputs, paint), ...section("pins", difference.pins, paint));
  lines.push(...section("outcome", difference.outcome, paint));
  for (const step of steps) {
    const took = `${span(step.durationMs.a)} / ${span(step.durationMs.b)}`;
    const where = step.change === "changed" ? took : `only in ${step.change === "only-a" ? "-" : "+"}`;
    lines.push("", `${paint("bold", `step ${oneLine(step.path)}`)}  ${paint("dim", where)}`);
    lines.push(...step.differences.flatMap((each) => valueLines(each, paint)));
  }
  if (stepsDiffer > steps.length) lines.push("", `and ${stepsDiffer - steps.length} more steps`);
  if (artifacts.length > 0) lines.push("", paint("bold", "artifacts"));
  for (const { path, a, b } of artifacts)
    lines.push(`  ${oneLine(path)}  ${paint("red", short(a))} -> ${paint("green", short(b))}`);
  lines.push(
    "",
    `${stepsDiffer} ${stepsDiffer === 1 ? "step differs" : "steps differ"}, ${stepsSame} the same`,
  );
  return lines.join("\n");
}

function section(name: string, values: Values, paint: Paint): readonly string[] {
  if (values.length === 0) return [];
  return ["", paint("bold", name), ...values.flatMap((each) => valueLines(each, paint))];
}

function valueLines({ path, a, b }: Values[number], paint: Paint): readonly string[] {
  const name = path === "" ? "" : `${oneLine(path)}: `;
  return [
    ...(a === undefined ? [] : [paint("red", `  - ${name}${shown(a)}`)]),
    ...(b === undefined ? [] : [paint("green", `  + ${name}${shown(b)}`)]),
  ];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}

function span(ms: number | null): string {
  return ms === null ? "-" : formatSpan(ms);
}

function short(digest: string | null): string {
  return digest === null ? "none" : digest.slice(0, 12);
}
