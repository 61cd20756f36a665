import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHookSecret, sign, signatureProblem, toleranceMs } from "./hook-signature.ts";

const nowMs = 1_700_000_000_000;
const timestamp = "1700000000";
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const body = Buffer.from('{"test": 2432232314}');

describe("a signed webhook", () => {
  test("is the specification's own example", () => {
    const example = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body };
    const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    expect(sign(example, secret)).toBe(signature);
    expect(signatureProblem({ ...example, signature }, secret, 1_614_265_330_000)).toBeUndefined();
  });

  test("is taken with the right secret, also beside signatures of others", () => {
    const signature = `v1,AAAA v2,x ${sign({ id: "m1", timestamp, body }, secret)}`;
    expect(signatureProblem({ id: "m1", timestamp, signature, body }, secret, nowMs)).toBeUndefined();
  });

  test("is refused when anything about it changed", () => {
    const signed = { id: "m1", timestamp, body, signature: sign({ id: "m1", timestamp, body }, secret) };
    const problem = (change: object, key = secret): string | undefined =>
      signatureProblem({ ...signed, ...change }, key, nowMs);
    expect(problem({})).toBeUndefined();
    expect(problem({ id: "m2" })).toBe("no signature fits");
    expect(problem({ body: Buffer.from("{}") })).toBe("no signature fits");
    expect(problem({ timestamp: "1700000001" })).toBe("no signature fits");
    expect(problem({}, createHookSecret(randomBytes))).toBe("no signature fits");
    expect(problem({ signature: undefined })).toMatch(/missing/);
    expect(problem({ timestamp: "now" })).toMatch(/no time/);
  });

  test("is refused when it is older or newer than the tolerance", () => {
    fc.assert(
      fc.property(fc.integer({ min: -2 * toleranceMs, max: 2 * toleranceMs }), (offMs) => {
        const sentAt = String(Math.floor((nowMs + offMs) / 1000));
        const signature = sign({ id: "m", timestamp: sentAt, body }, secret);
        const problem = signatureProblem({ id: "m", timestamp: sentAt, signature, body }, secret, nowMs);
        const isFresh = Math.abs(nowMs - Number(sentAt) * 1000) <= toleranceMs;
        expect(problem === undefined).toBe(isFresh);
      }),
    );
  });
});
