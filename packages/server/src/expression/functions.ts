/** The table of all functions of the language, looked up by name. */
import type { FunctionSignature, LanguageFunction } from "./call.ts";
import { listFunctions } from "./list-functions.ts";
import { numberFunctions } from "./number-functions.ts";
import { textFunctions } from "./text-functions.ts";

const table: ReadonlyMap<string, LanguageFunction> = new Map([
  ...Object.entries(listFunctions),
  ...Object.entries(numberFunctions),
  ...Object.entries(textFunctions),
]);

export const functionNames: readonly string[] = [...table.keys()].sort();

/** How the function is called, or undefined when there is none of that name. */
export function functionSignature(name: string): FunctionSignature | undefined {
  return table.get(name);
}

export function findFunction(name: string): LanguageFunction | undefined {
  return table.get(name);
}
