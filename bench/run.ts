/** `npm run bench -- NAME [--json]`: runs one benchmark; exit code 1 when a promised figure is not reached, 2 for wrong usage. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { benchFolder } from "./bench.ts";
import type { BenchResult, Row, RunBench } from "./bench.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const names = benchNames();
  const usage = `Usage: npm run bench -- NAME [--json]\nNames: ${names.join(", ")}`;
  let wanted: { name: string | undefined; isJson: boolean };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: "boolean" } },
      allowPositionals: true,
    });
    wanted = { name: positionals.length === 1 ? positionals[0] : undefined, isJson: values.json === true };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  if (wanted.name === undefined || !names.includes(wanted.name)) {
    console.error(wanted.name === undefined ? usage : `There is no benchmark "${wanted.name}".\n${usage}`);
    return 2;
  }
  const { run } = (await import(`./${wanted.name}.ts`)) as { run: RunBench };
  const result = await run({
    progress: (text) => console.error(styleText("dim", text, { stream: process.stderr })),
  });
  // One line, so that it is the last line also below the lines that npm writes first.
  if (wanted.isJson) console.log(JSON.stringify(result));
  else printResult(result);
  return result.bars.every(({ ok }) => ok) ? 0 : 1;
}

/** Files that export `run`; the others are what benchmarks share. */
function benchNames(): readonly string[] {
  return readdirSync(benchFolder)
    .filter((name) => /^[a-z-]+\.ts$/.test(name) && isBenchmark(name))
    .map((name) => name.slice(0, -3))
    .sort();
}

function isBenchmark(name: string): boolean {
  const isOther = name === "run.ts";
  return !isOther && readFileSync(join(benchFolder, name), "utf8").includes("export async function run(");
}

function printResult({ name, commit, machine, peers, rows, bars }: BenchResult): void {
  const { cpu, cores, memoryGiB, node, openssl, kernel } = machine;
  console.log(`${name} at ${commit}`);
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, OpenSSL ${openssl}, kernel ${kernel}`);
  for (const [peer, version] of Object.entries(peers)) console.log(`compared with ${peer} ${version}`);
  printTable(rows);
  for (const { text, value, limit, ok } of bars) {
    const verdict = ok ? styleText("green", "reached") : styleText("red", "MISSED");
    console.log(`${verdict}  ${text} ${limit.toLocaleString("en")}: ${value.toLocaleString("en")}`);
  }
}

function printTable(rows: readonly Row[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => formatCell(row[column] ?? null)));
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...cells.map((line) => line[i]?.length ?? 0)),
  );
  const isNumber = columns.map((column) => rows.every((row) => typeof row[column] !== "string"));
  const write = (line: readonly string[]): void =>
    console.log(
      line
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    );
  console.log("");
  write(columns);
  for (const line of cells) write(line);
  console.log("");
}

function formatCell(value: string | number | null): string {
  if (value === null) return "-";
  return typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 6 }) : value;
}
