import { expect, test } from "vitest";
import {
  changedFiles,
  draftOf,
  dropDraft,
  findDraft,
  isBehind,
  isChanged,
  keepDraft,
  withText,
} from "./draft.ts";

function memory(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => void kept.set(key, text),
    removeItem: (key) => void kept.delete(key),
  };
}

const policy = {
  revision: "r1",
  files: [
    { name: "policy.yaml", text: "a" },
    { name: "policy.d/x.yaml", text: "b" },
  ],
};

test("a draft is kept and found again, and is gone when dropped", () => {
  const storage = memory();
  const draft = withText(draftOf(policy), "policy.yaml", "A");
  expect(keepDraft(storage, draft)).toBe(true);
  expect(findDraft(storage)).toEqual(draft);
  dropDraft(storage);
  expect(findDraft(storage)).toBeUndefined();
});

test("what is no draft is not taken for one", () => {
  const storage = memory();
  for (const text of [
    "{",
    "null",
    '{"revision":"r"}',
    '{"revision":"r","base":[],"files":[]}',
    '{"revision":"r","base":[null],"files":[1]}',
  ]) {
    storage.setItem("homeostat.policy-draft", text);
    expect(findDraft(storage), text).toBeUndefined();
  }
});

test("a storage that refuses loses nothing but the keeping", () => {
  const refuse = (): never => {
    throw new Error("denied");
  };
  const storage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  expect(keepDraft(storage, draftOf(policy))).toBe(false);
  expect(findDraft(storage)).toBeUndefined();
  expect(() => dropDraft(storage)).not.toThrow();
});

test("a draft knows which files changed", () => {
  const draft = draftOf(policy);
  expect(isChanged(draft)).toBe(false);
  expect(changedFiles(draft.base, withText(draft, "policy.d/x.yaml", "c").files)).toEqual([
    { name: "policy.d/x.yaml", before: "b", after: "c" },
  ]);
  expect(changedFiles(policy.files, [{ name: "policy.yaml", text: "a" }])).toEqual([
    { name: "policy.d/x.yaml", before: "b", after: "" },
  ]);
});

test("a draft is behind when the policy in force is another, or only its comments are", () => {
  const draft = withText(draftOf(policy), "policy.yaml", "A");
  expect(isBehind(draft, policy)).toBe(false);
  expect(isBehind(draft, { ...policy, revision: "r2" })).toBe(true);
  expect(isBehind(draft, { revision: "r1", files: [{ name: "policy.yaml", text: "# a" }] })).toBe(true);
});
