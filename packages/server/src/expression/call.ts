/** What a function of the language is given, and how it checks its arguments. */
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { Budget } from "./budget.ts";
import { expressionError } from "./expression.ts";
import { isList, isObject, typeName } from "./values.ts";

export interface FunctionSignature {
  readonly least: number;
  readonly most: number;
  /** Position of the `x => ...` argument. */
  readonly lambdaAt?: number;
  /** How it is written, for hints and the reference. */
  readonly usage: string;
}

export interface Call {
  readonly name: string;
  readonly usage: string;
  /** 0-based offset of the call. */
  readonly at: number;
  /** Values in order; the lambda's place holds null. */
  readonly args: readonly JsonValue[];
  readonly budget: Budget;
  /** Evaluates the lambda for one item. */
  readonly each: (item: JsonValue) => JsonValue;
}

export interface LanguageFunction extends FunctionSignature {
  readonly run: (call: Call) => JsonValue;
}

export function argument(call: Call, position: number): JsonValue {
  return call.args[position] ?? null;
}

export function stringArgument(call: Call, position: number): string {
  const value = argument(call, position);
  return typeof value === "string" ? value : wrongType(call, position, "a string");
}

export function numberArgument(call: Call, position: number): number {
  const value = argument(call, position);
  return typeof value === "number" ? value : wrongType(call, position, "a number");
}

/** A whole number, or `fallback` when the argument was left out. */
export function integerArgument(call: Call, position: number, fallback?: number): number {
  if (fallback !== undefined && position >= call.args.length) return fallback;
  const value = argument(call, position);
  return typeof value === "number" && Number.isSafeInteger(value)
    ? value
    : wrongType(call, position, "a whole number");
}

export function listArgument(call: Call, position: number): readonly JsonValue[] {
  const value = argument(call, position);
  return isList(value) ? value : wrongType(call, position, "a list");
}

export function objectArgument(call: Call, position: number): JsonObject {
  const value = argument(call, position);
  return isObject(value) ? value : wrongType(call, position, "an object");
}

export function wrongType(call: Call, position: number, wanted: string): never {
  const found = typeName(argument(call, position));
  throw callError(call, `${call.name} wants ${wanted} as argument ${position + 1}, got ${found}`);
}

export function callError(call: Call, message: string): Error {
  return expressionError(call.at, message, `usage: ${call.usage}`);
}
