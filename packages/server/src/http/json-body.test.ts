import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonBody } from "./json-body.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a JSON body", () => {
  test("honest JSON comes out as JSON.parse gives it", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6, noUnicodeString: false }), (text) => {
        fc.pre(!text.includes("\\u0000") && !text.includes("__proto__") && !text.includes("prototype"));
        expect(parseJsonBody(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
    expect(parseJsonBody(new Uint8Array())).toBeUndefined();
  });

  test("the place of what is hostile is named", () => {
    const place = (text: string): unknown => {
      try {
        return parseJsonBody(bytes(text));
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(place('{"a":[{"b~/c":{"__proto__":1}}]}')).toBe(
      "The body holds the key __proto__ at /a/0/b~0~1c/__proto__",
    );
    expect(place('"a\\u0000"')).toBe("The body holds a NUL character at its top");
    expect(place('{"a\\u0000":1}')).toContain("a NUL character in a key");
    expect(place('{"a":["b\\ud800"]}')).toBe("The body holds half a surrogate pair at /a/0");
    expect(place('{"a":{"\\udfff":1}}')).toBe("The body holds half a surrogate pair in a key at /a/\ufffd");
    expect(place('"\\udfff\\ud800"')).toBe("The body holds half a surrogate pair at its top");
    expect(place('{"a":[-1e999]}')).toBe("The body holds a number too large to be kept at /a/0");
    expect(place('{"a":[1e308,"\\ud83d\\ude00"]}')).toEqual({ a: [1e308, "\u{1f600}"] });
    expect(place('{"constructor":"builder","prototype":"v1"}')).toEqual({
      constructor: "builder",
      prototype: "v1",
    });
  });

  test("a million brackets neither overflow nor pass", () => {
    expect(() => parseJsonBody(bytes("[".repeat(1_000_000)))).toThrow();
    expect(() => parseJsonBody(bytes("[".repeat(5_000) + "]".repeat(5_000)))).toThrow(
      "nesting deeper than 64",
    );
  });
});
