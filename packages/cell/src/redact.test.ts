/** What is found, what is left alone. Keys in here are made up or the issuers' own documentation examples. */
import { describe, expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const redactor = createRedactor();

/** Parts are joined at run time so that no scanner of repositories takes the made-up tokens for real ones. */
const join = (...parts: readonly string[]): string => parts.join("");

const found: readonly (readonly [before: string, after: string])[] = [
  [
    "write to alice@example.com, or bob+x@mail.example.co.uk.",
    "write to [EMAIL_REDACTED], or [EMAIL_REDACTED].",
  ],
  ["?q=alice%40example.com&page=2", "?q=[EMAIL_REDACTED]&page=2"],
  ['"john doe"@example.org', "[EMAIL_REDACTED]"],
  ["o'brien@example.ie", "[EMAIL_REDACTED]"],
  ["sent to 'alice@example.com'", "sent to '[EMAIL_REDACTED]'"],
  ["münchen@bücher.de", "[EMAIL_REDACTED]"],
  ["first\\nalice@example.com", "first\\n[EMAIL_REDACTED]"],
  ["mail:alice@example.com-AKIA", "mail:[EMAIL_REDACTED]-AKIA"],
  ["paid with 4242 4242 4242 4242 today", "paid with [CARD_REDACTED] today"],
  ["paid with 4242-4242-4242-4242.", "paid with [CARD_REDACTED]."],
  ["amex 378282246310005, 3782 822463 10005", "amex [CARD_REDACTED], [CARD_REDACTED]"],
  ["card-4111-1111-1111-1111", "card-[CARD_REDACTED]"],
  ["4111 1111 1111 1111 5555 5555 5555 4444", "[CARD_REDACTED] [CARD_REDACTED]"],
  ["aws AKIAIOSFODNN7EXAMPLE", "aws [KEY_REDACTED]"],
  [join("ghp", "_", "abcdefghijklmnopqrstuvwxyz0123456789"), "[TOKEN_REDACTED]"],
  [join("a\\nghp", "_", "abcdefghijklmnopqrstuvwxyz0123456789"), "a\\n[TOKEN_REDACTED]"],
  [
    join("\u001b[32mghp", "_", "abcdefghijklmnopqrstuvwxyz0123456789\u001b[0m"),
    "\u001b[32m[TOKEN_REDACTED]\u001b[0m",
  ],
  [join("github", "_pat_", "11ABCDEFG0abcdefghijklmnop_qrstu"), "[TOKEN_REDACTED]"],
  [join("xox", "b-123456789012-abcdefghijkl"), "[TOKEN_REDACTED]"],
  [join("sk-", "ant-api03-abcdefghijklmnop-0123456789"), "[KEY_REDACTED]"],
  [join("sk-", "proj-abcdefghijklmnop0123456789"), "[KEY_REDACTED]"],
  [join("sk_", "live_abcdefghijklmnop012345"), "[KEY_REDACTED]"],
  [join("AIza", "SyA1234567890abcdefghijklmnopqrstuv"), "[KEY_REDACTED]"],
  [join("npm", "_abcdefghijklmnopqrstuvwxyz0123456789"), "[TOKEN_REDACTED]"],
  ["hst_0123456789abcdefABCDEF", "[TOKEN_REDACTED]"],
  [join("123456789", ":AA", "abcdefghijklmnopqrstuvwxyz1234567"), "[TOKEN_REDACTED]"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl.", "[TOKEN_REDACTED]."],
  ["Authorization: Bearer abc.def-ghi", "Authorization: Bearer [TOKEN_REDACTED]"],
  ['curl -H "Bearer 0123456789abcdefghij"', 'curl -H "Bearer [TOKEN_REDACTED]"'],
  ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic [TOKEN_REDACTED]"}'],
  ["Cookie: homeostat_session=abcdef; theme=dark\r\nHost: x", "Cookie: [TOKEN_REDACTED]\r\nHost: x"],
  ["password=hunter2 next", "password=[PASSWORD_REDACTED] next"],
  ["PASSWORD: hunter2", "PASSWORD: [PASSWORD_REDACTED]"],
  ["DB_PASSWORD='hunter two'", "DB_PASSWORD='[PASSWORD_REDACTED]'"],
  ['{"password":"a\\"b","x":1}', '{"password":"[PASSWORD_REDACTED]","x":1}'],
  ['{\\"password\\":\\"hunter2\\"}', '{\\"password\\":\\"[PASSWORD_REDACTED]\\"}'],
  ["{'api-key': b'abc'}", "{'api-key': b'[KEY_REDACTED]'}"],
  ["headers['X-Api-Key'] = 'abc'", "headers['X-Api-Key'] = '[KEY_REDACTED]'"],
  ["/?access_token=abcdef&page=2", "/?access_token=[TOKEN_REDACTED]&page=2"],
  ["http://127.0.0.1:7717/#token=abcdef123", "http://127.0.0.1:7717/#token=[TOKEN_REDACTED]"],
  ["client_secret%3Dabcdef123&x", "client_secret%3D[KEY_REDACTED]&x"],
  ["AccountKey=ab+/cd==;EndpointSuffix=x", "AccountKey=[KEY_REDACTED];EndpointSuffix=x"],
  ["run --token abc123 --verbose", "run --token [TOKEN_REDACTED] --verbose"],
  ['["--token","abc"]', '["--token","[TOKEN_REDACTED]"]'],
  ['{"auth":"bearer-0192"}', '{"auth":"[TOKEN_REDACTED]"}'],
  ['{"auth":"Bearer s3cret-of-mine"}', '{"auth":"Bearer [TOKEN_REDACTED]"}'],
  ['{"password":"bearer"}', '{"password":"[PASSWORD_REDACTED]"}'],
  ["<password>hunter2</password>", "<password>[PASSWORD_REDACTED]</password>"],
  ["postgres://user:p@ss@host/db", "postgres://user:[PASSWORD_REDACTED]@host/db"],
  ["http://u:p/w@host", "http://u:[PASSWORD_REDACTED]@host"],
  ["smtp://alice%40example.com:pw@mail", "smtp://[EMAIL_REDACTED]:[PASSWORD_REDACTED]@mail"],
  ["https://1234567890abcdef12345@github.com/x", "https://[TOKEN_REDACTED]@github.com/x"],
  [
    join("-----BEGIN RSA PRIVATE ", "KEY-----\nMIIabc\n-----END RSA PRIVATE KEY----- after"),
    "[PRIVATE_KEY_REDACTED] after",
  ],
  [join("private_key=-----BEGIN PRIVATE ", "KEY-----\nMIIEvQ"), "private_key=[PRIVATE_KEY_REDACTED]"],
  [
    join("-----BEGIN OPENSSH PRIVATE ", "KEY-----\\nb3Bl\\n-----END OPENSSH PRIVATE KEY-----"),
    "[PRIVATE_KEY_REDACTED]",
  ],
];

const leftAlone: readonly string[] = [
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "123e4567-e89b-12d3-a456-426614174000",
  "00000000-4111-1111-1111-111111111111",
  "run_0192f3b2c1d47a0e8b7c5d6e7f809a1b",
  "run_0192f3b2c1d47a0e8b7c5d6e7f809a1b/each/3/inner/1",
  "2026-01-01T00:00:00.000Z",
  "time 1763700000000 or 1763700000000123456",
  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "v24.21.0, lodash@4.17.21, x@1.2.3-rc.alpha, @homeostat/cell@0.1.0",
  "logo@2x.png and user@1000.service",
  "git@github.com:owner/repo.git",
  "ssh://git@github.com/owner/repo.git",
  "http://host:8080/path@2x.png",
  "/usr/lib/node_modules/npm/bin/npm-cli.js",
  "workspace/stale/logo-2019.png",
  "PWD=/root OLDPWD=/home/x",
  "ISBN 978-3-16-148410-0",
  "ratio 0.4111111111111111",
  "not a card: 4111111111111112",
  "tests: 12 pass: 12 pass=12",
  "max_tokens=4096 tokenCount: 123456789 tokens: 51200000",
  '{"tokens":{"input":512,"output":1024},"idempotencyKey":"a/b/1","verifierKey":"abcdef12"}',
  "password: string; token: null; secret: required",
  'password="" token=${TOKEN} secret=$SECRET api_key=<your key> password=****',
  "token: secret://mail/token@v3",
  "SyntaxError: Unexpected token: }",
  "const token = readToken()",
  "sk-loading-indicator-container-12",
  "task-skip-abcdefghijklmnop0123456789",
  "Basic authentication and Bearer authentication",
  "bearer of good news",
  '{"webhook":{"name":"pay","auth":"signature"}}',
  '{\\"auth\\":\\"bearer\\"} auth=bearer <auth>Basic</auth>',
  "compass: 12345678 secretary: Bob Andersson",
  "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----",
  "10.0.0.1:8080 ::1 [::1]:7717",
  "file_ops.write workspace/report/summary.md",
];

describe("text", () => {
  test.each(found)("redacts %j", (before, after) => {
    expect(redactor.text(before)).toBe(after);
  });

  test.each(leftAlone)("leaves %j alone", (text) => {
    expect(redactor.text(text)).toBe(text);
  });

  test("masks the secrets it was given exactly, also in the escapes of JSON and URLs", () => {
    const secret = 'ca"nary 42';
    const own = createRedactor({ secrets: [secret, "short"] });
    expect(own.text(`x${secret}y short`)).toBe("x[TOKEN_REDACTED]y short");
    expect(own.text(JSON.stringify({ note: secret }))).toBe('{"note":"[TOKEN_REDACTED]"}');
    expect(own.text(`/?q=${encodeURIComponent(secret)}`)).toBe("/?q=[TOKEN_REDACTED]");
  });

  test("gives overlapping findings one mark, so that no part of either survives", () => {
    const own = createRedactor({ secrets: ["canary-1"] });
    expect(own.text("canary-1@example.com")).toBe("[EMAIL_REDACTED]");
    expect(own.text("password=canary-1x")).toBe("password=[PASSWORD_REDACTED]");
  });

  test("sets only the marks that are wanted, and masks registered secrets in any case", () => {
    const own = createRedactor({ secrets: ["canary-1"], marks: ["[PASSWORD_REDACTED]"] });
    expect(own.text("bob@example.com password=x1y2 token=abcdef12 canary-1")).toBe(
      "bob@example.com password=[PASSWORD_REDACTED] token=abcdef12 [TOKEN_REDACTED]",
    );
    expect(own.value({ password: "x", token: "y", mail: "bob@example.com" })).toEqual({
      password: "[PASSWORD_REDACTED]",
      token: "y",
      mail: "bob@example.com",
    });
  });

  test("keeps JSON parsable", () => {
    const line = JSON.stringify({
      a: "x\nalice@example.com",
      b: 'say "hi" --token abc',
      c: "\u00e9alice@example.com",
    });
    expect(JSON.parse(redactor.text(line))).toMatchObject({ a: "x\n[EMAIL_REDACTED]" });
  });
});
