import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64, largeTextBytes, partLargeTexts, putBackOutside } from "./large-texts.ts";
import { parseJsonBody } from "./json-body.ts";

const key = "a";
const nonce = "0123456789abcdef".repeat(2);
const large = (seed: number): string => Buffer.alloc(largeTextBytes, seed).toString("base64");

/** The body as its reader sees it, with every text back in its place. */
function read(text: string): { readonly value: unknown; readonly count: number } {
  const { json, texts } = partLargeTexts(Buffer.from(text), { key, nonce });
  const value = parseJsonBody(json);
  putBackOutside("", value, texts);
  return { value, count: texts.size };
}

test("any document means the same, whatever was left out of it", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
    fc.constantFrom('a"b', "\\", '\\"', "", ":", large(1)),
  );
  const leaf = fc.oneof(texts, fc.integer(), fc.boolean(), fc.constant(null));
  const document = fc.array(fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.constantFrom("a", "b"), leaf)));
  fc.assert(
    fc.property(document, fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(read(text).value).toEqual(JSON.parse(text));
    }),
    { numRuns: 200 },
  );
});

test("long base64 values are left out, and come back piece by piece as what they stand for", async () => {
  const contents = [Buffer.alloc(3 * largeTextBytes + 1, 7), Buffer.alloc(largeTextBytes, 8)];
  const [first, second] = contents.map((content) => content.toString("base64"));
  const body = Buffer.from(JSON.stringify({ files: [{ a: first }, { a: second }, { a: "c2hvcnQ=" }] }));
  const { json, texts } = partLargeTexts(body, { key, nonce });
  expect(json.byteLength).toBeLessThan(300);
  const { files } = JSON.parse(Buffer.from(json).toString()) as { files: { a: string }[] };
  expect(files[2]).toEqual({ a: "c2hvcnQ=" });
  for (const [index, content] of contents.entries()) {
    const pieces: Uint8Array[] = [];
    // A piece is valid until the next one is asked for.
    for await (const piece of decodeBase64(texts.get(files[index]!.a)!)) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(pieces.length).toBeGreaterThan(1);
  }
});

test.each([
  ["a key", JSON.stringify({ [large(2)]: 1 }, null, 1).replace('": 1', '"\t \r\n: 1')],
  ["the value of another key", JSON.stringify({ b: large(2), aa: large(2) })],
  ["a value without a key", JSON.stringify({ a: [large(2)] })],
  ["a text that is no base64", JSON.stringify({ a: `${large(2)}===?` })],
  ["a text of a wrong length", JSON.stringify({ a: `${large(2)}A` })],
  ["padding in the middle", JSON.stringify({ a: `${"=".repeat(4)}${large(2)}` })],
  ["a text with an escape", JSON.stringify({ a: `${large(2)}\n` })],
  ["a short text", JSON.stringify({ a: "c2hvcnQ=" })],
])("%s stays where it is", (_, text) => {
  expect(read(text)).toMatchObject({ value: JSON.parse(text) as unknown, count: 0 });
});

test("only what the list holds keeps its names", () => {
  const value = { files: [{ a: large(4) }], inputs: { a: large(5), deep: [{ a: large(6) }] } };
  const { json, texts } = partLargeTexts(Buffer.from(JSON.stringify(value)), { key, nonce });
  const body = parseJsonBody(json) as typeof value;
  putBackOutside("files", body, texts);
  expect(body.inputs).toEqual(value.inputs);
  expect(texts.get(body.files[0]!.a)?.toString()).toBe(large(4));
});

test("spaces around the colon change nothing", () => {
  const value = { a: large(7) };
  expect(read(JSON.stringify(value).replace(":", "\r\n\t : "))).toEqual({ value, count: 1 });
});

test("a text without an end is the parser's to refuse", () => {
  expect(() => read(`{"a":"${large(2)}\\"`)).toThrow(/not valid JSON/);
});

test("a name that somebody wrote himself stands for nothing", () => {
  const written = `${nonce.replace("0", "1")}000000000000`;
  expect(read(JSON.stringify({ b: written, a: large(3) }))).toEqual({
    value: { b: written, a: large(3) },
    count: 1,
  });
});
