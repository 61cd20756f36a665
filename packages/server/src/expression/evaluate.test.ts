import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../base/canonical-json.ts";
import { isHomeostatError } from "../base/error.ts";
import type { HomeostatError } from "../base/error.ts";
import { evaluate } from "./evaluate.ts";
import type { Scope } from "./expression.ts";
import { functionNames } from "./functions.ts";
import { parseExpression } from "./parse.ts";

const scope: Scope = {
  inputs: { folder: "assets", days: 30, dry_run: false, nothing: null },
  steps: {
    list: {
      output: {
        files: [
          { name: "b", size: 2 },
          { name: "a", size: 10 },
        ],
      },
    },
  },
  item: "x",
};

function value(source: string, names: Scope = scope): JsonValue {
  return evaluate(parseExpression(source), names);
}

function failure(source: string, names: Scope = scope): HomeostatError {
  try {
    value(source, names);
  } catch (error) {
    if (isHomeostatError(error, "EXPRESSION_INVALID")) return error;
    throw error;
  }
  throw new Error(`no error for ${source}`);
}

const table: readonly (readonly [source: string, expected: JsonValue])[] = [
  ["1 != 2", true],
  ["'a' != 'a'", false],
  ["[1, {k: 2}] != [1, {k: 3}]", true],
  ["{a: 1, b: [2]} == {b: [2], a: 1}", true],
  ["[5, 6][0.5]", null],
  ["'b' >= 'a'", true],
  ["'a' > 'b'", false],
  ["'x' + -0", "x0"],
  ["'\\u0041'", "A"],
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["10 - 2 - 3", 5],
  ["7 % 4 / 2", 1.5],
  ["-2 * -3", 6],
  ["0 * -1", 0],
  ["1.5e2", 150],
  ["'a' + 1 + true", "a1true"],
  ["'a' + [1, 2]", "a[1,2]"],
  ["'it\\'s' == \"it's\"", true],
  ["1 < 2 && 2 <= 2", true],
  ["'b' > 'a'", true],
  ["1 == '1'", false],
  ["[1, {a: 2}] == [1, {a: 2}]", true],
  ["{a: 1, b: 2} == {b: 2, a: 1}", true],
  ["{a: 1} == {a: 1, b: null}", false],
  ["!0 && !'' && !null", true],
  ["![]", false],
  ["null ?? 0 ?? 1", 0],
  ["'' || 'default'", "default"],
  ["false && missing", false],
  ["true ? 1 : missing", 1],
  ["inputs.dry_run ? 'dry' : inputs.days > 7 ? 'old' : 'new'", "old"],
  ["inputs['folder']", "assets"],
  ["inputs.folder == 'assets' || false", true],
  ["inputs.absent", null],
  ["inputs.nothing?.deep ?? 'none'", "none"],
  ["inputs.nothing?.[0]", null],
  ["steps.list.output.files[0].name", "b"],
  ["steps.list.output.files[-1].name", "a"],
  ["steps.list.output.files[9]", null],
  ["[1, 2,]", [1, 2]],
  ["{a: 1, 'b c': [true],}", { a: 1, "b c": [true] }],
  ['"\\u0041\\n\\"" ', 'A\n"'],
  ["length('grüße') + length([1]) + length({a: 1})", 7],
  ["length('👍')", 1],
  ["contains([1, [2]], [2])", true],
  ["contains('haystack', 'st')", true],
  ["contains('x', '')", true],
  ["startsWith('abc', 'ab') && endsWith('abc', 'bc')", true],
  ["lower('AbC') + upper('AbC') + trim('  x ')", "abcABCx"],
  ["split('a,b,,c', ',')", ["a", "b", "", "c"]],
  ["split('añ👍', '')", ["a", "ñ", "👍"]],
  ["join(['a', 1, true], '-')", "a-1-true"],
  ["join([1, 2])", "1,2"],
  ["replace('a.b.c', '.', '$&')", "a$&b$&c"],
  ["round(2.5) + round(-2.5)", 0],
  ["round(1.005, 2)", 1.01],
  ["round(12345.678, 1)", 12345.7],
  ["round(1e300, 2)", 1e300],
  ["round(1e-9, 3)", 0],
  ["floor(-1.5) + ceil(1.2) + abs(-3)", 3],
  ["min(3, 1, 2) + max([4, 9])", 10],
  ["min([])", null],
  ["sum([1, 2, 3.5])", 6.5],
  ["number(' 12.50 ')", 12.5],
  ["number(3)", 3],
  ["text([1, 'a'])", '[1,"a"]'],
  ["keys({b: 1, a: 2})", ["a", "b"]],
  ["values({b: 1, a: 2})", [2, 1]],
  ["unique([1, '1', 1, {a: 1}, {a: 1}])", [1, "1", { a: 1 }]],
  ["sort([10, 9, 1])", [1, 9, 10]],
  ["sort(['b', 'B', 'a'])", ["B", "a", "b"]],
  ["sort([])", []],
  ["map(sortBy(steps.list.output.files, f => f.size), f => f.name)", ["b", "a"]],
  ["sortBy([[2, 'x'], [1, 'y'], [2, 'z']], p => p[0])", [[1, "y"], [2, "x"], [2, "z"]]],
  ["slice([1, 2, 3, 4], 1, 3)", [2, 3]],
  ["slice('héllo', -2)", "lo"],
  ["first([1, 2]) + last([1, 2])", 3],
  ["first([])", null],
  ["last([])", null],
  ["range(3)", [0, 1, 2]],
  ["range(2, 5)", [2, 3, 4]],
  ["range(5, 2)", []],
  ["toJson({b: [1, null], a: 'x'})", '{"a":"x","b":[1,null]}'],
  ["fromJson('{\"a\": [1]}').a[0]", 1],
  ["format('{0} of {1} {{x}}', 1, 'two')", "1 of two {x}"],
  ["filter(range(6), n => n % 2 == 0)", [0, 2, 4]],
  ["map(range(2), a => map(range(2), b => a * 10 + b))", [[0, 1], [10, 11]]],
  ["map([1], item => item + 1)", [2]],
  ["any([1, 2], n => n > 1) && all([], n => false)", true],
  ["type(null) + type([]) + type({}) + type('') + type(1) + type(true)", "nulllistobjectstringnumberboolean"],
]; // prettier-ignore

const failures: readonly (readonly [source: string, column: number, text: RegExp, hint?: RegExp])[] = [
  ["", 1, /expected a value, found the end/],
  ["1 +", 4, /found the end/],
  ["1 2", 3, /unexpected the number 2/],
  ["(1", 3, /expected `\)` to close `\(`/],
  ["[1 2]", 4, /expected `,` or `\]`/],
  ["{1: 2}", 2, /expected a member name/],
  ["{a 2}", 4, /expected `:`/],
  ["a ? 1", 6, /expected `:`/],
  ["a = 1", 3, /unexpected character "="/, /==/],
  ["a & b", 3, /unexpected character "&"/, /&&/],
  ["`x`", 1, /unexpected character/, /strings/],
  ["#", 1, /unexpected character "#"/],
  ["'open", 1, /no closing quote/],
  ["'\\x'", 2, /unknown escape/],
  ["'\\uZZZZ'", 2, /unknown escape/],
  ["'\\ud800'", 1, /surrogate/],
  ["{'\\ud800': 1}", 2, /surrogate/],
  ["12abc", 1, /neither a number nor a name/],
  ["1e999", 1, /too large/],
  ["x => 1", 3, /only inside filter/],
  ["map([1], 2)", 10, /expected `x => ...`/, /map\(list/],
  ["map([1], x)", 11, /expected `x => ...`/],
  ["map([1], true => 1)", 10, /expected `x => ...`/],
  ["inputz.x", 1, /unknown name `inputz`/, /did you mean `inputs`/],
  ["lenght([])", 1, /no function `lenght`/, /did you mean `length`/],
  ["qqqqqq()", 1, /no function/, /known here/],
  ["length()", 1, /takes 1 argument, not 0/, /length\(/],
  ["round(1, 2, 3)", 1, /takes 1 to 2 arguments, not 3/],
  ["contains(1)", 1, /takes 2 arguments/],
  ["a.__proto__", 3, /cannot be used/],
  ["{}.constructor", 4, /cannot be used/],
  ["{__proto__: 1}", 2, /cannot be used/],
  ["inputs['__proto__']", 7, /cannot read member "__proto__" of object/],
  ["inputs['con' + 'structor']", 7, /cannot read/],
  ["inputs.nothing.deep", 16, /cannot read member "deep" of null/, /\?\./],
  ["item.length", 6, /of string/, /length\(value\)/],
  ["item.size", 6, /of string/],
  ["[1]['0']", 4, /of list/],
  ["[1][{}]", 4, /member object of list/],
  ["1 + null", 3, /`\+` does not work on number and null/, /joins/],
  ["'a' + null", 5, /does not work on string and null/],
  ["[] - 1", 4, /`-` does not work on list and number/],
  ["'a' < 1", 5, /does not work/],
  ["-'a'", 1, /wants a number, got string/],
  ["1 / 0", 3, /division by zero/],
  ["1 % 0", 3, /division by zero/],
  ["1e308 * 10", 7, /too large/],
  ["lower(1)", 1, /lower wants a string as argument 1, got number/],
  ["floor('1')", 1, /wants a number/],
  ["slice([], 0.5)", 1, /wants a whole number as argument 2/],
  ["slice(1, 1)", 1, /wants a list or string/],
  ["length(1)", 1, /wants a list, string or object/],
  ["contains(1, 1)", 1, /wants a list or string/],
  ["keys([])", 1, /wants an object/],
  ["sum(['a'])", 1, /sum adds numbers/],
  ["sum([1e308, 1e308])", 1, /too large/],
  ["min('a')", 1, /compares numbers, got string/],
  ["sort([1, 'a'])", 1, /orders numbers or strings, not number with string/],
  ["sort([[]])", 1, /orders numbers or strings/],
  ["round(1, 16)", 1, /0 to 15/],
  ["number('1x')", 1, /cannot read "1x"/],
  ["number([])", 1, /cannot read list/],
  ["replace('a', '', 'b')", 1, /empty text/],
  ["join([null])", 1, /null into text/, /join/],
  ["format('{1}', 0)", 1, /nothing to put for \{1\}/],
  ["format('{')", 1, /nothing to put for \{/],
  ["fromJson('{')", 1, /not JSON/],
  ["fromJson('1e999')", 1, /too large/],
  ["fromJson('[\"\\\\ud800\"]')", 1, /surrogate/],
  ["fromJson('{\"__proto__\": 1}')", 1, /__proto__/],
  ["range(10001)", 1, /at most 10000/],
];

describe("evaluate", () => {
  test.each(table)("%s", (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  test.each(failures.map((row) => ({ source: row[0], column: row[1], text: row[2], hint: row[3] })))(
    "$source is refused at column $column",
    ({ source, column, text, hint }) => {
      const error = failure(source);
      expect(error.message).toMatch(text);
      expect(error.data["column"]).toBe(column);
      expect(error.place?.column).toBe(column);
      if (hint !== undefined) expect(error.hint).toMatch(hint);
    },
  );

  test("members that only a prototype has read as absent", () => {
    expect(value("inputs.toString ?? 'none'")).toBe("none");
    expect(value("inputs['hasOwnProperty']")).toBe(null);
    expect(failure("toString").message).toMatch(/unknown name/);
  });

  test("a stored object in another order gives the same result", () => {
    const source = "toJson(o) + join(keys(o)) + join(values(o))";
    expect(value(source, { o: { a: 1, b: 2 } })).toBe(value(source, { o: { b: 2, a: 1 } }));
  });

  test("undefined in the scope reads as null", () => {
    expect(value("a", { a: undefined })).toBe(null);
    expect(value("length(a)", { a: { b: undefined } })).toBe(0);
  });
});

test("an error that is no evaluation's own is the expression's, not the server's", () => {
  const names = {
    get broken(): JsonValue {
      throw new RangeError("Maximum call stack size exceeded");
    },
  };
  expect(failure("broken", names).message).toMatch(/could not be evaluated/);
});

describe("bounds", () => {
  test("deep nesting is refused by the parser, in whatever form", () => {
    for (const source of [
      "(".repeat(4000) + "1" + ")".repeat(4000),
      "[".repeat(8000),
      "!".repeat(8000) + "1",
      "-".repeat(8000) + "1",
      "1" + "+1".repeat(4000),
      "a" + ".a".repeat(4000),
      "1 ? ".repeat(2000),
      "map(a, a => ".repeat(600),
    ]) {
      expect(failure(source).message).toMatch(/nested deeper than 100/);
    }
  });

  test("long sources are refused", () => {
    expect(failure(`[${"1,".repeat(5000)}]`).message).toMatch(/longer than 8192/);
  });

  const hostile = [
    "(", "[", "{a:", "!", "-", "1+", "a.", "a?.", "a[", "'", '"', "'\\", "'\\u00", "1?", "1?1:", "a??", "a&&", "map(a,a=>", "length(",
    "map(a,", "[1,", "{a:1,", "a ", "9", "1e", ".", "=>", "\u{1f600}", "'a'+", "(a)(", "x=>",
  ]; // prettier-ignore
  test.each(hostile)("a source of the largest size made of %j takes at most 50 ms of CPU", (part) => {
    for (const given of [part.repeat(Math.floor(8_192 / part.length)), `${part.repeat(99)}1`]) {
      const before = process.cpuUsage();
      try {
        value(given, { a: [1] });
      } catch (error) {
        if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
      }
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(50);
    }
  });

  test("nested loops run out of steps, soon", () => {
    const began = performance.now();
    const source = "map(range(10000), a => map(range(10000), b => any(range(10000), c => c < 0)))";
    expect(failure(source).message).toMatch(/too costly/);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("values that share parts cannot be blown up beyond the size bound", () => {
    const double = (inner: string, name: string): string =>
      `map([${inner}], ${name} => [${`${name},`.repeat(40)}])`;
    let source = "1";
    for (const name of ["a", "b", "c", "d", "e", "f"]) source = double(source, name);
    expect(failure(source).message).toMatch(/larger than/);
  });

  test("searching long texts is linear", () => {
    const names = {
      text: "a".repeat(1_000_000),
      part: `b${"a".repeat(400_000)}`,
      near: `${"a".repeat(15)}b`,
    };
    const began = performance.now();
    expect(value("contains(text, part)", names)).toBe(false);
    expect(value("contains(text, near)", names)).toBe(false);
    expect(value("length(split(text, part))", names)).toBe(1);
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("texts cannot grow beyond the size bound", () => {
    const names = { text: "a".repeat(1_000_000) };
    for (const source of [
      "replace(text, 'a', text)",
      "join(map(range(1000), x => text), text)",
      "text + text + text + text + text",
      "map(range(100), x => upper(text))",
      "toJson([text, text, text, text, text])",
      "format('{0}{0}{0}{0}{0}', text)",
      "split(text + text + text, '')",
    ]) {
      expect(failure(source, names).message).toMatch(/too costly/);
    }
  });

  test("data nested too deeply is refused, not followed", () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 20_000; level++) deep = [deep];
    expect(failure("deep", { deep }).message).toMatch(/nested deeper than 64/);
    expect(failure("deep == deep", { deep }).message).toMatch(/nested deeper/);
    expect(failure("toJson(deep)", { deep }).message).toMatch(/nested deeper/);
  });
});

describe("properties", () => {
  const words = [
    ...functionNames.map((name) => `${name}(`),
    "inputs", "steps", "item", ".", "?.", "[", "]", "(", ")", "{", "}", ",", ":", "?", "??", "&&", "||", "!", "-", "+",
    "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "=>", "x", "x => ", "x => x", "null", "true", "1", "0", "2.5", "1e308",
    "'a'", '"b"', "''", "'", "\\", " ", "files", "list", "output", "__proto__", "constructor", "#", "é", "range(100)",
  ]; // prettier-ignore
  const soup = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join(""));
  const sources = fc.oneof(
    soup,
    fc.string({ maxLength: 60 }),
    fc.constantFrom(...table.map(([source]) => source)),
  );

  function outcome(source: string, names: Scope): string {
    try {
      return JSON.stringify(value(source, names));
    } catch (error) {
      if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
      return `${error.message}|${error.hint}`;
    }
  }

  test("nothing but EXPRESSION_INVALID is thrown, and twice gives the same", () => {
    fc.assert(
      fc.property(sources, (source) => {
        expect(outcome(source, scope)).toBe(outcome(source, scope));
      }),
      { numRuns: 3_000 },
    );
  });

  test("generated well-formed expressions on random data end in a value or EXPRESSION_INVALID", () => {
    const { expression } = fc.letrec<{ expression: string }>((tie) => {
      const inner = tie("expression");
      return {
        expression: fc.oneof(
          { maxDepth: 4, withCrossShrink: true },
          fc.constantFrom("a", "b", "x", "1", "'t'", "null", "[]", "[1, 2, 'c']", "{k: 1}", "a.k", "b[0]"),
          fc.tuple(inner, fc.constantFrom("+", "-", "*", "/", "%", "==", "<", "&&", "||", "??"), inner).map((p) => `(${p.join(" ")})`),
          fc.tuple(inner, inner, inner).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
          fc.tuple(fc.constantFrom(...functionNames), inner).map(([name, arg]) => `${name}(${arg})`),
          fc.tuple(fc.constantFrom(...functionNames), inner, inner).map(([name, one, two]) => `${name}(${one}, ${two})`),
          fc.tuple(fc.constantFrom("map", "filter", "any", "all", "sortBy"), inner, inner).map(([name, list, body]) => `${name}(${list}, x => ${body})`),
        ),
      };
    }); // prettier-ignore
    fc.assert(
      fc.property(expression, fc.jsonValue(), fc.jsonValue(), (source, a, b) => {
        const names = { a: a as JsonValue, b: b as JsonValue, x: 1 };
        const before = JSON.stringify(names);
        expect(outcome(source, names)).toBe(outcome(source, names));
        expect(JSON.stringify(names)).toBe(before);
      }),
      { numRuns: 3_000 },
    );
  });

  test("arithmetic agrees with JavaScript's", () => {
    const term = fc.letrec<{ term: string }>((tie) => ({
      term: fc.oneof(
        { maxDepth: 5 },
        fc.integer({ min: 0, max: 99 }).map(String),
        fc.tuple(tie("term"), fc.constantFrom("+", "-", "*"), tie("term")).map((p) => p.join(" ")),
        tie("term").map((inner) => `(${inner})`),
      ),
    })).term;
    fc.assert(
      fc.property(term, (source) => {
        // The source holds digits, + - * and parentheses only.
        const expected = Number(new Function(`return ${source}`)());
        expect(value(source)).toBe(expected + 0);
      }),
    );
  });
});
