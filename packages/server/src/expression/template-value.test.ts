import { expect, test } from "vitest";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { parseTemplate } from "./template.ts";
import { atPlace, renderValue, templatesIn } from "./template-value.ts";
import type { TemplateValue } from "./template-value.ts";

function template(source: string, path: string): TemplateValue {
  return { kind: "template", template: parseTemplate(source), place: { line: 3, column: 5, path } };
}

const value: TemplateValue = {
  kind: "object",
  entries: [
    { key: "plain", value: { kind: "literal", value: [1] } },
    {
      key: "list",
      value: { kind: "list", items: [template("${{ a }}", "list[0]"), template("x${{ a }}", "list[1]")] },
    },
  ],
};

test("templates are rendered at any depth and keep their types", () => {
  expect(renderValue(value, { a: 7 })).toEqual({ plain: [1], list: [7, "x7"] });
  expect(templatesIn(value).map((found) => found.place.path)).toEqual(["list[0]", "list[1]"]);
});

test("an error names the field and the line", () => {
  try {
    renderValue(value, {});
    expect.unreachable();
  } catch (error) {
    if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
    expect(error.message).toBe("list[0]: unknown name `a` (column 5)");
    expect(error.place).toEqual({ line: 3, column: 5, path: "list[0]" });
  }
});

test("without a path it is called an expression", () => {
  const error = new HomeostatError("EXPRESSION_INVALID", "unknown name `a`");
  expect((atPlace(error, { line: 3 }) as Error).message).toBe("expression: unknown name `a`");
});

test("other errors pass unchanged", () => {
  const other = new Error("x");
  expect(atPlace(other, { path: "p" })).toBe(other);
});
