/** Each rule is shown one violation planted in a small repository that is otherwise clean. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { checkRepository } from "./check-repository.ts";

const cleanTree: Readonly<Record<string, string>> = {
  "package.json": '{ "devDependencies": { "vitest": "1" } }',
  "packages/cell/package.json": '{ "name": "@homeostat/cell", "exports": { "./redact": "./src/redact.ts" } }',
  "packages/cell/src/redact.ts": "export const redact = (text: string): string => text;",
  "packages/client/package.json": '{ "name": "@homeostat/client", "exports": { ".": "./src/client.ts" } }',
  "packages/client/src/client.ts": "export interface Client { readonly url: string }",
  "packages/web/package.json": '{ "name": "@homeostat/web", "devDependencies": { "react": "1" } }',
  "packages/web/src/page.tsx":
    'import type { Client } from "@homeostat/client";\nimport { use } from "react";\nexport const page = (c: Client) => <p>{use(c)}</p>;',
  "packages/server/package.json": '{ "name": "homeostat", "dependencies": { "zod": "1" } }',
  "packages/server/src/base/clock.ts": "export const systemClock = { now: () => Date.now() };",
  "packages/server/src/base/log.ts":
    'import { redact } from "@homeostat/cell/redact";\nexport const log = (text: string): string => redact(text);',
  "packages/server/src/runs/fold.ts":
    'import { log } from "../base/log.ts";\nimport { z } from "zod";\nimport { readFile } from "node:fs/promises";\nexport const fold = (): unknown => [log, z, readFile];',
  "packages/server/src/runs/runs.routes.ts": "export const routes: readonly string[] = [];",
  "packages/server/src/runs/fold.test.ts":
    'import { test } from "vitest";\nimport "./runs.routes.ts";\ntest(String(Date.now()), () => undefined);',
  "packages/server/src/config/config.ts": "export const home = process.env.HOME;",
  "packages/server/src/system/system.ts":
    'import { routes } from "../runs/runs.routes.ts";\nexport const system = routes;',
  "scripts/build.ts": "console.log(process.env.HOME, Date.now());",
};

const table = {
  roots: ["packages", "scripts"],
  folders: {
    "packages/cell/src": [],
    "packages/client/src": [],
    "packages/web/src": ["packages/client/src"],
    "packages/server/src/base": ["packages/cell/src"],
    "packages/server/src/runs": ["packages/server/src/base"],
    "packages/server/src/system": ["*", "!packages/server/src/cli"],
    "packages/server/src": ["*"],
    scripts: ["*"],
  },
  defaultExports: ["packages/web/vite.config.ts"],
  exceptions: [],
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A test that uses everything the server exports, but for one file. */
function importsOf(paths: readonly string[]): string {
  const inner = "packages/server/src/";
  return paths
    .filter((path) => path.startsWith(inner) && !/unused|test\.ts$/.test(path))
    .map((path, index) => `import * as part${index} from "./${path.slice(inner.length)}";`)
    .join("\n");
}

/** What the checks say about the clean tree with the given files added or replaced. */
function check(files: Readonly<Record<string, string>>, rows: object = {}): readonly string[] {
  const repository = mkdtempSync(join(tmpdir(), "homeostat-lint-"));
  folders.push(repository);
  const all = {
    ...cleanTree,
    "allowed-imports.json": JSON.stringify({ ...table, ...rows }),
    ...files,
    "packages/server/src/whole.test.ts": importsOf([...Object.keys(cleanTree), ...Object.keys(files)]),
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  return checkRepository(repository).findings.map(({ rule, file, line }) => `${rule} ${file}:${line}`);
}

const violations: readonly (readonly [what: string, path: string, text: string, finding: string])[] = [
  [
    "an import upwards",
    "packages/server/src/base/up.ts",
    'import { fold } from "../runs/fold.ts";\nexport const up = fold;',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "a type import upwards",
    "packages/server/src/base/up.ts",
    'import type { A } from "../runs/fold.ts";\nexport type B = A;',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "an import() type upwards",
    "packages/server/src/base/up.ts",
    'export type B = import("../runs/fold.ts").A;',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "a dynamic import upwards",
    "packages/server/src/base/up.ts",
    'export const up = () => import("../runs/fold.ts");',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "a worker file upwards",
    "packages/server/src/base/up.ts",
    'export const up = new URL("../runs/fold.ts", import.meta.url);',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "a re-export upwards",
    "packages/server/src/base/up.ts",
    'export * from "../runs/fold.ts";',
    "layers packages/server/src/base/up.ts:1",
  ],
  [
    "a folder without a row",
    "packages/agent/src/manifest.ts",
    "export const manifest = 1;\nexport type {} from './x.ts';",
    "layers packages/agent/src/manifest.ts:2",
  ],
  [
    "routes imported by a feature",
    "packages/server/src/runs/other.ts",
    'import { routes } from "./runs.routes.ts";\nexport const other = routes;',
    "layers packages/server/src/runs/other.ts:1",
  ],
  [
    "an import of what is taken out of everything",
    "packages/server/src/system/print.ts",
    'import { table } from "../cli/terminal/table.ts";\nexport const print = table;',
    "layers packages/server/src/system/print.ts:1",
  ],
  [
    "test code imported by a feature",
    "packages/server/src/runs/other.ts",
    'import "./fold.test.ts";',
    "layers packages/server/src/runs/other.ts:1",
  ],
  [
    "a dependency of a bottom package",
    "packages/cell/package.json",
    '{ "name": "@homeostat/cell", "exports": { "./redact": "./src/redact.ts" }, "dependencies": { "zod": "1" } }',
    "layers packages/cell/package.json:0",
  ],
  [
    "a package imported by a bottom package",
    "packages/cell/src/bad.ts",
    'import { z } from "zod";\nexport const bad = z;',
    "layers packages/cell/src/bad.ts:1",
  ],
  [
    "Node imported by a bottom package",
    "packages/cell/src/bad.ts",
    'import { readFile } from "node:fs";\nexport const bad = readFile;',
    "layers packages/cell/src/bad.ts:1",
  ],
  [
    "the server imported by the dashboard",
    "packages/web/src/bad.ts",
    'import { fold } from "../../server/src/runs/fold.ts";\nexport const bad = fold;',
    "layers packages/web/src/bad.ts:1",
  ],
  [
    "the cell imported by the dashboard",
    "packages/web/src/bad.ts",
    'import { redact } from "@homeostat/cell/redact";\nexport const bad = redact;',
    "layers packages/web/src/bad.ts:1",
  ],
  [
    "a package that is not listed",
    "packages/server/src/runs/bad.ts",
    'import pad from "left-pad";\nexport const bad = pad;',
    "layers packages/server/src/runs/bad.ts:1",
  ],
  [
    "a cycle",
    "packages/server/src/runs/ring.ts",
    'import type { X } from "./ring.ts";\nexport type Y = X;',
    "cycles packages/server/src/runs/ring.ts:0",
  ],
  [
    "the environment read by a feature",
    "packages/server/src/runs/bad.ts",
    "\nexport const bad = process.env.HOME;",
    "environment packages/server/src/runs/bad.ts:2",
  ],
  [
    "Date.now() in a feature",
    "packages/server/src/runs/bad.ts",
    "export const bad = Date.now();",
    "time packages/server/src/runs/bad.ts:1",
  ],
  [
    "new Date() in a feature",
    "packages/server/src/runs/bad.ts",
    "export const bad = new Date();",
    "time packages/server/src/runs/bad.ts:1",
  ],
  [
    "performance.now() in a feature",
    "packages/server/src/runs/bad.ts",
    "export const bad = performance.now();",
    "time packages/server/src/runs/bad.ts:1",
  ],
  [
    "a timer in a feature",
    "packages/server/src/runs/bad.ts",
    "export const bad = (): unknown => setTimeout(bad, 1);",
    "time packages/server/src/runs/bad.ts:1",
  ],
  [
    "an imported timer in a feature",
    "packages/server/src/runs/bad.ts",
    'import { setTimeout as wait } from "node:timers/promises";\nexport const bad = wait;',
    "time packages/server/src/runs/bad.ts:1",
  ],
  [
    "a file that is too long",
    "packages/server/src/runs/long.ts",
    "export {};\n".repeat(401),
    "size packages/server/src/runs/long.ts:0",
  ],
  [
    "a default export",
    "packages/server/src/runs/bad.ts",
    "export default 1;",
    "default-export packages/server/src/runs/bad.ts:1",
  ],
  [
    "a name that says nothing",
    "packages/server/src/runs/utils.ts",
    "export {};",
    "names packages/server/src/runs/utils.ts:0",
  ],
  [
    "a folder name that says nothing",
    "packages/server/src/runs/shared/fold.ts",
    "export {};",
    "names packages/server/src/runs/shared/fold.ts:0",
  ],
  [
    "a barrel",
    "packages/server/src/runs/index.ts",
    "export {};",
    "names packages/server/src/runs/index.ts:0",
  ],
  [
    "a name in camel case",
    "packages/server/src/runs/foldRun.ts",
    "export {};",
    "names packages/server/src/runs/foldRun.ts:0",
  ],
  [
    "an export that nobody imports",
    "packages/server/src/runs/unused.ts",
    "const used = 1;\nexport type Free = typeof used;\nexport function lonely(): number {\n  return used;\n}",
    "exports packages/server/src/runs/unused.ts:3",
  ],
  ["a file outside every root", "extra/thing.ts", "export {};", "completeness extra/thing.ts:0"],
];

describe("checkRepository", () => {
  test("finds nothing in a clean repository and reads every file", () => {
    expect(check({})).toEqual([]);
  });

  test.each(violations)("finds %s", (_, path, text, finding) => {
    expect(check({ [path]: text })).toEqual([finding]);
  });

  test("finds a ring of several files once", () => {
    const ring = (next: string): string => `import type { A } from "./${next}.ts";\nexport type B = A;`;
    const findings = check({
      "packages/server/src/runs/one.ts": ring("two"),
      "packages/server/src/runs/two.ts": ring("three"),
      "packages/server/src/runs/three.ts": ring("one"),
    });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/^cycles /);
  });

  test("allows the types of a folder where only those are allowed", () => {
    const rows = {
      folders: {
        ...table.folders,
        "packages/server/src/base": ["packages/server/src/runs (types)", "packages/cell/src"],
      },
    };
    const path = "packages/server/src/base/up.ts";
    expect(
      check({ [path]: 'import type { A } from "../runs/fold.ts";\nexport type B = A;' }, rows),
    ).not.toContain(`layers ${path}:1`);
    expect(
      check({ [path]: 'import { fold } from "../runs/fold.ts";\nexport const up = fold;' }, rows),
    ).toContain(`layers ${path}:1`);
  });

  test("allows setImmediate, which measures nothing", () => {
    expect(
      check({
        "packages/server/src/runs/ok.ts":
          'import { setImmediate } from "node:timers/promises";\nexport const ok = setImmediate;',
      }),
    ).toEqual([]);
  });

  test("honours an exception that has a reason, and reports one that is not needed or has none", () => {
    const path = "packages/server/src/runs/bad.ts";
    const files = { [path]: "export const bad = Date.now();" };
    expect(
      check(files, { exceptions: [{ file: path, rule: "time", reason: "a thread of its own" }] }),
    ).toEqual([]);
    expect(check(files, { exceptions: [{ file: path, rule: "time", reason: " " }] })).toEqual([
      `exceptions ${path}:0`,
    ]);
    expect(check({}, { exceptions: [{ file: path, rule: "time", reason: "gone" }] })).toEqual([
      `exceptions ${path}:0`,
    ]);
  });

  test("names the file that does not parse", () => {
    expect(() => check({ "packages/server/src/runs/broken.ts": "export const = 1;" })).toThrow(
      "packages/server/src/runs/broken.ts",
    );
  });
});
