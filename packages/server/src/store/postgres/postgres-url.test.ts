import { expect, test } from "vitest";
import { placeOf } from "./postgres-url.ts";

test.each([
  ["postgres://ada:geheim@host:5433/db?password=geheim", "ada@host:5433/db"],
  ["postgres://host/db", "host/db"],
  ["postgres://ada:geheim@/db?host=/run/postgresql&port=5433", "ada@/run/postgresql:5433/db"],
  ["postgres://host/db?user=eve", "eve@host/db"],
  ["postgres://a%64a:geheim@host/db", "ada@host/db"],
  ["postgres://%zz:geheim@host/db", "%zz@host/db"],
  ["no url with geheim in it", "(a URL that cannot be read)"],
])("of %s is shown what is no secret", (url, place) => {
  expect(placeOf(url)).toBe(place);
  expect(placeOf(url)).not.toContain("geheim");
});
