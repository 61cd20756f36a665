import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHomeostatError } from "../base/error.ts";
import type { HomeostatError } from "../base/error.ts";
import { parseTemplate, renderTemplate, renderText, templateExpressions } from "./template.ts";

const scope = { inputs: { folder: "assets", count: 3, list: [1, { a: "x" }], none: null } };

function failure(text: string): HomeostatError {
  try {
    renderTemplate(text, scope);
  } catch (error) {
    if (isHomeostatError(error, "EXPRESSION_INVALID")) return error;
    throw error;
  }
  throw new Error(`no error for ${text}`);
}

describe("templates", () => {
  test("exactly one expression keeps its type", () => {
    expect(renderTemplate("${{ inputs.count }}", scope)).toBe(3);
    expect(renderTemplate("${{inputs.list}}", scope)).toEqual([1, { a: "x" }]);
    expect(renderTemplate("${{ inputs.none }}", scope)).toBe(null);
  });

  test("anything around it makes a text", () => {
    expect(renderTemplate(" ${{ inputs.count }}", scope)).toBe(" 3");
    expect(renderTemplate("${{ inputs.folder }}/${{ inputs.count }}.png", scope)).toBe("assets/3.png");
    expect(renderTemplate("${{ inputs.list }}!", scope)).toBe('[1,{"a":"x"}]!');
    expect(renderText("${{ inputs.count }}", scope)).toBe("3");
  });

  test("text without expressions stays as it is", () => {
    expect(renderTemplate("", scope)).toBe("");
    expect(renderTemplate("$ { {{ }} ${x}", scope)).toBe("$ { {{ }} ${x}");
  });

  test("braces and closing marks inside an expression do not end it", () => {
    expect(renderTemplate("${{ {a: {b: 1}} }}", scope)).toEqual({ a: { b: 1 } });
    expect(renderTemplate("${{ {a:{b:1}}}}", scope)).toEqual({ a: { b: 1 } });
    expect(renderTemplate("${{ '}}' }}${{ '${{' }}", scope)).toBe("}}${{");
  });

  test("null in a text is refused, with the way out", () => {
    const error = failure("delete workspace/${{ inputs.none }}");
    expect(error.message).toMatch(/null cannot be put into a text/);
    expect(error.hint).toContain("??");
    expect(renderTemplate('a${{ inputs.none ?? "" }}b', scope)).toBe("ab");
  });

  test("columns count from the start of the text", () => {
    expect(failure("abc ${{ 1 + }}").data["column"]).toBe(13);
    expect(failure("abc ${{ inputs.x ").message).toMatch(
      /expected `}}` behind the expression, found the end/,
    );
    expect(failure("${{ 1 } }").message).toMatch(/expected `}}`/);
    expect(failure("${{ }}").message).toMatch(/expected a value/);
    expect(failure("ok ${{ nope }}").data["column"]).toBe(8);
  });

  test("very long texts and results are refused", () => {
    expect(failure("x".repeat(300_000)).message).toMatch(/more than 262144/);
    expect(() => renderText("${{ a }}".repeat(100), { a: "x".repeat(100_000) })).toThrow(/grew beyond/);
  });

  test("any text either parses or is EXPRESSION_INVALID, in linear time", () => {
    const pieces = fc.array(
      fc.constantFrom("${{", "}}", "inputs", ".", "'", "{", "}", " ", "a", "1", "+", "\n"),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          const template = parseTemplate(parts.join(""));
          renderTemplate(template, scope);
        } catch (error) {
          if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
    const began = performance.now();
    parseTemplate("${{ 1 }}".repeat(30_000));
    expect(performance.now() - began).toBeLessThan(500);
  });
});

test("the expressions of a template are told in order, its texts are not", () => {
  const kinds = (source: string): readonly string[] =>
    templateExpressions(parseTemplate(source)).map(({ kind }) => kind);
  expect(kinds("a ${{ 1 }} b ${{ x }}")).toEqual(["literal", "name"]);
  expect(kinds("plain")).toEqual([]);
});
