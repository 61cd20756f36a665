/** `homeostat tools [NAME]`: what actions there are, and what the arguments of one are called and are for. */
import { HomeostatError } from "../../base/error.ts";
import { formatDuration } from "../../base/duration.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Throws ACTION_UNKNOWN for a name that no tool has. */
export async function tools(
  name: string | undefined,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const { data } = await client.call("tools.list", {});
  if (name === undefined) {
    terminal.result({ data }, () =>
      formatTable(
        ["NAME", "EFFECT", "RISK", "FILES", "LONGEST", "DOES"],
        data.map((tool) => [
          ...[tool.name, tool.effect, tool.risk, tool.files],
          formatDuration(tool.maxTimeoutMs),
          tool.description,
        ]),
        terminal.columns,
      ),
    );
    return exitCodes.done;
  }
  const tool = data.find((each) => each.name === name);
  if (tool === undefined)
    throw new HomeostatError("ACTION_UNKNOWN", `There is no tool named ${name}`, { tool: name });
  terminal.result(tool, (paint) => {
    // Proof of the cast: the schema of a tool's arguments is that of an object.
    const { properties = {}, required = [] } = tool.schema as ArgumentsSchema;
    const rows = Object.entries(properties).map(([argument, { description = "" }]) => [
      argument,
      required.includes(argument) ? "yes" : "",
      tool.argumentRoles[argument] ?? "",
      description,
    ]);
    return [
      `${paint("bold", tool.name)}  ${tool.description}`,
      `  ${tool.effect}, ${tool.risk} risk, files ${tool.files}, ${formatDuration(tool.defaultTimeoutMs)} unless told otherwise, at most ${formatDuration(tool.maxTimeoutMs)}`,
      "",
      formatTable(["ARGUMENT", "NEEDED", "ROLE", "IS"], rows, terminal.columns),
    ].join("\n");
  });
  return exitCodes.done;
}

interface ArgumentsSchema {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}
