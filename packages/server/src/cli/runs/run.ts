/** `homeostat run PATH|NAME`: submits a registered workflow, or one with its folder, and, with --wait, shows its steps until it ends or asks. */
import { existsSync } from "node:fs";
import type { Client } from "@homeostat/client";
import { ApiError, isApiError } from "@homeostat/client/api-error";
import type { JsonValue, RunSummary } from "@homeostat/client/api";
import { parseDuration, durationForm } from "../../base/duration.ts";
import { HomeostatError } from "../../base/error.ts";
import { workflowNamePattern } from "../../workflows/child-kind.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { describeEvent, formatEventLine } from "./describe-event.ts";
import { exitCodeOfRun, exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { followRun } from "./follow-run.ts";
import { catchInterrupt } from "../terminal/interrupt.ts";
import { packTask } from "./pack-folder.ts";
import type { PackedTask } from "./pack-folder.ts";
import { parseInputs } from "./parse-inputs.ts";
import { nextCommands, renderOutcome } from "./render-run.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface RunOptions extends GlobalOptions {
  readonly input?: readonly string[];
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly priority?: "high" | "normal" | "low";
  readonly label?: readonly string[];
  readonly delay?: string;
  /** ISO 8601. */
  readonly notBefore?: string;
  readonly dedup?: string;
  readonly dedupWindow?: string;
}

/** What --json prints: the run, and what a person would do next. */
export interface RunResult {
  readonly run: RunSummary;
  /** How the waiting ended; `submitted` without --wait. */
  readonly outcome: "submitted" | "ended" | "waiting" | "timeout" | "interrupted";
  readonly next: readonly string[];
}

export async function run(path: string, options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  const timeoutMs = options.timeout === undefined ? undefined : requireDuration(options.timeout);
  const { client, loaded } = await connect(options);
  const packed =
    (await findRegistered(client, path)) ?? (await packTask(path, loaded.config.http.bodyLimitBytes));
  // Checked here first: the findings then name the file as the user knows it, and no server is needed for them.
  const workflow = requireWorkflow(packed.workflow, { file: packed.workflowFile });
  const inputs = parseInputs(options.input ?? [], workflow);
  if (packed.skipped.length > 0)
    terminal.note((paint) => paint("dim", `not sent: ${packed.skipped.join(", ")}`));
  if (packed.leavesFolderBehind)
    terminal.note((paint) =>
      paint("dim", "sent the workflow alone; name its folder to send the files beside it"),
    );
  const submitted = await submit(client, packed, inputs, options);
  if (submitted.deduplicated)
    terminal.note((paint) => paint("yellow", `the key ${options.dedup ?? ""} stands for this run already`));
  terminal.note((paint) => `${paint("bold", submitted.id)}  ${workflow.name}`);
  if (options.wait !== true) return finish(client, submitted.id, "submitted", terminal);
  return waitFor(client, submitted.id, timeoutMs, terminal);
}

/** A plain name that is no file or folder here stands for a registered workflow; undefined: it does not. */
async function findRegistered(client: Client, name: string): Promise<PackedTask | undefined> {
  if (!workflowNamePattern.test(name) || existsSync(name)) return undefined;
  const found = await client.call("workflows.get", { params: { name } });
  const workflowFile = `${found.name} (version ${found.version})`;
  return { workflow: found.workflowText, workflowFile, files: [], leavesFolderBehind: false, skipped: [] };
}

async function submit(
  client: Client,
  packed: PackedTask,
  inputs: Readonly<Record<string, JsonValue>>,
  options: RunOptions,
): Promise<RunSummary & { readonly deduplicated: boolean }> {
  const { workflow, files, workflowFile } = packed;
  const { priority, label, delay, notBefore, dedup: key, dedupWindow: window } = options;
  const deduplication = key === undefined ? undefined : { key, window };
  const labels = label === undefined ? undefined : [...label];
  try {
    return await client.call("tasks.submit", {
      body: { workflow, files: [...files], inputs, priority, labels, delay, notBefore, deduplication },
      idempotencyKey: crypto.randomUUID(),
    });
  } catch (error) {
    if (!isApiError(error)) throw error;
    // The server saw a text without a name; its lines are lines of this file.
    const errors = error.errors.map((each) =>
      each.line === undefined ? each : { file: workflowFile, ...each },
    );
    const { code, status, detail, hint, requestId } = error;
    throw new ApiError({
      code,
      status,
      detail,
      errors,
      ...(hint === undefined ? {} : { hint }),
      ...(requestId === undefined ? {} : { requestId }),
    });
  }
}

async function waitFor(
  client: Client,
  runId: string,
  timeoutMs: number | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  using interrupt = catchInterrupt(timeoutMs);
  const followed = await followRun({
    client,
    runId,
    after: 0,
    signal: interrupt.signal,
    throughApprovals: false,
    onEvent: (event) => {
      if (describeEvent(event) !== undefined) terminal.note((paint) => formatEventLine(event, paint) ?? "");
    },
    onProgress: (step, text) => terminal.note((paint) => paint("dim", `          ${step}  ${text}`)),
  });
  return finish(
    client,
    runId,
    followed === "aborted" ? (interrupt.reason() ?? "interrupted") : followed,
    terminal,
  );
}

async function finish(
  client: Client,
  runId: string,
  outcome: RunResult["outcome"],
  terminal: Terminal,
): Promise<ExitCode> {
  const detail = await client.call("runs.get", { params: { id: runId } });
  const next = nextCommands(detail);
  if (terminal.json) {
    const { steps: _steps, workflowText: _text, inputs: _inputs, ...summary } = detail;
    terminal.result({ run: summary, outcome, next }, () => "");
  } else terminal.result(undefined, (paint) => renderOutcome(detail, { outcome, next }, paint));
  switch (outcome) {
    case "submitted":
      return exitCodes.done;
    case "waiting":
      return exitCodes.waiting;
    case "timeout":
      return exitCodes.timeout;
    case "interrupted":
      return exitCodes.interrupted;
    case "ended":
      return exitCodeOfRun(detail);
  }
}

function requireDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new HomeostatError("USAGE", `--timeout ${text}: expected ${durationForm}`);
  return ms;
}
