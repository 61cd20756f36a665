import { expect, test } from "vitest";
import { z } from "zod";
import { isHomeostatError } from "../../base/error.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { checkEdits } from "./check-edits.ts";

const args = z.strictObject({ amount: z.number().max(10), to: z.string().optional() });
const tools = new Map([["test.pay", { name: "test.pay", args } as unknown as AnyTool]]);
const check = checkEdits(tools, { holdsSecret: (text) => text.includes("hunter2hunter2") });

function codeOf(action: string, edited: Parameters<typeof check>[1]): string {
  try {
    check(action, edited);
    return "none";
  } catch (error) {
    return isHomeostatError(error) ? error.code : String(error);
  }
}

test("edited arguments must be some that the tool takes, and hold no secret", () => {
  expect(codeOf("test.pay", { amount: 5 })).toBe("none");
  expect(codeOf("test.pay", { amount: 50 })).toBe("ACTION_INVALID");
  expect(codeOf("test.pay", { amount: 5, else: 1 })).toBe("ACTION_INVALID");
  expect(codeOf("test.gone", { amount: 5 })).toBe("ACTION_UNKNOWN");
  expect(codeOf("test.pay", { amount: 5, to: "hunter2hunter2" })).toBe("REQUEST_INVALID");
});
