import { describe, expect, test } from "vitest";
import { createFindingCollector, formatFinding, toErrorDetail } from "./finding.ts";
import { readFields } from "./yaml-fields.ts";
import type { YamlFields } from "./yaml-fields.ts";
import { describeNode, joinPath, readYaml, yamlValue } from "./yaml-source.ts";
import type { YamlNode } from "./yaml-source.ts";

function root(text: string): YamlNode {
  const result = readYaml(text);
  if (!result.ok) throw new Error(result.findings.map(formatFinding).join("; "));
  return result.root;
}

function messages(text: string): readonly string[] {
  const result = readYaml(text, "f.yaml");
  return result.ok ? [] : result.findings.map(formatFinding);
}

describe("readYaml", () => {
  test("gives plain values", () => {
    const text = "a: 1\nb: [x, 'y z', true, null, 1.5, ~]\nc: { d: |\n  two\n  lines\n }\n";
    expect(
      yamlValue(root(text.replace("{ d: |\n  two\n  lines\n }", "\n  d: |\n    two\n    lines"))),
    ).toEqual({
      a: 1,
      b: ["x", "y z", true, null, 1.5, null],
      c: { d: "two\nlines\n" },
    });
    expect(yamlValue(root("on: yes\nday: 2026-01-31\nnumber: 0o17"))).toEqual({
      on: "yes",
      day: "2026-01-31",
      number: 15,
    });
    expect(yamlValue(root("\uFEFFa: 1\r\nb: 2\r\n"))).toEqual({ a: 1, b: 2 });
  });

  test("says where texts begin when they stand there letter for letter", () => {
    const node = root("a: plain\nb: 'quoted'\nc: \"esc\\taped\"\nd: >-\n  folded\n  text\n");
    const entries = node.kind === "map" ? node.entries : [];
    const places = entries.map(({ value }) => (value.kind === "scalar" ? value.textAt : undefined));
    expect(places).toEqual([{ line: 1, column: 4 }, { line: 2, column: 5 }, undefined, undefined]);
    expect(entries.map((entry) => entry.keyAt)).toEqual([1, 2, 3, 4].map((line) => ({ line, column: 1 })));
  });

  test("refuses what could hide or blow up a meaning", () => {
    expect(messages("a: &x 1")).toEqual([
      "f.yaml:1:7 a: anchors and aliases (`&`, `*`) are not supported (write the value out, or quote the text)",
    ]);
    expect(messages("&k a: 1")[0]).toMatch(/anchors and aliases/);
    expect(messages("a: 1\na: 2")).toEqual(["f.yaml:2:1 a: the key `a` is there twice (remove one of them)"]);
    expect(messages("<<: { a: 1 }")).toEqual([]);
    expect(messages("a: !!binary aGk=")[0]).toMatch(/^f\.yaml:1:13 a: the tag .*binary is not supported/);
    expect(messages("a: !!str 12\nb: !x 1").join()).toMatch(/the tag .*str is not supported|Unresolved tag/);
    expect(messages("? [a]\n: 1")[0]).toMatch(/this cannot be a key/);
    const [half] = messages('a: "x\\ud800"');
    expect(half).toMatch(/a: the text holds half a surrogate pair, which cannot be kept$/);
    expect(messages('"\\ud800": 1')[0]).toMatch(/"\\ud800" cannot be a key/);
    expect(messages("a: .nan")[0]).toMatch(/NaN cannot be used/);
  });

  test("says of a program, a picture or a text in UTF-16 that it is no text", () => {
    const told = "the file holds a NUL byte, which no text has (save the file as plain text in UTF-8)";
    expect(messages("a: 1\nb: x\0y\n")).toEqual([`f.yaml:2:5: ${told}`]);
    expect(messages(Buffer.from("version: 1", "utf16le").toString())).toEqual([`f.yaml:1:2: ${told}`]);
  });

  test("tells the same fault of the same line once", () => {
    const result = readYaml("rules:\n  - name: x\n    reason: a: b, c: d: e\n");
    expect(result.ok ? [] : result.findings).toMatchObject([
      { line: 3, message: "not valid YAML: Nested mappings are not allowed in compact mappings" },
    ]);
  });

  test("refuses a file with too many tokens", () => {
    expect(messages(`[${"a,".repeat(60_000)}]`)[0]).toMatch(/more than 100000 YAML tokens/);
  });

  test("refuses a file that is too large, nested too deep, empty, or holds more than one document", () => {
    expect(messages(`a: "${"x".repeat(262_144)}"`)).toEqual([
      "f.yaml:1:1: the file has 262149 bytes, more than 262144",
    ]);
    expect(messages("[".repeat(101))[0]).toMatch(/^f\.yaml:1:10\d: nested deeper than 100 levels$/);
    expect(["", "# nothing", "\n\n"].map(messages)).toEqual(
      Array.from({ length: 3 }, () => ["f.yaml:1:1: the file is empty"]),
    );
    expect(messages("a: 1\n---\nb: 2\n")).toEqual([
      "f.yaml:2:1: the file holds a second document (remove the line `---` and what follows)",
    ]);
  });

  test("refuses what cannot be kept exactly, and keys that are no texts, with their places", () => {
    expect(messages("a:\n  - b: [1, 9007199254740993]")).toEqual([
      "f.yaml:2:12 a[0].b[1]: the number 9007199254740992 is too large to be kept exactly (quote it to make it a text)",
    ]);
    const hint = "(keys are texts; quote numbers and true or false)";
    expect(messages("7: x")).toEqual([`f.yaml:1:1: 7 cannot be a key ${hint}`]);
    expect(messages("__proto__: x")).toEqual([`f.yaml:1:1: "__proto__" cannot be a key ${hint}`]);
    expect(messages("a: { : x }")).toEqual([`f.yaml:1:5 a: this cannot be a key ${hint}`]);
    expect(messages("b: *c")[0]).toMatch(/^f\.yaml:1:4 b: anchors and aliases/);
    expect(messages("a:\n\t- b")[0]).toMatch(/indent with spaces/);
    expect(messages("a: *")[0]).toMatch(/begins with `\*` needs quotes/);
    expect(messages('a: "x\\s"')[0]).toMatch(/between single quotes, or \/ between folders/);
    expect(messages("a: b\n c: d")[0]).toMatch(/begin the keys of one map in the same column/);
  });

  test("takes a key without a value for nothing", () => {
    expect(yamlValue(root("? a\n? b\n: 2"))).toEqual({ a: null, b: 2 });
    expect(yamlValue(root("{ a, b: }"))).toEqual({ a: null, b: null });
  });

  test("describes nodes for messages", () => {
    expect(["[]", "{}", "~", "x", "7", "true"].map((text) => describeNode(root(`a: ${text}`)))).toEqual(
      Array.from({ length: 6 }, () => "a map"),
    );
    const inner = (text: string): string => {
      const node = root(`a: ${text}`);
      return node.kind === "map" ? describeNode(node.entries[0]!.value) : "";
    };
    expect(["[]", "{}", "~", "x", "7", "true", "y".repeat(80)].map(inner)).toEqual([
      "a list", "a map", "nothing", 'the text "x"', "the number 7", "the boolean true", `the text "${"y".repeat(60)}..."`,
    ]); // prettier-ignore
    expect([joinPath("", "a"), joinPath("a[0]", "b"), joinPath("a", "b c")]).toEqual([
      "a",
      "a[0].b",
      'a["b c"]',
    ]);
  });
});

describe("readFields", () => {
  const known = ["name", "count", "flag", "mode", "tags"];

  function read(text: string): {
    readonly fields: YamlFields | undefined;
    readonly told: () => readonly string[];
  } {
    const collector = createFindingCollector();
    const fields = readFields(root(text), known, { path: "x", collector });
    return { fields, told: () => collector.findings().map(formatFinding) };
  }

  test("reads each type", () => {
    const { fields, told } = read("name: a\ncount: 3\nflag: true\nmode: on\ntags: [p, q]");
    expect(fields?.text("name")).toBe("a");
    expect(fields?.integer("count", 1, 5)).toBe(3);
    expect(fields?.boolean("flag")).toBe(true);
    expect(fields?.choice("mode", ["on", "off"])).toBe("on");
    expect(fields?.texts("tags")).toEqual(["p", "q"]);
    expect(fields?.text("absent")).toBeUndefined();
    expect(fields?.texts("absent")).toBeUndefined();
    expect(fields?.choice("absent", ["a"])).toBeUndefined();
    expect(fields?.keys()).toEqual(known);
    expect(read("tags: p").fields?.texts("tags")).toEqual(["p"]);
    expect(told()).toEqual([]);
  });

  test("reports wrong types, missing and unknown keys with their places", () => {
    const { fields, told } = read("name: 1\ncount: 9\nflag: yes\nmode: onn\ntags: [1]\ncuont: 3");
    fields?.text("name");
    fields?.integer("count", 1, 5);
    fields?.boolean("flag");
    fields?.choice("mode", ["on", "off"]);
    fields?.texts("tags");
    fields?.require("absent", "say it");
    expect(told()).toEqual([
      "line 1:1 x: the key `absent` is missing (say it)",
      "line 1:7 x.name: expected a text, found the number 1",
      "line 2:8 x.count: expected a whole number from 1 to 5, found the number 9",
      'line 3:7 x.flag: expected true or false, found the text "yes"',
      'line 4:7 x.mode: expected on, off; found the text "onn" (did you mean `on`?)',
      "line 5:7 x.tags: expected a text or a list of texts, found a list",
      "line 6:1 x.cuont: unknown key `cuont` (did you mean `count`?)",
    ]);
    const far = read("mode: maybe");
    far.fields?.choice("mode", ["on", "off"]);
    expect(far.told()).toEqual(['line 1:7 x.mode: expected on, off; found the text "maybe"']);
    const nested = read("name: [a]\nmode: { on: 1 }\ncount: {}");
    nested.fields?.text("name");
    nested.fields?.choice("mode", ["on", "off"]);
    expect(nested.fields?.require("count", "say it")).toMatchObject({ path: "x.count", at: { line: 3 } });
    expect(nested.told()).toEqual([
      "line 1:7 x.name: expected a text, found a list",
      "line 2:7 x.mode: expected on, off; found a map",
    ]);
    expect(read("- a").told()).toEqual([
      "line 1:1 x: expected a map, found a list (known here: name, count, flag, mode, tags)",
    ]);
  });
});

test("findings become details of an error, without empty members", () => {
  const finding = { severity: "error", line: 2, column: 3, path: "a", message: "bad" } as const;
  expect(toErrorDetail(finding)).toEqual({ detail: "bad", line: 2, column: 3, path: "a" });
  expect(toErrorDetail({ ...finding, file: "f", hint: "h" })).toMatchObject({ file: "f", hint: "h" });
  const collector = createFindingCollector();
  for (let index = 0; index < 60; index++) collector.warn({ line: 60 - index, column: 1 }, "", "w");
  expect(collector.hasErrors()).toBe(false);
  expect(collector.findings()).toHaveLength(51);
  expect(collector.findings().at(-1)).toMatchObject({
    severity: "warning",
    message: "10 more findings are not shown",
  });
  collector.error({ line: 1, column: 1 }, "", "e");
  expect(collector.findings().at(-1)).toMatchObject({
    severity: "error",
    message: "11 more findings are not shown",
  });
});
