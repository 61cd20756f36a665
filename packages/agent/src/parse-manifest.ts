/** Checks a parsed `agent.yaml` and says everything that is wrong with it at once, each with its place and what to do. */
import type { Entry, Export, FilePermission, JsonSchema, Limits, Manifest, Permissions } from "./manifest.ts";
import { createReader } from "./read-fields.ts";
import type { FieldReader, ManifestFinding } from "./read-fields.ts";

export type ManifestResult =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  /** Never empty. */
  | { readonly kind: "invalid"; readonly findings: readonly ManifestFinding[] };

const idForm = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)?[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** semver.org's own expression, without build metadata. */
const versionForm =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$/;
const toolForm = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const nameForm = /^[a-z][a-z0-9_]*$/;
const rootForm = /^[a-z][a-z0-9_-]*$/;
const hostForm = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9]\d{0,4})?$/;

/** `value` is what a YAML or JSON parser returned. Never throws. */
export function parseManifest(value: unknown): ManifestResult {
  const findings: ManifestFinding[] = [];
  const root = createReader(value, "", findings);
  root.only(["schema", "id", "version", "description", "entry", "tools", "permissions", "limits", "exports"]);
  if (root.member("schema") !== 1) root.report("schema", "must be 1", "this host knows schema version 1");
  const description = root.optionalText("description", 500);
  const manifest: Manifest = {
    schema: 1,
    id: root.matching("id", idForm, "a kebab-case name such as `brand-auditor` or `acme/brand-auditor`"),
    version: root.matching("version", versionForm, "a semantic version such as `1.0.0`"),
    ...(description === undefined ? {} : { description }),
    entry: readEntry(root.object("entry")),
    tools: root.texts("tools", toolForm, "names of tools such as `file_ops.read`"),
    permissions: readPermissions(root.optionalObject("permissions")),
    limits: readLimits(root.optionalObject("limits")),
    exports: root.list("exports").map(readExport),
  };
  reportRepeats(manifest.exports, root);
  return findings.length === 0 ? { kind: "manifest", manifest } : { kind: "invalid", findings };
}

function readEntry(entry: FieldReader): Entry {
  const kind = entry.choice("kind", ["node", "command"]);
  if (kind === "command") {
    entry.only(["kind", "command"]);
    const command = entry.texts("command", /^[^\0]+$/, "the program and its arguments");
    const given = entry.member("command") ?? [];
    if (Array.isArray(given) && given.length === 0)
      entry.report("command", "must not be empty", "name the program to start");
    return { kind, command };
  }
  entry.only(["kind", "path"]);
  const path = entry.matching("path", /^[^\0\\]+$/, "a path inside the package, such as `agent.js`");
  if (!isInside(path))
    entry.report("path", `\`${path}\` leads out of the package`, "give a relative path without `..`");
  return { kind: "node", path };
}

function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").includes("..");
}

function readPermissions(permissions: FieldReader): Permissions {
  permissions.only(["network", "secrets", "files"]);
  return {
    network: permissions.texts(
      "network",
      hostForm,
      "hosts such as `api.example.org`, `*.example.org` or `host:8443`",
    ),
    secrets: permissions.texts("secrets", rootForm, "names of secrets such as `mail-password`"),
    files: permissions.list("files").map(readFilePermission),
  };
}

function readFilePermission(file: FieldReader): FilePermission {
  file.only(["root", "path", "mode"]);
  const path = file.optionalText("path", 1000);
  if (path !== undefined && !isInside(path))
    file.report("path", `\`${path}\` leads out of the root`, "leave out `..`");
  return {
    root: file.matching("root", rootForm, "the name of a root, or `workspace`"),
    ...(path === undefined ? {} : { path }),
    mode: file.choice("mode", ["read", "write"]),
  };
}

function readLimits(limits: FieldReader): Limits {
  const whole = ["timeoutMs", "memoryBytes", "processes", "steps", "tokens"] as const;
  limits.only([...whole, "cost"]);
  const read: Record<string, number> = {};
  for (const name of whole) {
    const value = limits.optionalNumber(name);
    if (value !== undefined && !Number.isInteger(value))
      limits.report(name, "must be a whole number", "leave out the fraction");
    if (value !== undefined) read[name] = value;
  }
  const cost = limits.optionalNumber("cost");
  return { ...read, ...(cost === undefined ? {} : { cost }) };
}

function readExport(entry: FieldReader): Export {
  entry.only(["name", "visibility", "description", "input", "output"]);
  const description = entry.optionalText("description", 500);
  const input = readSchema(entry, "input");
  const output = readSchema(entry, "output");
  return {
    name: entry.matching("name", nameForm, "lower-case words joined by `_`"),
    visibility: entry.choice("visibility", ["public", "private"]),
    ...(description === undefined ? {} : { description }),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  };
}

/** Taken as it is: whether it is a good JSON Schema is the host's question. */
function readSchema(entry: FieldReader, name: string): JsonSchema | undefined {
  const value = entry.member(name);
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonSchema;
  entry.report(name, "must be a JSON Schema", "give an object, for example { type: object }");
  return undefined;
}

function reportRepeats(entries: readonly Export[], root: FieldReader): void {
  for (const [index, { name }] of entries.entries()) {
    const first = entries.findIndex((entry) => entry.name === name);
    if (name === "" || first === index) continue;
    root.report(
      `exports[${index}].name`,
      `\`${name}\` is the name of exports[${first}] too`,
      "give each export its own name",
    );
  }
}
