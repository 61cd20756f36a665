/** A good manifest comes out as it went in; a bad one says everything that is wrong, where, and what to do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseManifest } from "./parse-manifest.ts";

const good = {
  schema: 1,
  id: "acme/brand-auditor",
  version: "1.2.0-rc.1",
  description: "Looks at every file of a brand and says what is stale.",
  entry: { kind: "node", path: "src/agent.js" },
  tools: ["file_ops.read", "code_exec.run"],
  permissions: {
    network: ["api.example.org", "*.example.org", "host:8443"],
    secrets: ["mail-password"],
    files: [
      { root: "workspace", path: "assets/**", mode: "read" },
      { root: "brand", mode: "write" },
    ],
  },
  limits: {
    timeoutMs: 60_000,
    memoryBytes: 268_435_456,
    processes: 8,
    steps: 50,
    tokens: 100_000,
    cost: 0.5,
  },
  exports: [{ name: "audit", visibility: "public", input: { type: "object" } }],
};

/** Paths of the findings for the good manifest with some members replaced. */
function pathsOf(change: object): readonly string[] {
  const result = parseManifest({ ...good, ...change });
  return result.kind === "invalid" ? result.findings.map((finding) => finding.path) : [];
}

describe("parseManifest", () => {
  test("takes a complete manifest as it is", () => {
    expect(parseManifest(good)).toEqual({ kind: "manifest", manifest: good });
  });

  test("fills in what may be left out", () => {
    const result = parseManifest({
      schema: 1,
      id: "a",
      version: "0.1.0",
      entry: { kind: "command", command: ["python3", "agent.py"] },
    });
    expect(result).toEqual({
      kind: "manifest",
      manifest: {
        schema: 1,
        id: "a",
        version: "0.1.0",
        entry: { kind: "command", command: ["python3", "agent.py"] },
        tools: [],
        permissions: { network: [], secrets: [], files: [] },
        limits: {},
        exports: [],
      },
    });
  });

  test.each([
    [{ schema: 2 }, "schema"],
    [{ id: "Brand Auditor" }, "id"],
    [{ id: undefined }, "id"],
    [{ version: "1.0" }, "version"],
    [{ version: "01.0.0" }, "version"],
    [{ description: 5 }, "description"],
    [{ entry: undefined }, "entry"],
    [{ entry: { kind: "shell", path: "a" } }, "entry.kind"],
    [{ entry: { kind: "node", path: "../agent.js" } }, "entry.path"],
    [{ entry: { kind: "node", path: "/agent.js" } }, "entry.path"],
    [{ entry: { kind: "node", path: "a.js", args: [] } }, "entry.args"],
    [{ entry: { kind: "command", command: [] } }, "entry.command"],
    [{ entry: { kind: "command", command: "python3 agent.py" } }, "entry.command"],
    [{ tools: ["file_ops.read", "File.Write"] }, "tools[1]"],
    [{ permissions: { network: ["https://example.org"] } }, "permissions.network[0]"],
    [{ permissions: { files: [{ root: "workspace", mode: "execute" }] } }, "permissions.files[0].mode"],
    [
      { permissions: { files: [{ root: "workspace", path: "a/../../b", mode: "read" }] } },
      "permissions.files[0].path",
    ],
    [{ permissions: { files: ["workspace"] } }, "permissions.files[0]"],
    [{ permissions: [] }, "permissions"],
    [{ limits: { timeoutMs: -1 } }, "limits.timeoutMs"],
    [{ limits: { steps: 1.5 } }, "limits.steps"],
    [{ limits: { cost: "1 EUR" } }, "limits.cost"],
    [{ exports: [{ name: "Audit", visibility: "public" }] }, "exports[0].name"],
    [{ exports: [{ name: "audit", visibility: "everyone" }] }, "exports[0].visibility"],
    [{ exports: [{ name: "audit", visibility: "public", input: "object" }] }, "exports[0].input"],
    [{ exports: [1, 2].map(() => ({ name: "audit", visibility: "public" })) }, "exports[1].name"],
  ])("refuses %j at its place only", (change, path) => {
    expect(pathsOf(change)).toEqual([path]);
  });

  test("reports everything at once, and suggests the nearest known name", () => {
    const result = parseManifest({ ...good, permission: {}, limits: { timeout_ms: 5 }, version: "x" });
    expect(result.kind === "invalid" && result.findings).toEqual([
      { path: "permission", detail: "is not known here", hint: "did you mean `permissions`?" },
      { path: "version", detail: "is `x`", hint: "give a semantic version such as `1.0.0`" },
      { path: "limits.timeout_ms", detail: "is not known here", hint: "did you mean `timeoutMs`?" },
    ]);
  });

  test.each([null, undefined, 5, "agent", []])("says of %j that it is no manifest", (value) => {
    const result = parseManifest(value);
    expect(result.kind === "invalid" && result.findings[0]?.path).toBe("");
  });

  test("never throws, whatever a file holds", () => {
    const member = fc.constantFrom(...Object.keys(good));
    fc.assert(
      fc.property(fc.dictionary(member, fc.anything()), (members) => {
        expect(["manifest", "invalid"]).toContain(parseManifest({ ...good, ...members }).kind);
      }),
    );
  });
});
