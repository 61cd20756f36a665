import { expect, test } from "vitest";
import { matchKey, type Bindings } from "./keys.ts";

const none = (): void => undefined;
const bindings: Bindings = { j: none, "g r": none, "g a": none, a: none };

test("a single key matches at once", () => {
  expect(matchKey(bindings, null, "j", 0)).toEqual({ match: "j", state: null });
  expect(matchKey(bindings, null, "x", 0)).toEqual({ match: null, state: null });
});

test("a sequence matches within a second and its second key does not act alone", () => {
  const { state } = matchKey(bindings, null, "g", 100);
  expect(matchKey(bindings, state, "a", 900)).toEqual({ match: "g a", state: null });
  expect(matchKey(bindings, state, "a", 2_000)).toEqual({ match: "a", state: null });
});

test("a key after an abandoned sequence still counts", () => {
  const { state } = matchKey(bindings, null, "g", 0);
  expect(matchKey(bindings, state, "j", 10)).toEqual({ match: "j", state: null });
});

test("names of Object.prototype are no shortcuts", () => {
  expect(matchKey(bindings, null, "constructor", 0).match).toBeNull();
});
