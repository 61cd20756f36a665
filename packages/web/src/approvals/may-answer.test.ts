import { expect, test } from "vitest";
import { listOf, mayAnswer } from "./may-answer.ts";

const question = { by: ["approver"], delegates: [], fourEyes: false, requester: "ada" };
const ada = { principal: "ada", role: "approver" } as const;
const zoe = { principal: "zoe", role: "operator" } as const;
const fromAda = { id: "del_1", from: "ada", to: "zoe", createdAt: "", until: "" };

test("a role, a name, a question handed on and a delegation each let a person answer", () => {
  expect(mayAnswer(question, ada, [])).toEqual({ kind: "may" });
  expect(mayAnswer({ ...question, by: ["user:zoe"] }, zoe, [])).toEqual({ kind: "may" });
  expect(mayAnswer({ ...question, delegates: ["zoe"] }, zoe, [])).toEqual({ kind: "may" });
  expect(mayAnswer(question, zoe, [fromAda])).toEqual({ kind: "may" });
  expect(mayAnswer(question, { principal: "root", role: "admin" }, [])).toEqual({ kind: "may" });
});

test("whoever may not is told for whom it is", () => {
  expect(mayAnswer(question, zoe, [])).toEqual({
    kind: "may-not",
    why: "This is for approver. You are zoe, operator.",
  });
});

test("with four eyes who asked for the run may only say no", () => {
  expect(mayAnswer({ ...question, fourEyes: true }, ada, [])).toMatchObject({ kind: "may-reject" });
  expect(mayAnswer({ ...question, fourEyes: true, requester: "bob" }, ada, [])).toEqual({ kind: "may" });
});

test("names are listed as people say them", () => {
  expect(listOf([])).toBe("anyone signed in");
  expect(listOf(["approver", "admin", "user:ada"])).toBe("approver, admin or ada");
});
