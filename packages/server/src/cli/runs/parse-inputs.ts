/** `--input name=value` as the types the workflow declares. Pure. */
import type { JsonValue } from "@homeostat/client/api";
import { HomeostatError } from "../../base/error.ts";
import { suggestName } from "../../base/nearest.ts";
import type { InputType, Workflow } from "../../workflows/workflow.ts";

/** Throws USAGE naming the input, what it takes and what was given. Bounds and choices are the server's to check. */
export function parseInputs(
  given: readonly string[],
  workflow: Workflow,
): Readonly<Record<string, JsonValue>> {
  const inputs: Record<string, JsonValue> = {};
  for (const each of given) {
    const equals = each.indexOf("=");
    if (equals < 1) throw new HomeostatError("USAGE", `--input ${each}: expected name=value`);
    const name = each.slice(0, equals);
    const declared = workflow.inputs.find((input) => input.name === name);
    if (declared === undefined) {
      const names = workflow.inputs.map((input) => input.name);
      throw new HomeostatError(
        "USAGE",
        `The workflow ${workflow.name} has no input ${name}`,
        { name },
        {
          hint: suggestName(name, names),
        },
      );
    }
    if (Object.hasOwn(inputs, name)) throw new HomeostatError("USAGE", `--input ${name} is given twice`);
    inputs[name] = parseValue(name, declared.type, each.slice(equals + 1));
  }
  return inputs;
}

function parseValue(name: string, type: InputType, text: string): JsonValue {
  const wrong = (expected: string): HomeostatError =>
    new HomeostatError("USAGE", `--input ${name}: expected ${expected}, found "${text.slice(0, 80)}"`);
  switch (type) {
    case "string":
      return text;
    case "number":
    case "integer": {
      const value = text.trim() === "" ? NaN : Number(text);
      if (!Number.isFinite(value) || (type === "integer" && !Number.isInteger(value))) {
        throw wrong(type === "integer" ? "a whole number" : "a number");
      }
      return value;
    }
    case "boolean":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return text === "true";
    case "list":
    case "object": {
      const value = parseJson(text);
      const isRight =
        type === "list"
          ? Array.isArray(value)
          : typeof value === "object" && value !== null && !Array.isArray(value);
      if (!isRight)
        throw wrong(type === "list" ? 'a JSON list such as ["a","b"]' : 'a JSON object such as {"a":1}');
      return value!;
    }
  }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The caller says what was expected.
    return undefined;
  }
}
