/** `homeostat workflow add|list|show|rm`: registered workflows. */
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function addWorkflow(
  file: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const text = (await readUserFile(file)).toString("utf8");
  // Checked here first: the findings then name the file as the user knows it.
  requireWorkflow(text, { file });
  const { client, url } = await connect(options);
  const added = await client.call("workflows.add", { body: { workflow: text } });
  terminal.result(added, (paint) =>
    [
      `${paint("bold", added.name)}  version ${added.version}`,
      ...added.hooks.flatMap(({ path, auth, secret }) => [
        `  webhook     ${url}${path}`,
        `  ${auth === "signature" ? "signs with " : "token      "} ${paint("bold", secret)}  ${paint("yellow", "shown this once")}`,
      ]),
    ].join("\n"),
  );
  return exitCodes.done;
}

export async function listWorkflows(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const workflows = await client.call("workflows.list", {});
  terminal.result(workflows, () => {
    if (workflows.data.length === 0)
      return "No registered workflows; `homeostat workflow add FILE` adds one.";
    const rows = workflows.data.map(({ name, version, addedBy, addedAt, triggers, description }) => [
      name,
      String(version),
      addedAt,
      oneLine(addedBy),
      oneLine(triggers.map(({ detail }) => detail).join(", ")),
      oneLine(description ?? ""),
    ]);
    return formatTable(["NAME", "VERSION", "ADDED", "BY", "TRIGGERS", "DESCRIPTION"], rows);
  });
  return exitCodes.done;
}

export interface ShowWorkflowOptions extends GlobalOptions {
  readonly version?: string;
}

export async function showWorkflow(
  name: string,
  options: ShowWorkflowOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const query = options.version === undefined ? {} : { version: Number(options.version) };
  const found = await client.call("workflows.get", { params: { name }, query });
  terminal.result(found, () => found.workflowText.trimEnd());
  return exitCodes.done;
}

export async function removeWorkflow(
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  await client.call("workflows.remove", { params: { name } });
  terminal.result({ name, removed: true }, (paint) => `${paint("bold", name)} is removed`);
  return exitCodes.done;
}
