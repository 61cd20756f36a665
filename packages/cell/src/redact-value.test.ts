/** Whole values: by member name first, deep, bounded, and never throwing. */
import { describe, expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const redactor = createRedactor();

describe("value", () => {
  test("judges members by name before text", () => {
    const value = {
      password: "x",
      apiKey: "y",
      privateKey: "z",
      Authorization: "Bearer q",
      "Set-Cookie": "a=b",
      note: "x",
    };
    expect(redactor.value(value)).toEqual({
      password: "[PASSWORD_REDACTED]",
      apiKey: "[KEY_REDACTED]",
      privateKey: "[PRIVATE_KEY_REDACTED]",
      Authorization: "[TOKEN_REDACTED]",
      "Set-Cookie": "[TOKEN_REDACTED]",
      note: "x",
    });
  });

  test("masks every string below a sensitive name, and leaves counts of model tokens alone", () => {
    expect(
      redactor.value({ secrets: { a: "x", b: ["y", { c: "z" }] }, tokens: { input: 512 }, maxTokens: 4096 }),
    ).toEqual({
      secrets: { a: "[KEY_REDACTED]", b: ["[KEY_REDACTED]", { c: "[KEY_REDACTED]" }] },
      tokens: { input: 512 },
      maxTokens: 4096,
    });
  });

  test("leaves handles of secrets, also behind an authorization scheme: they hold nothing and say which secret is meant", () => {
    const handles = { authorization: "Bearer secret://token@2", password: "secret://password" };
    expect(redactor.value(handles)).toEqual(handles);
  });

  test("leaves how somebody proves who they are: it is no proof", () => {
    expect(redactor.value({ auth: "bearer", userAuth: "Signature" })).toEqual({
      auth: "bearer",
      userAuth: "Signature",
    });
    expect(redactor.value({ auth: "hunter2", password: "basic", "auth key": "basic" })).toEqual({
      auth: "[TOKEN_REDACTED]",
      password: "[PASSWORD_REDACTED]",
      "auth key": "[KEY_REDACTED]",
    });
  });

  test("the secrets to mask may come from a function, and a new list is in force at once", () => {
    let secrets = ["first-literal"];
    const learning = createRedactor({ secrets: () => secrets });
    expect(learning.text("a first-literal b second-literal")).toBe("a [TOKEN_REDACTED] b second-literal");
    secrets = ["first-literal", "second-literal"];
    expect(learning.text("a first-literal b second-literal")).toBe("a [TOKEN_REDACTED] b [TOKEN_REDACTED]");
  });

  test("masks numbers only where a number can be a password or a card", () => {
    expect(
      redactor.value({ password: 1234, card: 4111111111111111, big: 4111111111111111n, at: 1763700000000 }),
    ).toEqual({
      password: "[PASSWORD_REDACTED]",
      card: "[CARD_REDACTED]",
      big: "[CARD_REDACTED]",
      at: 1763700000000,
    });
  });

  test("knows names that stand beside their value", () => {
    expect(
      redactor.value([{ name: "DB_PASSWORD", value: "x" }, ["authorization", "y"], ["run", "--token", "z"]]),
    ).toEqual([
      { name: "DB_PASSWORD", value: "[PASSWORD_REDACTED]" },
      ["authorization", "[TOKEN_REDACTED]"],
      ["run", "--token", "[TOKEN_REDACTED]"],
    ]);
  });

  test("keeps handles of secrets readable", () => {
    expect(redactor.value({ token: "secret://mail/token@v3", password: null })).toEqual({
      token: "secret://mail/token@v3",
      password: null,
    });
  });

  test("redacts member names too, and survives one called __proto__", () => {
    const value = JSON.parse('{"alice@example.com":1,"__proto__":{"password":"x"}}') as object;
    const copy = redactor.value(value) as object;
    expect(Object.keys(copy)).toEqual(["[EMAIL_REDACTED]", "__proto__"]);
    expect(JSON.stringify(copy)).not.toContain('"x"');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test("turns maps, sets, dates, errors and bytes into plain data", () => {
    const error = new Error("for alice@example.com", { cause: "bob@example.com" });
    const copy = redactor.value({
      map: new Map([["token", "x"]]),
      set: new Set(["a@example.com"]),
      date: new Date(0),
      bytes: new Uint8Array(3),
      error,
      call: () => 1,
    });
    expect(copy).toMatchObject({
      map: { token: "[TOKEN_REDACTED]" },
      set: ["[EMAIL_REDACTED]"],
      date: "1970-01-01T00:00:00.000Z",
      bytes: "[BINARY 3 bytes]",
      error: { name: "Error", message: "for [EMAIL_REDACTED]", cause: "[EMAIL_REDACTED]" },
      call: "[FUNCTION]",
    });
    expect(JSON.stringify(copy)).not.toContain("alice");
  });

  test("does not change what it was given", () => {
    const value = Object.freeze({ password: "x", list: Object.freeze(["a@example.com"]) });
    redactor.value(value);
    expect(value).toEqual({ password: "x", list: ["a@example.com"] });
  });

  test("marks cycles, but not a value that merely appears twice", () => {
    const shared = { a: 1 };
    const value: Record<string, unknown> = { one: shared, two: shared };
    value["self"] = value;
    expect(redactor.value(value)).toEqual({ one: { a: 1 }, two: { a: 1 }, self: "[CIRCULAR]" });
  });

  test("bounds depth and size", () => {
    const small = createRedactor({ maxDepth: 2, maxNodes: 3 });
    expect(small.value({ a: { b: { c: 1 } } })).toEqual({ a: { b: "[TOO_DEEP]" } });
    expect(small.value([1, 2, 3, 4, 5])).toEqual([1, 2, 3, "[TOO_LARGE]"]);
    let deep: unknown = "alice@example.com";
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(JSON.stringify(redactor.value(deep))).toContain("[TOO_DEEP]");
  });

  test("drops a payload that cannot be looked through, and what it threw", () => {
    const thrower = {
      get secret(): string {
        throw new Error("hunter2");
      },
    };
    expect(redactor.value(thrower)).toBe("[REDACTION_FAILED]");
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(redactor.value({ a: [proxy] })).toBe("[REDACTION_FAILED]");
    expect(redactor.value({ toJSON: () => ({ password: "x" }) })).toEqual({
      password: "[PASSWORD_REDACTED]",
    });
  });
});
