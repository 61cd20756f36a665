import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createManualClock } from "./clock.ts";
import { HomeostatError } from "./error.ts";
import { createLogger, createSilentLogger, fileLogStream, standardErrorStream } from "./log.ts";
import type { Logger, LogLevel } from "./log.ts";

const rotation = { maxBytes: 1024 ** 2, keep: 1 };

interface Line {
  timestamp: string;
  level: string;
  message: string;
  context: Record<string, unknown>;
  trace_id?: string;
}

function recording(level: LogLevel = "debug"): { logger: Logger; lines: () => Line[] } {
  const written: string[] = [];
  const logger = createLogger({
    level,
    redact: (text) => text.replaceAll("hunter2", "[secret]"),
    streams: [{ write: (line) => written.push(line) }],
    clock: createManualClock(0),
  });
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Line) };
}

describe("createLogger", () => {
  test("writes one JSON line with the five fields and no others", () => {
    const { logger, lines } = recording();
    logger.info({ trace_id: "4bf9", run: "run_1" }, "started");
    expect(lines()).toEqual([
      {
        timestamp: "1970-01-01T00:00:00.000Z",
        level: "info",
        message: "started",
        trace_id: "4bf9",
        context: { run: "run_1" },
      },
    ]);
  });

  test("drops lines below the level", () => {
    const { logger, lines } = recording("warn");
    logger.debug({}, "no");
    logger.info({}, "no");
    logger.warn({}, "yes");
    logger.error({}, "yes");
    expect(lines().map((line) => line.level)).toEqual(["warn", "error"]);
  });

  test("redacts messages, values, names, errors and what a child was given", () => {
    const { logger, lines } = recording();
    const secret = "the password is hunter2";
    const error = new HomeostatError(
      "INTERNAL",
      secret,
      { password: [secret] },
      { cause: new Error(secret) },
    );
    logger
      .child({ from: secret })
      .child({ trace_id: secret })
      .warn({ error, hunter2: 1, list: [secret] }, secret);
    const text = JSON.stringify(lines());
    expect(text).not.toContain("hunter2");
    expect(lines()[0]).toMatchObject({
      trace_id: "the password is [secret]",
      context: {
        from: "the password is [secret]",
        "[secret]": 1,
        error: {
          name: "HomeostatError",
          code: "INTERNAL",
          message: "the password is [secret]",
          cause: { name: "Error" },
        },
      },
    });
  });

  test("a child's context is joined with the line's, which wins", () => {
    const { logger, lines } = recording();
    logger.child({ part: "queue", run: "run_1" }).debug({ run: "run_2" }, "claimed");
    expect(lines()[0]?.context).toEqual({ part: "queue", run: "run_2" });
  });

  test("survives cycles, depth, size, bytes and what JSON cannot hold", () => {
    const { logger, lines } = recording();
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    logger.error(
      {
        cycle,
        big: 10n,
        act: () => {},
        symbol: Symbol("x"),
        nothing: null,
        missing: undefined,
        bytes: Buffer.from("abc"),
        day: new Date(Number.NaN),
        long: "x".repeat(10_000),
        many: Array.from({ length: 1000 }, (_, index) => index),
      },
      "odd",
    );
    const context = lines()[0]?.context;
    expect(JSON.stringify(context?.["cycle"])).toContain("[deeper]");
    expect(context).toMatchObject({ big: "10", nothing: null, bytes: "[3 bytes]", day: "Invalid Date" });
    expect(context?.["long"]).toHaveLength(8192 + "[1808 more]".length);
    expect(context?.["many"]).toHaveLength(100);
  });

  test("a context that is a list is kept under `value`", () => {
    const { logger, lines } = recording();
    logger.info([1, 2], "list");
    expect(lines()[0]?.context).toEqual({ value: [1, 2] });
  });
});

test("the file stream creates its folder, appends, and is readable by its user alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "homeostat-log-"));
  try {
    const path = join(folder, "logs", "homeostat.log");
    fileLogStream(path, rotation).write("one\n");
    fileLogStream(path, rotation).write("two\n");
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(!existsSync("/dev/full"))("a full disk loses log lines and nothing else", async () => {
  const stream = fileLogStream("/dev/full", rotation);
  stream.write("lost\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(() => stream.write("lost too\n")).not.toThrow();
});

test("the standard error stream takes lines", () => {
  expect(() => standardErrorStream().write("")).not.toThrow();
});

test("the silent logger and its children say nothing", () => {
  const logger = createSilentLogger();
  for (const level of ["debug", "info", "warn", "error"] as const) logger.child({})[level]({}, "nothing");
});
