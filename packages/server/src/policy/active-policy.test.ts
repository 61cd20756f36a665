import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../base/clock.ts";
import { openActivePolicy, defaultPolicyPath } from "./active-policy.ts";
import type { ActivePolicy, PolicyChange } from "./active-policy.ts";

let folder = "";
let path = "";
let changes: PolicyChange[] = [];
let opened: ActivePolicy | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-policy-"));
  path = join(folder, "policy.yaml");
  changes = [];
});

afterEach(async () => {
  await opened?.stop(1_000);
  opened = undefined;
  await rm(folder, { recursive: true });
});

function open(): ActivePolicy {
  opened = openActivePolicy({
    path,
    clock: systemClock,
    knownActions: ["wait.for", "file_ops.read"],
    report: (change) => changes.push(change),
    pollMs: 10,
  });
  return opened;
}

const one = "version: 1\nrules:\n  - { name: a, effect: allow, action: wait.for }\n";
const two = "version: 1\nrules:\n  - { name: b, effect: deny, action: wait.for }\n";
const bad = "version: 1\nrules:\n  - { name: c, effect: permit, action: wait.for }\n";

describe("the active policy", () => {
  test("begins with the shipped file when there is none, and never overwrites one", async () => {
    const policy = open();
    expect(() => policy.current()).toThrow(/not loaded yet/);
    expect(policy.health()).toMatchObject({ kind: "failed" });
    await policy.start();
    expect(await readFile(path, "utf8")).toBe(await readFile(defaultPolicyPath, "utf8"));
    expect(policy.health()).toMatchObject({ kind: "ok" });
    expect(changes).toMatchObject([{ kind: "activated", revision: policy.current().revision }]);
    await policy.stop(1_000);
    await writeFile(path, one);
    await open().start();
    expect(await readFile(path, "utf8")).toBe(one);
  });

  test("follows the file, also when it is replaced by rename", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    expect(policy.current().rules.map((rule) => rule.name)).toEqual(["a"]);
    await writeFile(path, two);
    await vi.waitFor(() => expect(policy.current().rules.map((rule) => rule.name)).toEqual(["b"]));
    await writeFile(`${path}.new`, one);
    await rename(`${path}.new`, path);
    await vi.waitFor(() => expect(policy.current().rules.map((rule) => rule.name)).toEqual(["a"]));
    expect(changes.map((change) => change.kind)).toEqual(["activated", "activated", "activated"]);
    expect(policy.source()).toMatchObject({ path, text: one, warnings: [], rejected: [] });
  });

  test("a change of comments is taken over without a new revision", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    await writeFile(path, `# note\n${one}`);
    await vi.waitFor(() => expect(policy.source().text).toMatch(/^# note/));
    expect(changes).toHaveLength(1);
  });

  test("keeps the last good policy when the file is bad or gone, says so once, and recovers", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    const before = policy.current();
    await writeFile(path, bad);
    await vi.waitFor(() => expect(changes).toHaveLength(2));
    expect(changes[1]).toMatchObject({
      kind: "rejected",
      kept: before.revision,
      findings: [{ file: path, line: 3, path: "rules[0].effect" }],
    });
    expect(policy.current()).toBe(before);
    expect(policy.health()).toMatchObject({
      kind: "degraded",
      detail: expect.stringContaining("rules[0].effect"),
    });
    expect(policy.source().rejected).toHaveLength(1);
    await rm(path);
    await vi.waitFor(() => expect(changes).toHaveLength(3));
    expect(changes[2]).toMatchObject({
      kind: "rejected",
      findings: [{ message: expect.stringContaining("gone") }],
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(changes).toHaveLength(3);
    expect(policy.current()).toBe(before);
    await writeFile(path, two);
    await vi.waitFor(() => expect(policy.health()).toMatchObject({ kind: "ok" }));
    expect(policy.current().rules.map((rule) => rule.name)).toEqual(["b"]);
  });

  test("an error while reading is reported once and does not stop the watch", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    await rm(path);
    await import("node:fs/promises").then((fs) => fs.mkdir(path));
    await vi.waitFor(() => expect(policy.health()).toMatchObject({ kind: "degraded" }));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(changes.filter((change) => change.kind === "rejected").length).toBeLessThanOrEqual(2);
    await rm(path, { recursive: true });
    await writeFile(path, two);
    await vi.waitFor(() => expect(policy.current().rules.map((rule) => rule.name)).toEqual(["b"]));
  });

  test("a bad first file stops the start with its findings", async () => {
    await writeFile(path, bad);
    await expect(open().start()).rejects.toMatchObject({
      code: "POLICY_INVALID",
      details: [{ file: path, line: 3 }],
    });
  });

  test("a folder that cannot be written stops the start", async () => {
    path = join(folder, "missing", "policy.yaml");
    await expect(open().start()).rejects.toMatchObject({ code: "POLICY_INVALID" });
  });

  test("decisions while reloading see one policy or the other, never none", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    const seen = new Set<string>();
    const until = performance.now() + 300;
    for (let round = 0; performance.now() < until; round++) {
      await writeFile(path, round % 2 === 0 ? two : one);
      for (let look = 0; look < 20; look++) {
        seen.add(
          policy
            .current()
            .rules.map((rule) => rule.name)
            .join(),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect([...seen].every((names) => names === "a" || names === "b")).toBe(true);
    expect((await stat(path)).isFile()).toBe(true);
  });
});
