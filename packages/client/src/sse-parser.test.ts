import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseParser } from "./sse-parser.ts";

describe("server-sent events", () => {
  test("the fields mean what the standard says", () => {
    const parser = createSseParser();
    const events = parser.push(
      "\uFEFFretry: 1500\n: a comment\nid: 7\nevent: run\ndata: a\ndata: b\n\nid\ndata:x\r\nunknown: y\r\r\ndata\n\nevent: nothing\n\nid: bad\0\ndata:  two\n\n",
    );
    expect(events).toEqual([
      { id: "7", event: "run", data: "a\nb" },
      { id: "", event: "message", data: "x" },
      { id: "", event: "message", data: "" },
      { id: "", event: "message", data: " two" },
    ]);
    expect(parser.retryMs()).toBe(1500);
  });

  test("it does not matter where the text is cut", () => {
    const field = fc.constantFrom("id: 1", "data: x", "data: y", "event: e", ": c", "retry: 10", "");
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const lines = fc.array(fc.tuple(field, end), { maxLength: 30 });
    fc.assert(
      fc.property(lines, fc.array(fc.nat(200), { maxLength: 12 }), (parts, cuts) => {
        // A closing comment, so that no line end is left half read.
        const text = parts.map((part) => part.join("")).join("") + ":\n";
        const whole = createSseParser().push(text);
        const parser = createSseParser();
        const edges = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
        expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(whole);
      }),
    );
  });
});
