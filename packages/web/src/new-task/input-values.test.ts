import { describe, expect, test } from "vitest";
import { initialValue, readInputs, type Definitions } from "./input-values.ts";

const definitions: Definitions = {
  folder: { type: "string", default: "assets" },
  limit: { type: "integer", min: 1, max: 10 },
  dry_run: { type: "boolean", default: false },
  kinds: { type: "list", default: ["png", "svg"] },
  mode: { type: "string", enum: ["fast", "full"], default: "fast" },
  options: { type: "object", default: {} },
};

describe("readInputs", () => {
  test("leaves untouched fields to the defaults and asks for what has none", () => {
    expect(readInputs(definitions, {})).toEqual({ inputs: {}, problems: { limit: "This input is needed." } });
  });

  test("gives each type its value", () => {
    const values = {
      folder: "",
      limit: " 7 ",
      dry_run: true,
      kinds: "png\n\n webp ",
      mode: "full",
      options: '{"a":1}',
    };
    expect(readInputs(definitions, values)).toEqual({
      inputs: {
        folder: "",
        limit: 7,
        dry_run: true,
        kinds: ["png", "webp"],
        mode: "full",
        options: { a: 1 },
      },
      problems: {},
    });
  });

  test("says what does not fit", () => {
    const problem = (name: string, value: string): string | undefined =>
      readInputs(definitions, { limit: "1", [name]: value }).problems[name];
    expect(problem("limit", "seven")).toBe("This is not a number.");
    expect(problem("limit", "1.5")).toBe("This is not a whole number.");
    expect(problem("limit", "11")).toBe("At most 10");
    expect(problem("kinds", "[1")).toBe("This is not a JSON list.");
    expect(problem("options", "[]")).toBe("This is not a JSON object.");
  });

  test("takes a JSON list for anything but texts", () => {
    expect(readInputs(definitions, { limit: "1", kinds: "[1, 2]" }).inputs["kinds"]).toEqual([1, 2]);
  });
});

test("initialValue shows defaults the way they are typed", () => {
  expect(Object.values(definitions).map(initialValue)).toEqual([
    "assets",
    "",
    false,
    "png\nsvg",
    "fast",
    "{}",
  ]);
});
