import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findAddressProblem, isPublicAddress } from "./http-address.ts";
import { isAllowedHost, parseUrl, resourceOfUrl } from "./http-hosts.ts";
import { createOwnListenerCheck } from "./own-listeners.ts";

const nothingAllowed = { allowPrivate: [], isOwnListener: () => false };

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "169.254.169.254",
  "172.31.255.255",
  "192.168.1.1",
  "198.19.0.1",
  "203.0.113.5",
  "224.0.0.1",
  "255.255.255.255",
  "168.63.129.16",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "fe80::1",
  "fe80::1%eth0",
  "fc00::1",
  "fd00:ec2::254",
  "ff02::1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "not an address",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450:4001::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("no address of a private network is public, whichever it is", () => {
  fc.assert(
    fc.property(fc.constantFrom("10", "127", "192.168", "169.254"), fc.ipV4(), (prefix, tail) => {
      const parts = [...prefix.split("."), ...tail.split(".")].slice(0, 4);
      expect(isPublicAddress(parts.join("."))).toBe(false);
    }),
  );
});

test("a private address opens only with its own port, and our own listeners not even then", () => {
  const rules = { ...nothingAllowed, allowPrivate: ["127.0.0.1:1234", "[0:0::1]:80"] };
  expect(findAddressProblem({ address: "127.0.0.1", port: 1234 }, rules)).toBeUndefined();
  expect(findAddressProblem({ address: "127.0.0.1", port: 1235 }, rules)).toMatch(/private/);
  expect(findAddressProblem({ address: "::1", port: 80 }, rules)).toBeUndefined();
  expect(findAddressProblem({ address: "10.0.0.1", port: 1234 }, rules)).toMatch(/private/);
  const own = { ...rules, isOwnListener: createOwnListenerCheck(() => [1234]) };
  expect(findAddressProblem({ address: "127.0.0.1", port: 1234 }, own)).toMatch(/own listener/);
});

test("own listeners are known by every address of this machine", () => {
  const isOwn = createOwnListenerCheck(() => [7717]);
  for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"]) {
    expect(isOwn({ address, port: 7717 })).toBe(true);
    expect(isOwn({ address, port: 7718 })).toBe(false);
  }
  expect(isOwn({ address: "1.1.1.1", port: 7717 })).toBe(false);
});

describe("the allow-list", () => {
  const allows = (entry: string, url: string): boolean => isAllowedHost(parseUrl(url), [entry]);

  test("names exact hosts on the standard ports, or the port it says", () => {
    expect(allows("example.org", "https://EXAMPLE.org/x")).toBe(true);
    expect(allows("Example.ORG", "http://example.org./x")).toBe(true);
    expect(allows("example.org", "https://example.org:8443/")).toBe(false);
    expect(allows("example.org:8443", "https://example.org:8443/")).toBe(true);
    expect(allows("example.org:8443", "https://example.org/")).toBe(false);
    expect(allows("example.org", "https://badexample.org/")).toBe(false);
    expect(allows("example.org", "https://example.org.evil.net/")).toBe(false);
  });

  test("a star stands for names below, or for everything", () => {
    expect(allows("*.example.org", "https://a.b.example.org/")).toBe(true);
    expect(allows("*.example.org", "https://example.org/")).toBe(false);
    expect(allows("*.example.org", "https://badexample.org/")).toBe(false);
    expect(allows("*", "https://any.net:1/")).toBe(true);
  });

  test("literals have one spelling", () => {
    expect(allows("127.0.0.1:80", "http://0x7f.1/")).toBe(true);
    expect(allows("[::1]:8080", "http://[0:0::1]:8080/")).toBe(true);
    expect(allows("[::1]", "http://[::1]/")).toBe(true);
  });
});

test("the resource has a lower-case host, an explicit port and no query", () => {
  expect(resourceOfUrl(parseUrl("HTTPS://Example.org./a/b?token=1#frag"))).toBe(
    "https://example.org:443/a/b",
  );
  expect(resourceOfUrl(parseUrl("http://[::1]:81"))).toBe("http://[::1]:81/");
  const spelled = (path: string): string => parseUrl(`http://a.example${path}`).pathname;
  expect(spelled("/%61%44min/%2e%2E/x%7ey%2fz%c3%a9")).toBe("/x~y%2Fz%C3%A9");
});

test("a URL without a host is refused without a hole in the sentence", () => {
  expect(() => parseUrl("file:///etc/passwd")).toThrow("The URL is not taken: file: is not http or https");
  expect(() => parseUrl("ftp://example.org/")).toThrow("The URL of example.org is not taken");
});

test.each([
  "ftp://example.org/",
  "file:///etc/passwd",
  "//example.org",
  "example.org",
  "http://",
  "http://u:p@h/",
])("%s is not taken as a URL", (text) => {
  expect(() => parseUrl(text)).toThrow(expect.objectContaining({ code: "ACTION_INVALID" }) as Error);
});
