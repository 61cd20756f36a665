/** `homeostat policy read`: what an agent would be shown of a text, decided here without a server. */
import { HomeostatError } from "../../base/error.ts";
import { readAsAgent } from "../../gate/reading.ts";
import type { Reading } from "../../gate/reading.ts";
import { originLabels } from "../../policy/file/read-matchers.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { readCompiled } from "./policy-files.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface PolicyReadOptions extends GlobalOptions {
  readonly policy?: string;
  readonly label?: string;
  readonly task?: string;
  readonly tool?: readonly string[];
}

/** Throws USAGE for an unknown label, NOT_FOUND for a file that is not there, POLICY_INVALID. */
export async function readText(
  file: string,
  options: PolicyReadOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const label = originLabels.find((known) => known === (options.label ?? "web"));
  if (label === undefined)
    throw new HomeostatError("USAGE", `--label ${options.label} is none of ${originLabels.join(", ")}`);
  const { untrusted } = await readCompiled(options.policy, options);
  const text = (await readUserFile(file)).toString("utf8");
  const reading = readAsAgent({ text, label, task: options.task, tools: options.tool ?? [] }, untrusted);
  terminal.result({ ...reading, from: untrusted?.from ?? null }, (paint) =>
    renderReading(reading, { text, paint, handling: untrusted?.instructions }),
  );
  return exitCodes.done;
}

function renderReading(
  { shown, passages, isChanged }: Reading,
  {
    text,
    paint,
    handling,
  }: { readonly text: string; readonly paint: Paint; readonly handling: string | undefined },
): string {
  const lines = passages.map(({ start, score, reasons }) => {
    const line = text.slice(0, start).split("\n").length;
    return `${paint(score >= 60 ? "red" : "yellow", String(score).padStart(3))}  line ${line}: ${oneLine(reasons.join("; "))}`;
  });
  const verdict = isChanged
    ? `shown with passages ${handling === "strip" ? "left out" : "quoted"}:`
    : "shown as it is";
  return [...lines, paint("dim", verdict), ...(isChanged ? [shown] : [])].join("\n");
}
