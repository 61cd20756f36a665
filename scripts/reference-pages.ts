/** The pages of docs/reference as texts, each made from the one table that the program uses. Pure. */
import type { Command } from "commander";
import { errorCodes } from "../packages/server/src/base/error-codes.ts";
import { metricTable } from "../packages/server/src/base/metric-table.ts";
import type { MetricRow } from "../packages/server/src/base/metric-table.ts";
import { describeConfig } from "../packages/server/src/config/config.ts";
import type { ConfigRow } from "../packages/server/src/config/config.ts";
import { policyJsonSchema } from "../packages/server/src/policy/file/policy-schema.ts";
import { workflowSchema } from "../packages/server/src/workflows/workflow-schema.ts";
import { createProgram } from "../packages/server/src/main.ts";
import {
  classMeanings,
  classOfCode,
  errorClasses,
  recoveryOf,
} from "../packages/server/src/guards/recovery.ts";

const notice = "<!-- Made by `npm run docs`. Change the table it is made from, not this page. -->";

/** File name -> text. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "cli.md": commandLinePage(),
    "errors.md": errorsPage(),
    "metrics.md": metricsPage(),
    "config.md": configPage(),
    "policy.schema.json": `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
    "workflow.schema.json": `${JSON.stringify(workflowSchema(), null, 2)}\n`,
  };
}

function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { status, hint }]) => [
    `\`${code}\``,
    `${status}`,
    classOfCode(code),
    hint,
  ]);
  return page("Error codes", "packages/server/src/base/error-codes.ts", [
    "Every error has a code from this table, in the API (`code` of the problem document), in the command line's `--json`",
    "output and in the log. Programs should tell errors apart by it; messages may change. The hint says what to do.",
    "",
    ...table(["Code", "HTTP status", "Class", "Hint"], rows),
    "",
    "A class says what helps; `error.class` and `error.recovery` hold both in a workflow's `catch`.",
    "",
    ...table(
      ["Class", "Recovery", "What it means"],
      errorClasses.map((each) => [each, `\`${recoveryOf(each)}\``, classMeanings[each]]),
    ),
  ]);
}

function metricsPage(): string {
  const rows = Object.entries<MetricRow>(metricTable).map(([name, { type, help, labels, buckets }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    buckets === undefined ? help : `${help} Buckets: ${buckets.join(", ")}.`,
  ]);
  return page("Metrics", "packages/server/src/base/metric-table.ts", [
    "What `/metrics` shows in Prometheus' text format, besides the usual figures of the process (memory, CPU, garbage",
    "collection). Units are those of the name. Labels take few values: never an id or a text of a user.",
    "",
    ...table(["Metric", "Type", "Labels", "Meaning"], rows),
  ]);
}

function commandLinePage(): string {
  // The commands are only looked at, never called.
  const program = createProgram(() => () => Promise.resolve());
  return page("Command line", "packages/server/src/main.ts", [
    "Every command takes these options, prints tables for people and, with `--json`, one JSON document. Progress goes to",
    "standard error. Exit codes: 0 done, 1 failed or not intact, 2 usage, 3 not found, 4 denied by policy, 5 waiting for",
    "approval, 124 timeout, 130 interrupted.",
    "",
    ...optionTable(program),
    "",
    ...program.commands.flatMap((command) => commandSection(command, "homeostat")),
  ]);
}

function commandSection(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((each) => commandSection(each, name));
  const usage = [...command.registeredArguments].map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const alias = command.alias() === undefined ? "" : ` Also \`${parent} ${command.alias()}\`.`;
  return [
    `## \`${[name, ...usage].join(" ")}\``,
    "",
    `${command.description().replace(/^./, (letter) => letter.toUpperCase())}.${alias}`,
    "",
    ...(command.options.length === 0 ? [] : [...optionTable(command), ""]),
  ];
}

function optionTable(command: Command): readonly string[] {
  const rows = command.options.map((option) => [`\`${option.flags}\``, option.description]);
  return table(["Option", "Meaning"], rows);
}

function configPage(): string {
  const rows = describeConfig();
  return page("Configuration", "packages/server/src/config/config-schema.ts", [
    "Defaults give way to `homeostat.yaml` in the data folder, that to the environment, that to flags. Unknown keys and",
    "variables are errors. `homeostat config print` shows what is in force and where each value comes from. Secrets may be",
    "given as a file: `_FILE` behind the variable's name. `HOMEOSTAT_CONFIG` names another file than the usual one.",
    "",
    ...rows.flatMap((row) => configSection(row)),
  ]);
}

function configSection(row: ConfigRow): readonly string[] {
  const unit = row.unit === undefined ? "" : ` (${row.unit})`;
  const secret = row.secret ? ` Secret: shown masked; also \`${row.env}_FILE\`.` : "";
  return [
    `## \`${row.key}\``,
    "",
    `${row.description}${secret}`,
    "",
    `- Variable: \`${row.env}\``,
    `- Value: ${row.form}${unit}`,
    `- Default: ${describeDefault(row.default)}${unit}`,
    `- Why: ${row.why}`,
    "",
  ];
}

function describeDefault(value: unknown): string {
  return value === undefined ? "none" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function page(title: string, source: string, lines: readonly string[]): string {
  return [`# ${title}`, "", notice, `<!-- Source: ${source} -->`, "", ...lines].join("\n").trimEnd() + "\n";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- |").join("")}`, ...rows.map(line)];
}

/** A pipe would end the cell. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
