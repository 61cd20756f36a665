import { expect, test } from "vitest";
import { commit, digestJson, equalSecrets, sha256 } from "./digest.ts";

test("sha256 gives the value of FIPS 180-4 for abc, from text and from bytes", () => {
  const wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256("abc")).toBe(wanted);
  expect(sha256(Buffer.from("abc"))).toBe(wanted);
});

test("digestJson does not depend on the order of members", () => {
  expect(digestJson({ a: 1, b: [2] })).toBe(digestJson({ b: [2], a: 1 }));
  expect(digestJson({ a: 1 })).toBe(sha256('{"a":1}'));
});

test("a commitment depends on the salt as well as on the body", () => {
  expect(commit("00", "body")).toBe(sha256("00:body"));
  expect(commit("00", "body")).not.toBe(commit("01", "body"));
});

test("equalSecrets compares texts of any length", () => {
  expect(equalSecrets("token", "token")).toBe(true);
  expect(equalSecrets("token", "tokem")).toBe(false);
  expect(equalSecrets("token", "token and more")).toBe(false);
  expect(equalSecrets("", "")).toBe(true);
});
