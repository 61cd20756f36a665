import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostName, isLoopbackName, requireKnownHost } from "./request-checks.ts";

const nobody = { allowedHosts: new Set<string>(), publicOrigins: new Set<string>() };

describe("the Host check", () => {
  test("names are read without port, case and trailing dot", () => {
    expect(["LocalHost:80", "[::1]:7717", "a.b.", "127.0.0.1"].map(hostName)).toEqual([
      "localhost",
      "[::1]",
      "a.b",
      "127.0.0.1",
    ]);
    expect(["", "a:b", "a b", "a@b", "a/b", "[::1", "a:123456"].map(hostName)).toEqual(
      Array(7).fill(undefined),
    );
  });

  test("only names that mean this machine pass without being listed", () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.webAuthority()), (host) => {
        const name = hostName(host);
        const isOurs = name !== undefined && isLoopbackName(name);
        const check = (): void => requireKnownHost(host, nobody);
        if (isOurs) expect(host.toLowerCase()).toMatch(/^(localhost|127\.|\[::1\])/);
        else expect(check).toThrow(expect.objectContaining({ code: "REQUEST_FORBIDDEN" }) as Error);
      }),
    );
  });
});
