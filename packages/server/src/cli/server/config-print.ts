/** `homeostat config print`: the effective configuration and where each value comes from; secrets are masked. */
import { loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function configPrint(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { entries, file } = loadOptions(options);
  terminal.result({ file: file ?? null, data: entries }, (paint) => {
    const rows = entries.map(({ key, value, origin, env }) => [key, shown(value), origin, env]);
    const [header = "", ...lines] = formatTable(["KEY", "VALUE", "FROM", "VARIABLE"], rows).split("\n");
    return [`${paint("dim", `file: ${file ?? "none"}`)}`, paint("bold", header), ...lines].join("\n");
  });
  return exitCodes.done;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}
