import { expect, test } from "vitest";
import { failureLabels } from "./failure-labels.ts";

const intent = { args: { workspace: true } };

test("a failure's words are the tool's, and those it may quote", () => {
  expect(failureLabels(undefined, intent)).toEqual(["tool"]);
  expect(failureLabels({}, intent)).toEqual(["tool"]);
  const tool = {
    failureLabels: ({ workspace }: typeof intent.args) => (workspace ? (["file"] as const) : []),
  };
  expect(failureLabels(tool as never, intent)).toEqual(["file", "tool"]);
});

test("of an answer that was refused the error may speak too; nothing makes it half trusted", () => {
  expect(failureLabels({}, intent, ["web", "operator", "tool"])).toEqual(["tool", "web"]);
});
