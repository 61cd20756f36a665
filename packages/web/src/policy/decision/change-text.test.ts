import { expect, test } from "vitest";
import { changeReasons, changeText, rulesText } from "./change-text.ts";

const passage = (length: number, score: number, ...reasons: string[]) => ({ at: 0, length, score, reasons });

test("says how much was left out or quoted, and by whose rule", () => {
  expect(changeText({ handling: "strip", passages: [passage(110, 80)] })).toBe(
    "1 passage (110 characters) left out",
  );
  expect(changeText({ handling: "quote", passages: [passage(1_200, 80), passage(1, 60)] })).toBe(
    "2 passages (1,201 characters) quoted as a stranger's words",
  );
  expect(rulesText(["pass-on"])).toBe("Changed by the rule pass-on");
  expect(rulesText(["a", "b"])).toBe("Changed by the rules a, b");
});

test("names each reason once, the worst passage's first", () => {
  const passages = [
    passage(5, 60, "commands", "hidden text"),
    passage(5, 95, "asks to set instructions aside", "commands"),
  ];
  expect(changeReasons({ passages })).toEqual(["asks to set instructions aside", "commands", "hidden text"]);
});
