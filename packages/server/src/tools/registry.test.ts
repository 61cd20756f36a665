import { describe, expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject } from "../base/canonical-json.ts";
import { leavesOf } from "../gate/labels-roles.ts";
import { prepareAction } from "./prepare-action.ts";
import { createTools, describeTools, digestTools, requireKnownArguments } from "./registry.ts";
import { createTestContext, createTestPlace } from "./testing-context.ts";
import type { AnyTool } from "./tool.ts";

const http = { allowedHosts: [], allowPrivate: [], isOwnListener: () => false, resolveHost: async () => [] };
const tools: ReadonlyMap<string, AnyTool> = createTools({
  forbiddenFolders: [],
  temporaryFolder: "/tmp",
  canRun: () => true,
  http,
});

test("every built-in action is there under its name with the effect class that a crash relies on", () => {
  expect([...tools].map(([name, tool]) => `${name}: ${tool.effect}`)).toEqual([
    "artifact.register: idempotent",
    "code_exec.run: idempotent",
    "file_ops.delete: checkable",
    "file_ops.list: pure",
    "file_ops.move: checkable",
    "file_ops.read: pure",
    "file_ops.write: idempotent",
    "http.get: idempotent",
    "http.request: unsafe",
    "wait.for: pure",
    "workflow.run: idempotent",
  ]);
  for (const tool of tools.values()) {
    expect(tool.effect === "checkable").toBe(tool.check !== undefined);
    expect(tool.defaultTimeoutMs).toBeLessThanOrEqual(tool.maxTimeoutMs);
  }
});

/** Those that `tool` steps call. */
const called = new Map([...tools].filter(([, { stepKind }]) => stepKind === undefined));

describe.each([...describeTools(called)])("$name", ({ name, description, schema }) => {
  test("describes every argument and takes no unknown one", async () => {
    expect(description).toMatch(/\.$/);
    const properties = schema["properties"] as Record<string, { description?: string }>;
    expect(schema["additionalProperties"]).toBe(false);
    expect(Object.keys(properties).length).toBeGreaterThan(0);
    const undescribed = Object.entries(properties).filter(([, value]) => !value.description);
    expect(undescribed).toEqual([]);
    expect(() => canonicalJson(schema)).not.toThrow();
    const tool = tools.get(name)!;
    await expect(prepareAction(tool, { nonsense: 1 }, createTestContext())).rejects.toMatchObject({
      code: "ACTION_INVALID",
    });
  });
});

/** Of as many kinds as the names inside say. */
const ofMembers = ["code_exec.run fallback", "http.get headers", "http.request headers", "http.request json"];

test("every argument of a built-in tool has a role, or is known to be a collection of others", () => {
  const without = describeTools(called).flatMap(({ name, schema }) =>
    Object.keys(schema["properties"] as JsonObject)
      .filter((argument) => tools.get(name)!.argumentRoles?.[argument] === undefined)
      .map((argument) => `${name} ${argument}`),
  );
  expect(without.toSorted()).toEqual(ofMembers);
});

test("a file's name is no recipient, and what a file holds no target, whatever the names inside", () => {
  const rolesOf = (name: string, args: JsonObject): readonly string[] =>
    leavesOf(args, tools.get(name)!.argumentRoles).map(({ path, role }) => `${path} ${role}`);
  expect(rolesOf("file_ops.move", { from: "a", to: "b" })).toEqual(["from path", "to path"]);
  expect(rolesOf("file_ops.write", { content: { to: ["a@b.example"], constructor: "x" } })).toEqual([
    "content.to[0] body",
    "content.constructor body",
  ]);
  expect(rolesOf("http.request", { json: { to: "a@b.example" }, body: "x" })).toEqual([
    "json.to recipient",
    "body body",
  ]);
  const fallback = { language: "python", source: "print(1)" };
  expect(rolesOf("code_exec.run", { fallback, args: ["a@b.example"], limits: { wallSeconds: 1 } })).toEqual([
    "fallback.language option",
    "fallback.source command",
    "args[0] body",
    "limits.wallSeconds option",
  ]);
});

test("whoever asks what tools there are is told the roles of their arguments", () => {
  const rolesOf = (known: ReadonlyMap<string, AnyTool>, name: string) =>
    describeTools(known).find((tool) => tool.name === name)!.argumentRoles;
  expect(rolesOf(tools, "file_ops.move")).toMatchObject({ from: "path", to: "path" });
  const { argumentRoles: _, ...bare } = tools.get("file_ops.move")!;
  expect(rolesOf(new Map([["file_ops.move", bare]]), "file_ops.move")).toEqual({});
});

test("a role for an argument that does not exist is refused", () => {
  const tool = tools.get("file_ops.delete")!;
  expect(() => requireKnownArguments(tool)).not.toThrow();
  const { argumentRoles: _, ...bare } = tool;
  expect(() => requireKnownArguments(bare)).not.toThrow();
  expect(() => requireKnownArguments({ ...tool, argumentRoles: { pathes: "path" } })).toThrow(
    /file_ops.delete has a role for pathes/,
  );
});

test("wrong arguments are told one by one with their places", async () => {
  const tool = tools.get("code_exec.run")!;
  await expect(
    prepareAction(
      tool,
      { language: "cobol", limits: { wallSeconds: 601 }, extra: true },
      createTestContext(),
    ),
  ).rejects.toMatchObject({
    code: "ACTION_INVALID",
    details: expect.arrayContaining([
      expect.objectContaining({ path: "language" }),
      expect.objectContaining({ path: "limits.wallSeconds" }),
    ]) as unknown,
    message: expect.stringMatching(/^code_exec.run does not take these arguments: .*extra/) as string,
  });
});

test("a run's pins change when a schema does and not otherwise", () => {
  const digests = digestTools(tools);
  expect(Object.keys(digests)).toHaveLength(tools.size);
  expect(
    digestTools(createTools({ forbiddenFolders: ["/x"], temporaryFolder: "/y", canRun: () => false, http })),
  ).toEqual(digests);
  expect(new Set(Object.values(digests)).size).toBe(tools.size);
});

describe("wait.for", () => {
  test("waits by the clock it is given and ends early when aborted", async () => {
    const place = await createTestPlace();
    const tool = tools.get("wait.for")!;
    const resolved = await prepareAction(tool, { seconds: 0.01 }, place.context);
    expect(resolved).toEqual({ resource: "clock", args: { seconds: 0.01 }, summary: "wait 0.01 s" });
    expect(await tool.execute(resolved, place.context)).toMatchObject({ output: { seconds: 0.01 } });
    const long = await prepareAction(tool, { seconds: 60 }, place.context);
    const signal = AbortSignal.timeout(10);
    await expect(tool.execute(long, { ...place.context, signal })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });
});
