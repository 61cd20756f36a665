/** Functions of the language that work on numbers. Results are finite; minus zero is written zero. */
import type { JsonValue } from "../base/canonical-json.ts";
import { spend } from "./budget.ts";
import { argument, callError, integerArgument, listArgument, numberArgument } from "./call.ts";
import type { Call, LanguageFunction } from "./call.ts";
import { isList, typeName } from "./values.ts";

export const numberFunctions: Readonly<Record<string, LanguageFunction>> = {
  round: { least: 1, most: 2, usage: "round(number, digits)", run: round },
  floor: {
    least: 1,
    most: 1,
    usage: "floor(number)",
    run: (call) => Math.floor(numberArgument(call, 0)) + 0,
  },
  ceil: { least: 1, most: 1, usage: "ceil(number)", run: (call) => Math.ceil(numberArgument(call, 0)) + 0 },
  abs: { least: 1, most: 1, usage: "abs(number)", run: (call) => Math.abs(numberArgument(call, 0)) },
  min: {
    least: 1,
    most: 33,
    usage: "min(a, b, ...) or min(list)",
    run: (call) => extreme(call, (a, b) => a < b),
  },
  max: {
    least: 1,
    most: 33,
    usage: "max(a, b, ...) or max(list)",
    run: (call) => extreme(call, (a, b) => a > b),
  },
  sum: { least: 1, most: 1, usage: "sum(list)", run: sum },
  number: { least: 1, most: 1, usage: "number(text)", run: toNumber },
};

/** Half away from zero on the decimal digits people see: round(1.005, 2) is 1.01. */
function round(call: Call): number {
  const value = numberArgument(call, 0);
  const digits = integerArgument(call, 1, 0);
  if (digits < 0 || digits > 15) throw callError(call, `round keeps 0 to 15 digits, not ${digits}`);
  const magnitude = Math.abs(value);
  // From 1e15 on a double has less than one digit behind the point.
  if (magnitude >= 1e15) return value;
  const shifted = Math.round(shift(magnitude, digits));
  return (value < 0 ? -1 : 1) * shift(shifted, -digits) + 0;
}

/** Times 10^digits by way of the decimal text, which avoids 1.005 * 100 = 100.49999999999999. */
function shift(value: number, digits: number): number {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  return Number(`${mantissa}e${Number(exponent) + digits}`);
}

function extreme(call: Call, isBetter: (a: number, b: number) => boolean): JsonValue {
  const first = argument(call, 0);
  const values = call.args.length === 1 && isList(first) ? first : call.args;
  spend(call.budget, values.length);
  let best: number | null = null;
  for (const value of values) {
    if (typeof value !== "number")
      throw callError(call, `${call.name} compares numbers, got ${typeName(value)}`);
    if (best === null || isBetter(value, best)) best = value;
  }
  return best;
}

function sum(call: Call): number {
  const list = listArgument(call, 0);
  spend(call.budget, list.length);
  let total = 0;
  for (const item of list) {
    if (typeof item !== "number")
      throw callError(call, `sum adds numbers, got ${typeName(item)} in the list`);
    total += item;
  }
  if (!Number.isFinite(total)) throw callError(call, "the sum is too large for a number");
  return total;
}

const decimalPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function toNumber(call: Call): number {
  const value = argument(call, 0);
  if (typeof value === "number") return value;
  // 64 characters hold every double; the bound keeps the pattern cheap.
  const text = typeof value === "string" ? value.trim() : "";
  const result = text.length <= 64 && decimalPattern.test(text) ? Number(text) : NaN;
  if (Number.isFinite(result)) return result + 0;
  const found = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : typeName(value);
  throw callError(call, `number cannot read ${found}`);
}
