import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDisguiseSearch, disguisesOf, shortestDisguised } from "./disguise.ts";
import { createExposures } from "./exposure.ts";
import { createNeedleSearch } from "./needle-search.ts";

const value = "Zk9vQ2-pL8xR_4tWmN7yB";

/** Whether the value is found in the texts, which stand for the strings of one action. */
function isFound(secret: string, ...texts: readonly string[]): boolean {
  return createExposures([{ tenant: "default", name: "s", value: secret }]).find([...texts]).length > 0;
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(
    /.{1,5}/g,
    (each) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(each.padEnd(5, "0"), 2)]!,
  );
}

const encode: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  reversed: (text) => [...text].toReversed().join(""),
  base64: (text) => Buffer.from(text).toString("base64"),
  "base64 for addresses": (text) => Buffer.from(text).toString("base64url"),
  "base64 in lines": (text) => Buffer.from(text).toString("base64").replace(/.{10}/g, "$&\r\n"),
  "base64 of UTF-16": (text) => Buffer.from(text, "utf16le").toString("base64"),
  base32: (text) => base32(Buffer.from(text)),
  "base32 in small letters": (text) => base32(Buffer.from(text)).toLowerCase(),
  "percent, every byte": (text) => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&"),
  "percent, every other byte": (text) =>
    [...text].map((sign, at) => (at % 2 === 0 ? sign : `%${sign.charCodeAt(0).toString(16)}`)).join(""),
  hex: (text) => Buffer.from(text).toString("hex"),
  "hex in capitals with blanks": (text) => Buffer.from(text).toString("hex").toUpperCase().replaceAll(/../g, "$& "),
  "hex with colons": (text) => Buffer.from(text).toString("hex").replaceAll(/..(?!$)/g, "$&:"),
  "hex with \\x": (text) => Buffer.from(text).toString("hex").replaceAll(/../g, "\\x$&"),
  "hex with 0x": (text) => Buffer.from(text).toString("hex").replaceAll(/../g, "0x$&, "),
  "JSON escapes": (text) => [...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  "JSON escapes of some": (text) => text.replaceAll(/[aeiouAEIOU0-9]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
  "JavaScript escapes": (text) => [...text].map((sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`).join(""),
  "octal escapes": (text) => [...text].map((sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`).join(""),
  "HTML numbers": (text) => [...text].map((sign) => `&#${sign.charCodeAt(0)};`).join(""),
  "HTML hex numbers of some": (text) => text.replaceAll(/[0-9]/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`),
  "a list of numbers": (text) => JSON.stringify([...Buffer.from(text)]),
  "blanks between": (text) => [...text].join(" "),
  "lines of four": (text) => text.replaceAll(/.{4}/g, "$&\n"),
  "hyphens between": (text) => text.replaceAll(/.{3}/g, "$&-"),
  "escaped invisible signs between": (text) => [...text].join("%E2%80%8B"),
  "invisible signs between": (text) => [...text].join("\u200b"),
}; // prettier-ignore

describe("a value that goes out in another form", () => {
  test.each(Object.keys(encode).map((name) => [name]))(
    "%s is found, alone and inside something longer",
    (name) => {
      expect(isFound(value, encode[name]!(value))).toBe(true);
      for (const before of ["", "k", "ke", "key", "key=", "key=\n"]) {
        expect([before, isFound(value, `<${encode[name]!(`${before}${value}tail of it`)}>`)]).toEqual([
          before,
          true,
        ]);
      }
    },
  );

  const secret = fc.stringMatching(/^[A-Za-z0-9]{14,40}$/);
  test("whatever the value", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...Object.keys(encode)), (text, name) => {
        expect([name, isFound(text, encode[name]!(text))]).toEqual([name, true]);
      }),
      { numRuns: 500 },
    );
  });

  test("in two parts of one action, in any order and anywhere in them", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9]{16,40}$/),
        fc.nat(),
        fc.boolean(),
        fc.lorem({ maxCount: 5 }),
        (text, at, isTurned, other) => {
          const cut = 4 + (at % (text.length - 7));
          const parts = [`a=${text.slice(0, cut)} and`, `or ${text.slice(cut)}!`];
          expect(isFound(text, ...(isTurned ? parts.toReversed() : parts), other)).toBe(true);
          expect(createExposures([{ tenant: "t", name: "s", value: text }]).find({ a: parts[0]!, b: [other, parts[1]!] })).toHaveLength(1);
        },
      ),
      { numRuns: 300 },
    ); // prettier-ignore
  });

  test("half of it is not it, nor is its beginning twice", () => {
    const text = "abcdefghijklmnopqrstuvwx";
    expect(isFound(text, text.slice(0, 12), text.slice(0, 12))).toBe(false);
    expect(isFound(text, text.slice(0, 14), "xyz")).toBe(false);
    expect(isFound(text, text.slice(3), text.slice(0, 3))).toBe(false);
    expect(isFound(text, text.slice(-12), "x")).toBe(false);
    expect(isFound(text, `${text.slice(0, -1)}y`)).toBe(false);
  });
});

describe("what is short or ordinary", () => {
  test("a value of fewer than twelve letters and digits is found as it is and encoded, and not between other signs", () => {
    expect(isFound("hunter2-abc", "my hunter2-abc")).toBe(true);
    expect(isFound("hunter2-abc", Buffer.from("hunter2-abc").toString("hex").replaceAll(/../g, "$& "))).toBe(
      true,
    );
    expect(isFound("hunter2-abc", "hunter 2 abc")).toBe(false);
    expect(isFound("hunter2-abc", "cba-2retnuh")).toBe(true);
    for (const form of disguisesOf("12345678")) expect(form.length).toBeGreaterThanOrEqual(shortestDisguised);
  });

  test("capitals count, so that words are not values", () => {
    expect(isFound("ProductionServer", "the production server")).toBe(false);
  });

  test("ordinary text, numbers and dumps hold none of a hundred values", () => {
    const values = Array.from({ length: 100 }, (_, at) => `tok_${(at * 7_919_777_777_771).toString(36)}_${at}9f8e7d6c`);
    const exposures = createExposures(values.map((each, at) => ({ tenant: "default", name: `s${at}`, value: each })));
    const lines = Array.from({ length: 20_000 }, (_, at) => `${at} tok_ ${(at * 31) % 997}: 9f8e7d ${at.toString(16)} %20 &amp; \\u0041`);
    expect(exposures.find(lines)).toEqual([]);
    expect(exposures.find([...lines, values[42]!])).toEqual([{ tenant: "default", name: "s42", value: values[42] }]);
  }); // prettier-ignore
});

describe("needles", () => {
  test("are found in one pass exactly where a search for each one finds them", () => {
    const letter = fc.constantFrom("a", "b", "c");
    const needle = fc.array(letter, { minLength: 8, maxLength: 12 }).map((all) => all.join(""));
    const text = fc.array(fc.constantFrom("a", "b", "c", " ", "é"), { maxLength: 300 }).map((all) => all.join(""));
    fc.assert(
      fc.property(fc.uniqueArray(needle, { maxLength: 5 }), fc.array(text, { maxLength: 3 }), (needles, texts) => {
        const stripped = texts.join("").replace(/[^a-c]/g, "");
        const found = createNeedleSearch(needles)(texts);
        expect(found.stripped()).toBe(stripped);
        expect([...found.needles].sort()).toEqual(needles.filter((each) => stripped.includes(each)).sort());
      }),
      { numRuns: 1_000 },
    );
  }); // prettier-ignore

  test("longer ones are told by their middle, for keys begin alike", () => {
    const key = (body: string): string =>
      `${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2)}${body}${"A".repeat(64)}`;
    const [one, two] = [key("x".repeat(60)), key("y".repeat(60))];
    expect(createDisguiseSearch([one!])([two!]).size).toBe(0);
    expect(createDisguiseSearch([one!])([one!]).size).toBe(1);
  });

  test.each([
    ["a", "a".repeat(40)],
    ["ab", `${"ab".repeat(20)}c`],
    ["%61", "a".repeat(40)],
    ["\\u0061 ", `${"a".repeat(40)}b`],
    ["&#97;", "aaaaaaaaaaaaaaaab"],
    ["aaaaaaaab", "aaaaaaaabaaaaaaaac"],
  ])("1 MB of %j takes at most a second of CPU", (part, secret) => {
    const exposures = createExposures([{ tenant: "default", name: "s", value: secret }]);
    const text = part.repeat(1_048_576 / part.length);
    const before = process.cpuUsage();
    exposures.find([text]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });
});
