import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HomeostatError } from "../base/error.ts";
import { describeConfig, loadConfig, variableName } from "./config.ts";
import type { ConfigFlags, Environment, LoadedConfig } from "./config.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "homeostat-config-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function load(environment: Environment = {}, flags: ConfigFlags = {}): LoadedConfig {
  return loadConfig(flags, { HOMEOSTAT_HOME: home, ...environment });
}

function failure(environment: Environment = {}, flags: ConfigFlags = {}): HomeostatError {
  try {
    load(environment, flags);
  } catch (error) {
    return error as HomeostatError;
  }
  throw new Error("expected CONFIG_INVALID");
}

function writeYaml(text: string): Promise<void> {
  return writeFile(join(home, "homeostat.yaml"), text);
}

function originOf({ entries }: LoadedConfig, key: string): string | undefined {
  return entries.find((entry) => entry.key === key)?.origin;
}

describe("where a value comes from", () => {
  test("defaults give way to the file, the file to the environment, the environment to flags", async () => {
    expect(load().config).toMatchObject({ home, host: "127.0.0.1", port: 7717, runs: { maxAttempts: 3 } });
    await writeYaml("port: 1111\nruns:\n  maxAttempts: 5\n  concurrency: 2\nhttp:\n  # nothing set here\n");
    const fromFile = load();
    expect([fromFile.config.port, fromFile.config.runs]).toEqual([
      1111,
      { maxAttempts: 5, concurrency: 2, leaseSeconds: 30, maxEvents: 250_000 },
    ]);
    expect(originOf(fromFile, "runs.maxAttempts")).toBe("homeostat.yaml:3");
    const fromEnvironment = load({ HOMEOSTAT_PORT: "2222", HOMEOSTAT_RUNS_MAX_ATTEMPTS: "7" });
    expect([fromEnvironment.config.port, fromEnvironment.config.runs.maxAttempts]).toEqual([2222, 7]);
    const fromFlags = load({ HOMEOSTAT_PORT: "2222" }, { port: "3333" });
    expect([fromFlags.config.port, originOf(fromFlags, "port")]).toEqual([3333, "--port"]);
    expect(originOf(fromFlags, "host")).toBe("default");
  });

  test("every key has its variable, and a variable set to nothing counts as absent", () => {
    expect(variableName("http.bodyLimitBytes")).toBe("HOMEOSTAT_HTTP_BODY_LIMIT_BYTES");
    const names = describeConfig().map(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(["HOMEOSTAT_HOME", "HOMEOSTAT_DATABASE_URL", "HOMEOSTAT_TOKEN"]),
    );
    expect(load({ HOMEOSTAT_PORT: "" }).config.port).toBe(7717);
  });

  test("lists are parted by commas and maps are JSON in the environment", () => {
    const { config } = load({
      HOMEOSTAT_TOOLS_ALLOWED_HOSTS: "example.org, *.example.net:8443,",
      HOMEOSTAT_ROOTS: '{"assets":{"path":"/srv/assets","mode":"write"}}',
    });
    expect(config.tools.allowedHosts).toEqual(["example.org", "*.example.net:8443"]);
    expect(config.roots).toEqual({ assets: { path: "/srv/assets", mode: "write" } });
  });

  test("paths are absolute: the log below the data folder, roots beside the file that names them", async () => {
    await writeYaml("roots:\n  assets: { path: assets }\n  home: { path: ~/x, mode: write }\n");
    const { config } = load();
    expect(config.log.file).toBe(join(home, "logs", "homeostat.log"));
    expect(config.roots).toEqual({
      assets: { path: join(home, "assets"), mode: "read" },
      home: { path: join(homedir(), "x"), mode: "write" },
    });
    expect(load({ HOMEOSTAT_LOG_FILE: "none" }).config.log.file).toBeUndefined();
    expect(loadConfig({}, { XDG_DATA_HOME: "/data" }).config.home).toBe("/data/homeostat");
    expect(loadConfig({}, { XDG_DATA_HOME: "relative" }).config.home).toBe(
      join(homedir(), ".local/share/homeostat"),
    );
  });

  test("another file may be named, and must then exist", async () => {
    const path = join(home, "other.yaml");
    await writeFile(path, "port: 4444\n");
    expect(load({}, { config: path })).toMatchObject({ file: path, config: { port: 4444 } });
    expect(load({ HOMEOSTAT_CONFIG: path }).config.port).toBe(4444);
    expect(failure({}, { config: join(home, "gone.yaml") })).toMatchObject({ code: "CONFIG_INVALID" });
    expect(load().file).toBeUndefined();
  });
});

describe("wrong configuration", () => {
  test("all findings come at once with file, line and the nearest known key", async () => {
    await writeYaml("prot: 80\nruns:\n  maxAttempt: 2\n  concurrency: many\nhome: /x\n");
    const error = failure({ HOMEOSTAT_PROT: "1", HOMEOSTAT_TEST_ANYTHING: "fine" });
    const file = join(home, "homeostat.yaml");
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.details).toEqual([
      {
        path: "HOMEOSTAT_PROT",
        detail: "unknown environment variable",
        hint: "did you mean `HOMEOSTAT_PORT`?",
      },
      { file, line: 1, column: 1, path: "prot", detail: "unknown key `prot`", hint: "did you mean `port`?" },
      {
        file,
        line: 3,
        column: 3,
        path: "runs.maxAttempt",
        detail: "unknown key `maxAttempt`",
        hint: "did you mean `maxAttempts`?",
      },
      {
        file,
        line: 5,
        column: 1,
        path: "home",
        detail: "unknown key `home`",
        hint: expect.any(String) as string,
      },
      {
        file,
        line: 4,
        column: 16,
        path: "runs.concurrency",
        detail: 'expected a whole number from 1 to 256, found "many"',
      },
    ]);
    expect(error.message).toContain("(and 4 more)");
  });

  test.each([
    [{ HOMEOSTAT_PORT: "70000" }, "HOMEOSTAT_PORT: expected a whole number from 0 to 65535, found 70000"],
    [
      { HOMEOSTAT_LOG_LEVEL: "loud" },
      'HOMEOSTAT_LOG_LEVEL: expected debug or info or warn or error, found "loud"',
    ],
    [
      { HOMEOSTAT_ROOTS: "{" },
      'HOMEOSTAT_ROOTS: expected a map of names to { path, mode: read or write }, found "{"',
    ],
    [{ HOMEOSTAT_ROOTS: '{"workspace":{"path":"/"}}' }, "HOMEOSTAT_ROOTS: expected a map"],
    [
      { HOMEOSTAT_HTTP_PUBLIC_ORIGINS: "example.org" },
      "HOMEOSTAT_HTTP_PUBLIC_ORIGINS: expected a list of origins",
    ],
    [
      { HOMEOSTAT_DATABASE_URL: "mysql://u:secret@db/x" },
      "HOMEOSTAT_DATABASE_URL: expected a URL such as postgres://user:password@host:5432/database, found something else",
    ],
    [
      { HOMEOSTAT_DATABASE_READ_URL: "postgres://u:secret@db/x" },
      "HOMEOSTAT_DATABASE_READ_URL: databaseReadUrl names a replica, but databaseUrl names no database",
    ],
    [{ HOMEOSTAT_REDIS_URL: "r:1" }, "HOMEOSTAT_REDIS_URL: expected a URL such as redis://"],
    [{ HOMEOSTAT_ROLE: "boss" }, 'HOMEOSTAT_ROLE: expected all or gateway or worker, found "boss"'],
  ])("%j is refused with what was expected", (environment, message) => {
    const error = failure(environment);
    expect(error.message).toContain(message);
    expect(JSON.stringify(error.details)).not.toContain("secret");
  });

  test("a file that is no YAML map is refused with its place", async () => {
    await writeYaml("- a\n");
    expect(failure().message).toContain("homeostat.yaml:1:1: ");
    await writeYaml("port: [1\n");
    expect(failure().message).toContain("not valid YAML");
  });
});

test("an empty token is told as empty", () => {
  expect(() => loadConfig({ token: "" }, {})).toThrow("--token: expected a text, found an empty text");
});

describe("secrets", () => {
  test("may come from a file and are never shown", async () => {
    const path = join(home, "secret");
    await writeFile(path, "abcdefghijklmnopqrstuvwxyz\n");
    const loaded = load({ HOMEOSTAT_TOKEN_FILE: path });
    expect(loaded.config.token).toBe("abcdefghijklmnopqrstuvwxyz");
    expect(JSON.stringify(loaded.entries)).not.toContain("abcdef");
    expect(loaded.entries.find(({ key }) => key === "token")).toMatchObject({
      value: "********",
      origin: "HOMEOSTAT_TOKEN_FILE",
      env: "HOMEOSTAT_TOKEN",
    });
    expect(failure({ HOMEOSTAT_TOKEN_FILE: path, HOMEOSTAT_TOKEN: "x" }).message).toContain(
      "both HOMEOSTAT_TOKEN_FILE and HOMEOSTAT_TOKEN",
    );
    expect(failure({ HOMEOSTAT_TOKEN_FILE: join(home, "gone") }).message).toContain("cannot read the file");
    expect(failure({ HOMEOSTAT_PORT_FILE: path }).message).toContain(
      "HOMEOSTAT_PORT_FILE: unknown environment variable",
    );
  });
});

test("every key says what it is and why its default is what it is", () => {
  for (const row of describeConfig()) {
    expect(row.description).toMatch(/\.$/);
    expect(row.why.length).toBeGreaterThan(10);
  }
});
