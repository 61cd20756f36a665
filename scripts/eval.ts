/** Evaluations on data that is not part of this repository: `npm run eval -- NAME --data DIR`. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { evaluateInjection } from "./eval-injection.ts";
import { evaluateRedaction } from "./eval-redaction.ts";

/** `policy` and `json` are read by those that decide by a policy and that write figures to a file. */
interface EvaluationOptions {
  readonly policy?: string | undefined;
  readonly json?: string | undefined;
}

const evaluations: Readonly<Record<string, (folder: string, options: EvaluationOptions) => void>> = {
  injection: evaluateInjection,
  redaction: evaluateRedaction,
};

const { values, positionals } = parseArgs({
  options: { data: { type: "string" }, policy: { type: "string" }, json: { type: "string" } },
  allowPositionals: true,
});
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
  evaluate(values.data, values);
}
