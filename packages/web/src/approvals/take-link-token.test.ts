import { expect, test } from "vitest";
import { takeLinkToken } from "./take-link-token.ts";

test("the token leaves the address bar", () => {
  const seen: string[] = [];
  const history = { replaceState: (_data: unknown, _unused: string, url: string) => void seen.push(url) };
  expect(takeLinkToken({ hash: "#hsl_abc", pathname: "/answer", search: "" }, history)).toBe("hsl_abc");
  expect(seen).toEqual(["/answer"]);
});

test("an address without token stays as it is", () => {
  const history = { replaceState: () => expect.unreachable() };
  expect(takeLinkToken({ hash: "", pathname: "/answer", search: "" }, history)).toBeNull();
});
