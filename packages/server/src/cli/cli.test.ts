import { ApiError } from "@homeostat/client/api-error";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HomeostatError } from "../base/error.ts";
import { requireWorkflow } from "../workflows/workflow-file.ts";
import { addressOf } from "./connection/connect.ts";
import { describeEvent } from "./runs/describe-event.ts";
import { exitCodeOf, exitCodeOfRun } from "./terminal/exit-code.ts";
import { formatAge, formatBytes, formatSpan } from "./terminal/format-time.ts";
import { parseInputs } from "./runs/parse-inputs.ts";
import { describeError, formatError } from "./terminal/report-error.ts";
import { processIdentity } from "../store/process-identity.ts";
import { findServerAddress, removeServerAddress, writeServerAddress } from "./connection/server-address.ts";
import { readLogLines } from "./server/server-log.ts";
import { cut, formatTable, oneLine } from "./terminal/table.ts";

const plain = (_: string, text: string): string => text;

describe("tables", () => {
  test("columns line up and nothing is wider than the terminal", () => {
    const text = formatTable(
      ["A", "LONG"],
      [
        ["xyz", "1"],
        ["ä", "a long last cell"],
      ],
    );
    expect(text).toBe("A    LONG\nxyz  1\nä    a long last cell");
    const cell = fc.string({ maxLength: 30 }).map(oneLine);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell)), fc.integer({ min: 5, max: 60 }), (rows, columns) => {
        const lines = formatTable(["A", "B"], rows, columns).split("\n");
        expect(lines.length).toBe(rows.length + 1);
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test("text from a run can neither move the cursor nor turn the line around", () => {
    expect(oneLine("a\u001b[2Jb\nc\u202ed\u0000")).toBe("a\ufffd[2Jb c\ufffdd\ufffd");
    expect(cut("abcdef", 4)).toBe("abc…");
  });

  test("times and sizes are short", () => {
    const at = "2026-01-01T00:00:00.000Z";
    const ages = [0, 59_000, 60_000, 7_200_000, 172_800_000].map((ms) => formatAge(at, Date.parse(at) + ms));
    expect(ages).toEqual(["now", "59s", "1m", "2h", "2d"]);
    expect([85, 1_230, 185_000].map(formatSpan)).toEqual(["85 ms", "1.2 s", "3 min 5 s"]);
    expect([5, 2_048, 5_242_880, 2 ** 31].map(formatBytes)).toEqual(["5 B", "2.0 KiB", "5.0 MiB", "2.0 GiB"]);
  });
});

describe("--input", () => {
  const workflow = requireWorkflow(`version: 1
name: w
inputs:
  text: { type: string, default: "" }
  number: { type: number, default: 1 }
  whole: { type: integer, default: 1 }
  flag: { type: boolean, default: true }
  list: { type: list, default: [] }
  object: { type: object, default: {} }
steps:
  - id: s
    set: { a: 1 }
`);

  test("values take the types the workflow declares", () => {
    const given = ["text=a=b", "number=1.5", "whole=-3", "flag=false", "list=[1]", 'object={"a":{}}'];
    expect(parseInputs(given, workflow)).toEqual({
      text: "a=b",
      number: 1.5,
      whole: -3,
      flag: false,
      list: [1],
      object: { a: {} },
    });
    expect(parseInputs(["text="], workflow)).toEqual({ text: "" });
  });

  test.each([
    "number=x",
    "number=",
    "whole=1.5",
    "flag=yes",
    "list={}",
    "object=[]",
    "object=null",
    "list=[",
    "=x",
    "text",
    "txt=a",
  ])("%s is refused as usage", (given) => {
    expect(() => parseInputs([given], workflow)).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
  });

  test("one input twice is refused", () => {
    expect(() => parseInputs(["text=a", "text=b"], workflow)).toThrow("given twice");
  });
});

describe("errors", () => {
  test("exit codes follow the error's code, whoever threw it", () => {
    const codes = [
      new HomeostatError("USAGE", ""),
      new HomeostatError("CONFIG_INVALID", "", {}, { details: [{ path: "--port", detail: "" }] }),
      new HomeostatError("CONFIG_INVALID", "", {}, { details: [{ path: "HOMEOSTAT_PORT", detail: "" }] }),
      new ApiError({ code: "RUN_NOT_FOUND", status: 404, detail: "" }),
      new ApiError({ code: "ACTION_DENIED", status: 403, detail: "" }),
      new ApiError({ code: "AUTHORIZATION_DENIED", status: 403, detail: "" }),
      new Error("bug"),
    ].map(exitCodeOf);
    expect(codes).toEqual([2, 2, 1, 3, 4, 1, 1]);
    expect(exitCodeOfRun({ state: "COMPLETED", error: null })).toBe(0);
    expect(exitCodeOfRun({ state: "FAILED", error: { code: "ACTION_DENIED" } })).toBe(4);
    expect(exitCodeOfRun({ state: "CANCELLED", error: null })).toBe(1);
  });

  test("places, several findings and hints are shown once each", () => {
    const place = { file: "w.yaml", line: 3, column: 5, path: "steps[0]" };
    const one = new HomeostatError(
      "WORKFLOW_INVALID",
      "w.yaml:3:5 steps[0]: wrong",
      {},
      { details: [{ ...place, detail: "wrong" }] },
    );
    expect(formatError(describeError(one), plain).split("\n").slice(0, -1)).toEqual([
      "error: w.yaml:3:5 steps[0]: wrong (WORKFLOW_INVALID)",
    ]);
    const details = [
      { ...place, detail: "wrong" },
      { pointer: "/a", detail: "too long", hint: "shorten" },
    ];
    const two = new HomeostatError("REQUEST_INVALID", "wrong (and 1 more)", {}, { details, hint: "Do." });
    expect(formatError(describeError(two), plain)).toBe(
      "error: wrong (and 1 more) (REQUEST_INVALID)\n  w.yaml:3:5 steps[0]: wrong\n  /a: too long (shorten)\n  hint: Do.",
    );
  });
});

describe("events", () => {
  const event = (kind: string, body: Record<string, unknown>, step: string | null = "s") =>
    describeEvent({ seq: 1, kind, at: "", step, digest: "", body });

  test("what matters is said in a line; unknown kinds of a newer server are shown by name", () => {
    expect(event("action.completed", { durationMs: 1_500, artifacts: [{}, {}] })).toMatchObject({
      word: "done",
      text: "1.5 s, 2 artifacts",
    });
    expect(event("action.failed", { error: { message: "no", hint: "do" }, retryAtMs: 5 })?.text).toBe(
      "no (do), tries again",
    );
    expect(event("step.started", { start: { kind: "branch", chosen: 0 } })).toBeUndefined();
    expect(event("step.started", { start: { kind: "for_each", items: [1, 2] } })?.text).toBe("for each of 2");
    expect(event("run.paused", { by: "admin", reason: "x" }, null)).toMatchObject({
      word: "paused",
      text: "by admin: x",
    });
    expect(event("agent.thought", {})).toMatchObject({ word: "agent.thought" });
  });

  test("an event of any shape is shown without failing", () => {
    const kinds = [
      "run.created",
      "run.failed",
      "action.intended",
      "action.completed",
      "step.started",
      "approval.requested",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.dictionary(fc.string(), fc.jsonValue()), (kind, body) => {
        expect(() => event(kind, body)).not.toThrow();
      }),
    );
  });
});

describe("finding the server", () => {
  test("its address is found while it lives and forgotten when it stops", async () => {
    const home = await mkdtemp(join(tmpdir(), "homeostat-address-"));
    expect(await findServerAddress(home)).toBeUndefined();
    const own = processIdentity();
    writeServerAddress(home, { url: "http://127.0.0.1:9000", process: own, startedAtMs: 2 });
    expect(await findServerAddress(home)).toBe("http://127.0.0.1:9000");
    await removeServerAddress(home, own);
    expect(await findServerAddress(home)).toBeUndefined();
    await writeFile(join(home, "servers", "broken.json"), '{"url":"x"');
    expect(await findServerAddress(home)).toBeUndefined();
    await rm(home, { recursive: true });
  });

  test("of several the newest that lives is found, and what a killed one left is cleared away", async () => {
    const home = await mkdtemp(join(tmpdir(), "homeostat-address-"));
    const own = processIdentity();
    // The same boot and namespace, but a start that no process with this pid had.
    const dead = own.replace(/\d+$/, "1");
    writeServerAddress(home, { url: "http://127.0.0.1:9001", process: "elsewhere:1:2:3", startedAtMs: 1 });
    writeServerAddress(home, { url: "http://127.0.0.1:9002", process: own, startedAtMs: 2 });
    writeServerAddress(home, { url: "http://127.0.0.1:9003", process: dead, startedAtMs: 3 });
    expect(await findServerAddress(home)).toBe("http://127.0.0.1:9002");
    await removeServerAddress(home, own);
    expect(await findServerAddress(home)).toBe("http://127.0.0.1:9001");
    expect(await readdir(join(home, "servers"))).toHaveLength(1);
    await rm(home, { recursive: true });
  });

  test("a host that stands for all of them is called by loopback", () => {
    expect([addressOf("0.0.0.0", 1), addressOf("::", 1), addressOf("::1", 1), addressOf("box", 1)]).toEqual([
      "http://127.0.0.1:1",
      "http://127.0.0.1:1",
      "http://[::1]:1",
      "http://box:1",
    ]);
  });
});

test("the server's log is read from its end and followed as it grows", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-log-"));
  const path = join(folder, "x.log");
  await writeFile(path, '{"n":1}\n{"n":2}\nbroken\n{"n":3}');
  const read = async (follow: boolean, until: number): Promise<unknown[]> => {
    const stop = new AbortController();
    const lines: unknown[] = [];
    for await (const line of readLogLines({ path, lines: 2, follow }, stop.signal)) {
      lines.push(line);
      if (lines.length === 2 && follow) await writeFile(path, '}\n{"n":4}\n', { flag: "a" });
      if (lines.length >= until) stop.abort();
    }
    return lines;
  };
  expect(await read(false, 99)).toEqual([{ n: 2 }, "broken"]);
  await writeFile(path, '{"n":1}\n{"n":2}\nbroken\n{"n":3');
  expect(await read(true, 4)).toEqual([{ n: 2 }, "broken", { n: 3 }, { n: 4 }]);
  await rm(folder, { recursive: true });
});
