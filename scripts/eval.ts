/** Evaluations on data that is not part of this repository: `npm run eval -- NAME --data DIR`. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { evaluateRedaction } from "./eval-redaction.ts";

const evaluations: Readonly<Record<string, (folder: string) => void>> = { redaction: evaluateRedaction };

const { values, positionals } = parseArgs({ options: { data: { type: "string" } }, allowPositionals: true });
const name = positionals[0] ?? "";
const evaluate = evaluations[name];
if (evaluate === undefined) {
  console.error(
    `usage: npm run eval -- NAME --data DIR, where NAME is one of: ${Object.keys(evaluations).join(", ")}`,
  );
  process.exitCode = 2;
} else if (values.data === undefined || !existsSync(values.data)) {
  console.log(`eval ${name}: skipped, no data folder at ${values.data ?? "(--data not given)"}`);
} else {
  evaluate(values.data);
}
