/** The edges of what is found: texts that were cut off, values that only look like a secret, and rare kinds of values. */
import { describe, expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const redactor = createRedactor();

/** Parts are joined at run time so that no scanner of repositories takes the made-up tokens for real ones. */
const join = (...parts: readonly string[]): string => parts.join("");

describe("text", () => {
  test.each([
    ["caf\\u00e9alice@example.com", "caf\\u00e9[EMAIL_REDACTED]"],
    ["to bob@example.xn--p1ai now", "to [EMAIL_REDACTED] now"],
    ["jcb 213100000000019?", "jcb [CARD_REDACTED]?"],
    ["the key is -----BEGIN RSA PRIVATE KEY", "the key is [PRIVATE_KEY_REDACTED]"],
    [join("-----BEGIN ", "PRIVATE KEY-----\nMIIabc\n-----END PRIV"), "[PRIVATE_KEY_REDACTED]"],
    ['password="$hunter~2"', 'password="[PASSWORD_REDACTED]"'],
    ["token%3Aabcdef123", "token%3A[TOKEN_REDACTED]"],
    ["\\u001b[31mpassword=hunter2", "\\u001b[31mpassword=[PASSWORD_REDACTED]"],
    [join("C:\\npm", "_abcdefghijklmnopqrstuvwxyz0123456789"), "C:\\[TOKEN_REDACTED]"],
    [`token=${"ab1".repeat(30)} x`, "token=[TOKEN_REDACTED] x"],
    ["password=hunter2\\nnext", "password=[PASSWORD_REDACTED]\\nnext"],
    ["password=hunter2\\rnext", "password=[PASSWORD_REDACTED]\\rnext"],
    ["password=hunter2\\tnext", "password=[PASSWORD_REDACTED]\\tnext"],
    ['password=hunter2\\" next', 'password=[PASSWORD_REDACTED]\\" next'],
    ["password=hun)ter2 x", "password=[PASSWORD_REDACTED] x"],
    ["password=hun,user=bob", "password=[PASSWORD_REDACTED],user=bob"],
    ["password=hun,user:bob", "password=[PASSWORD_REDACTED],user:bob"],
    ["\u2014bob@example.com and \u3001bob@example.com", "\u2014[EMAIL_REDACTED] and \u3001[EMAIL_REDACTED]"],
    ["https://bob%40example.com@host", "https://[EMAIL_REDACTED]@host"],
    ["say Basic dXNlcjpwYXNz", "say Basic [TOKEN_REDACTED]"],
    ['password="<hunter2"', 'password="[PASSWORD_REDACTED]"'],
    ["password=>hunter2", "password=>[PASSWORD_REDACTED]"],
    ['password="hunter2 and\nnext line', 'password="[PASSWORD_REDACTED] and\nnext line'],
    ['{\\"password\\":\\"hunter2"', '{\\"password\\":\\"[PASSWORD_REDACTED]"'],
    [`{"line":"password='hunter2","x":1}`, `{"line":"password='[PASSWORD_REDACTED]","x":1}`],
    [join("glpat", "-abcdef.ghijkl.0123456789"), "[TOKEN_REDACTED]"],
    [join("https://hooks.slack", ".com/services/T0000/B0000/abcdefghij"), "https://[TOKEN_REDACTED]"],
    [join("sntrys", "_abcdefghij+klmnop/qrstuv=_0123456789"), "[TOKEN_REDACTED]"],
  ])("redacts %j", (before, after) => {
    expect(redactor.text(before)).toBe(after);
  });

  test.each([
    '""@example.org',
    'alice"@example.org',
    '"a,b"@example.org',
    "bob@example.xn--",
    "uuid 123e4567-e89b-12d3-a456-501800001239",
    "token: read1(file)x",
    "123456789:AAshort",
    "http://host:80a/b c@d",
    "100%zz and 100%4z",
    "[CARD_REDACTED].4111111111111111",
    "AKIAIOSFODNN7EXAMPLEX",
    "eyJhbGciOiJ.x eyJhbGciOiJIUzI1NiJ9 alone",
    "eyJhbGci-eyJhbGciOiJIUzI1NiJ9.short",
    "hold-sk-abcdefghijklmnop0123456789",
    "Basic authentication, Bearer of-good-news-to-everybody",
    '{"message":"password="}',
    "Cookie: prose about biscuits",
    "https://abcdefghijklmnopqrstuvwxyz@host/",
    'password="<your password>"',
    "password=$MAIL_PASSWORD_2",
    'password="{{ vault.password }}"',
    "<password>{{vault}}",
    'password="$(pwgen)" secret=$(pwgen)',
    "\u001bM and \u001b] are no colours",
  ])("leaves %j alone", (text) => {
    expect(redactor.text(text)).toBe(text);
  });

  test("the longer of two findings that overlap gives the mark, also when it begins later", () => {
    const own = createRedactor({ secrets: ["to alice"] });
    expect(own.text("to alice.of.the.wood@example.com")).toBe("[EMAIL_REDACTED]");
  });

  test.each([
    ...["4222222222222", "4111111111111111", "378282246310005", "5555555555554444", "2223003122003222"],
    ...["2200000000000004", "180000000000010", "3530111333300000", "36227206271667", "6011000990139424"],
    ...["6445644564456445", "6500000000000002", "6200000000000005", "5018000000000009"],
  ])("the card number %s is one by its issuer, its length and its check digit", (number) => {
    expect(redactor.text(`paid with ${number}.`)).toBe("paid with [CARD_REDACTED].");
    const wrong = `${number.slice(0, -1)}${(Number(number.at(-1)) + 1) % 10}`;
    expect(redactor.text(`paid with ${wrong}.`)).toBe(`paid with ${wrong}.`);
  });

  test("a registered secret that is a part of a mark is not looked for inside marks", () => {
    const own = createRedactor({ secrets: ["REDACTED"] });
    expect(own.text("to bob@example.com: REDACTED")).toBe("to [EMAIL_REDACTED]: [TOKEN_REDACTED]");
  });

  test("a registered secret that cannot be written in a URL is looked for as it is", () => {
    const own = createRedactor({ secrets: ["half\ud800pair"] });
    expect(own.text("x half\ud800pair y")).toBe("x [TOKEN_REDACTED] y");
  });
});

test("JSON in which a text ends behind a quoted name stays JSON, and what follows is no value of that name", () => {
  const line = JSON.stringify({ texts: ['"password": ', "next"], after: 'x "token":' });
  expect(redactor.text(line)).toBe(line);
  const nested = JSON.stringify({ body: JSON.stringify({ password: "hunter2" }) });
  expect(JSON.parse(redactor.text(nested))).toEqual({ body: '{"password":"[PASSWORD_REDACTED]"}' });
});

describe("value", () => {
  test("rare kinds of values become plain data as well", () => {
    expect(
      redactor.value({
        ...{ yes: true, nothing: undefined, mark: Symbol("x"), bytes: new ArrayBuffer(4) },
        ...{
          pattern: /x/u,
          later: Promise.resolve(1),
          broken: new Error("plain"),
          never: new Date(Number.NaN),
        },
      }),
    ).toMatchObject({
      ...{ yes: true, nothing: undefined, mark: "[SYMBOL]", bytes: "[BINARY 4 bytes]" },
      ...{ pattern: "[RegExp]", later: "[Promise]", broken: { message: "plain" }, never: null },
    });
    expect(redactor.value(new Error("plain"))).not.toHaveProperty("cause");
  });

  test("bounds the members of objects as it bounds the items of lists", () => {
    const small = createRedactor({ maxNodes: 2 });
    expect(small.value({ a: 1, b: 2, c: 3 })).toEqual({ a: 1, b: 2, "[TOO_LARGE]": true });
  });

  test("a name announces the value beside it in small objects alone: a large one is no pair", () => {
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`m${index}`, index]));
    expect(redactor.value({ name: "DB_PASSWORD", value: "x" })).toMatchObject({
      value: "[PASSWORD_REDACTED]",
    });
    expect(redactor.value({ name: "DB_PASSWORD", value: "x", ...many })).toMatchObject({ value: "x" });
  });

  test("below a sensitive name, what holds no secret stays readable", () => {
    expect(redactor.value({ secrets: { a: "null", b: "x", c: "secret://mail" } })).toEqual({
      secrets: { a: "null", b: "[KEY_REDACTED]", c: "secret://mail" },
    });
  });
});

test("a quote of another kind before a bracket or comma closes the text around the name", () => {
  for (const texts of [["password': "], ["password': ", "x"], ['"password`: ']]) {
    const line = JSON.stringify({ texts });
    expect(JSON.parse(createRedactor().text(line))).toEqual({ texts });
  }
  expect(createRedactor().text(`{'password': "hunter-2-secret"}`)).not.toContain("hunter");
  expect(createRedactor().text(`{'password': " hunter-2-secret"}`)).not.toContain("hunter");
});

test("the longest local part of an address does not begin within an escape of JSON", () => {
  for (let length = 56; length <= 66; length += 1) {
    const line = JSON.stringify([
      `\u0000${"k".repeat(length)}@example.org`,
      `\n${"k".repeat(length)}@example.org`,
    ]);
    const redacted = createRedactor().text(line);
    expect(() => JSON.parse(redacted) as unknown).not.toThrow();
    expect(redacted).not.toContain("@example.org");
  }
});
