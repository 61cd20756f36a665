import { describe, expect, test } from "vitest";
import { knownNumbers, unknownNumbers } from "./shell-numbers.fixture.ts";
import { parseShell } from "./shell.ts";

/** Whether something runs that cannot be known from the text. */
function hasUnknown(text: string): boolean {
  const result = parseShell(text);
  if (result.kind === "unparsable") throw new Error(result.reason);
  return result.commands.some(({ argv }) => argv.length === 1 && argv[0] === null);
}

describe("a number", () => {
  test.each(unknownNumbers)("in %j may be anything", (text) => expect(hasUnknown(text)).toBe(true));

  // The last is asked about for its sudo, not for its number.
  test.each([...knownNumbers, "sudo x=5 ls; ((x))"])("in %j is one", (text) =>
    expect(hasUnknown(text)).toBe(false),
  );
});
