import { expect, test } from "vitest";
import { readSignalData, signalTemplate } from "./signal-data.ts";

test("a form begins with what the workflow needs", () => {
  const member = { description: null };
  expect(
    JSON.parse(
      signalTemplate([
        { ...member, name: "amount", type: "number", isNeeded: true },
        { ...member, name: "note", type: "string", isNeeded: false },
      ]),
    ),
  ).toEqual({ amount: 0 });
  expect(signalTemplate(null)).toBe("null");
});

test("nothing means null, and what is no JSON is told", () => {
  expect(readSignalData("  ")).toEqual({ kind: "value", value: null });
  expect(readSignalData('{"a":1}')).toEqual({ kind: "value", value: { a: 1 } });
  expect(readSignalData("{a").kind).toBe("broken");
});
