import { expect, test } from "vitest";
import { duties, urlOf, urlPasswords } from "./facts.ts";

test("passwords of servers are known as they stand and decoded; short ones and URLs without are left out", () => {
  expect(
    urlPasswords({
      databaseUrl: "postgres://u:geh%2Feim1@/db?host=%2Ftmp",
      databaseReadUrl: "postgres://u:abc@replica/db",
      redisUrl: "redis://:other%zz@box:6379/0",
    }),
  ).toEqual(["geh%2Feim1", "geh/eim1", "other%zz", "other%zz"]);
  expect(
    urlPasswords({ databaseUrl: undefined, databaseReadUrl: undefined, redisUrl: "redis://box" }),
  ).toEqual([]);
});

test("each role has its duties", () => {
  expect(duties("all")).toEqual({ serves: true, drives: true });
  expect(duties("gateway")).toEqual({ serves: true, drives: false });
  expect(duties("worker")).toEqual({ serves: false, drives: true });
});

test("an IPv6 address stands in brackets", () => {
  expect(urlOf("::1", 7)).toBe("http://[::1]:7");
  expect(urlOf("box", 7)).toBe("http://box:7");
});
