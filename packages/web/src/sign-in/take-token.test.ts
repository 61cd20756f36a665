import { expect, test } from "vitest";
import { takeTokenFromAddress } from "./take-token.ts";

function take(hash: string): { token: string | null; addresses: string[] } {
  const addresses: string[] = [];
  const token = takeTokenFromAddress(
    { hash, pathname: "/runs/1", search: "?tab=events" },
    { replaceState: (_data, _unused, url) => addresses.push(url) },
  );
  return { token, addresses };
}

test("takes the token and leaves the rest of the address", () => {
  expect(take("#token=abc%2Bd")).toEqual({ token: "abc+d", addresses: ["/runs/1?tab=events"] });
});

test("leaves an address without a token alone", () => {
  expect(take("")).toEqual({ token: null, addresses: [] });
  expect(take("#main")).toEqual({ token: null, addresses: [] });
  expect(take("#token=")).toEqual({ token: null, addresses: [] });
});
