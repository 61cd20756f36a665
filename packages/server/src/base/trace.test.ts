import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTrace, formatTraceparent, parseTraceparent } from "./trace.ts";

const example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

describe("parseTraceparent", () => {
  test("reads the example of the standard", () => {
    expect(parseTraceparent(example)).toEqual({
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      sampled: true,
    });
  });

  test("reads the sampled bit among other flags", () => {
    expect(parseTraceparent(`${example.slice(0, -2)}02`)?.sampled).toBe(false);
    expect(parseTraceparent(`${example.slice(0, -2)}03`)?.sampled).toBe(true);
  });

  test("reads later versions with fields appended", () => {
    expect(parseTraceparent(`01${example.slice(2)}-what-comes`)?.spanId).toBe("00f067aa0ba902b7");
  });

  test.each([
    ["no header", undefined],
    ["an empty header", ""],
    ["upper-case digits", example.toUpperCase()],
    ["the forbidden version ff", `ff${example.slice(2)}`],
    ["fields after version 00", `${example}-more`],
    ["an all-zero trace id", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["an all-zero span id", `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`],
    ["a short trace id", "00-4bf9-00f067aa0ba902b7-01"],
    ["a line break at the end", `${example}\n`],
  ])("gives nothing for %s", (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test("never throws, and reads back what formatTraceparent wrote", () => {
    fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
    fc.assert(
      fc.property(fc.boolean(), (sampled) => {
        const trace = { ...createTrace(), sampled };
        expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
      }),
    );
  });
});

describe("createTrace", () => {
  test("starts a sampled trace from the randomness handed in", () => {
    const trace = createTrace(undefined, (bytes) => Buffer.alloc(bytes, 0xab));
    expect(trace).toEqual({ traceId: "ab".repeat(16), spanId: "ab".repeat(8), sampled: true });
  });

  test("goes on with the parent's trace under a new span", () => {
    const parent = { traceId: "1".repeat(32), spanId: "2".repeat(16), sampled: false };
    expect(createTrace(parent)).toMatchObject({ traceId: parent.traceId, sampled: false });
    expect(createTrace(parent).spanId).not.toBe(parent.spanId);
  });

  test("draws again when the randomness is all zero, which means none", () => {
    let draws = 0;
    const trace = createTrace(undefined, (bytes) => Buffer.alloc(bytes, draws++ === 0 ? 0 : 1));
    expect(trace.traceId).toBe("01".repeat(16));
  });
});
