/** `homeostat schedule add|list|show|pause|resume|trigger|rm`: workflows that run at their times. */
import type { Schedule } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { packTask } from "../runs/pack-folder.ts";
import { parseInputs } from "../runs/parse-inputs.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface ScheduleAddOptions extends GlobalOptions {
  readonly cron?: string;
  readonly timezone?: string;
  readonly every?: string;
  /** A workflow file. */
  readonly file?: string;
  /** Instead: a registered workflow. */
  readonly workflow?: string;
  readonly input?: readonly string[];
  readonly priority?: "high" | "normal" | "low";
  readonly label?: readonly string[];
  readonly missed?: "skip" | "once" | "all";
  readonly missedCap?: number;
  readonly overlap?: "allow" | "skip" | "queue";
  readonly paused?: boolean;
}

export async function addSchedule(
  name: string,
  options: ScheduleAddOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client, loaded } = await connect(options);
  const { cron, timezone, every, priority, missed, missedCap, overlap, paused } = options;
  const limitBytes = loaded.config.http.bodyLimitBytes;
  const source = await sourceOf(client, options, limitBytes);
  const schedule = await client.call("schedules.add", {
    body: {
      name,
      ...source,
      ...{ cron, timezone, every, priority, missed, missedCap, overlap, paused },
      ...(options.label === undefined ? {} : { labels: [...options.label] }),
    },
    idempotencyKey: crypto.randomUUID(),
  });
  const { upcoming } = await client.call("schedules.get", { params: { id: schedule.id } });
  terminal.result({ ...schedule, upcoming }, (paint) =>
    [`${paint("bold", schedule.name)}  ${timingText(schedule)}`, ...upcoming.map((at) => `  ${at}`)].join(
      "\n",
    ),
  );
  return exitCodes.done;
}

export async function listSchedules(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const data: Schedule[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.call("schedules.list", {
      query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) },
    });
    data.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  terminal.result({ data }, () => {
    if (data.length === 0)
      return "No schedules; `homeostat schedule add NAME --cron ... --file ...` makes one.";
    const rows = data.map((schedule) => [
      schedule.name,
      schedule.workflowName,
      timingText(schedule),
      schedule.paused ? "paused" : (schedule.nextAt ?? "never"),
      schedule.lastAt ?? "",
      oneLine(schedule.lastError?.message ?? ""),
    ]);
    return formatTable(["NAME", "WORKFLOW", "WHEN", "NEXT", "LAST", "ERROR"], rows, terminal.columns);
  });
  return exitCodes.done;
}

export async function showSchedule(
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const schedule = await client.call("schedules.get", { params: { id } });
  terminal.result(schedule, (paint) => {
    const lines = [
      `${paint("bold", schedule.name)}  ${timingText(schedule)}${schedule.paused ? `  ${paint("yellow", "paused")}` : ""}`,
      `  runs ${schedule.workflowName} for ${schedule.createdBy}, priority ${schedule.priority}`,
      `  missed times: ${schedule.missed}; while the run before goes on: ${schedule.overlap}`,
    ];
    if (schedule.lastRunId !== null)
      lines.push(`  last  ${schedule.lastAt ?? "before a restart"}  ${schedule.lastRunId}`);
    if (schedule.waitingAt !== null) lines.push(`  waits for the run before  ${schedule.waitingAt}`);
    if (schedule.passed > 0) lines.push(`  ${schedule.passed} times were passed over`);
    if (schedule.lastError !== null)
      lines.push(
        `  ${paint("red", "error")} ${oneLine(schedule.lastError.message)} (${schedule.lastError.code})`,
      );
    return [...lines, ...schedule.upcoming.map((at) => `  next  ${at}`)].join("\n");
  });
  return exitCodes.done;
}

export async function pauseSchedule(
  verb: "pause" | "resume",
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const schedule = await client.call(`schedules.${verb}`, { params: { id } });
  terminal.result(schedule, () =>
    schedule.paused
      ? `${schedule.name} is paused`
      : `${schedule.name} goes on, next at ${schedule.nextAt ?? "no time"}`,
  );
  return exitCodes.done;
}

export async function triggerSchedule(
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const run = await client.call("schedules.trigger", {
    params: { id },
    idempotencyKey: crypto.randomUUID(),
  });
  terminal.result(run, (paint) => `${paint("bold", run.id)}  ${run.workflow.name}`);
  return exitCodes.done;
}

export async function removeSchedule(
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  await client.call("schedules.remove", { params: { id } });
  terminal.result({ removed: id }, () => `${id} is deleted; its runs stay`);
  return exitCodes.done;
}

function timingText({ cron, timezone, every }: Pick<Schedule, "cron" | "timezone" | "every">): string {
  return cron === null ? `every ${every ?? ""}` : `${cron} (${timezone ?? ""})`;
}

async function sourceOf(
  client: Awaited<ReturnType<typeof connect>>["client"],
  { file, workflow: workflowName, input = [] }: ScheduleAddOptions,
  limitBytes: number,
) {
  if ((file === undefined) === (workflowName === undefined))
    throw new HomeostatError(
      "USAGE",
      "Name a workflow file with --file, or a registered workflow with --workflow",
    );
  if (file === undefined) {
    const name = workflowName ?? "";
    const { workflowText } = await client.call("workflows.get", { params: { name } });
    return { workflowName: name, inputs: parseInputs(input, requireWorkflow(workflowText)) };
  }
  const packed = await packTask(file, limitBytes);
  if (packed.files.length > 0)
    throw new HomeostatError(
      "USAGE",
      `${file} brings ${packed.files.length} files, which a schedule cannot keep`,
      {},
      { hint: "Name the workflow file alone; its steps reach files in a named root." },
    );
  const workflow = requireWorkflow(packed.workflow, { file: packed.workflowFile });
  return { workflow: packed.workflow, inputs: parseInputs(input, workflow) };
}
