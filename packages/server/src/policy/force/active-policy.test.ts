import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { requirePolicy } from "../file/policy-file.ts";
import { openActivePolicy, defaultPolicyPath } from "./active-policy.ts";
import { decide } from "../rules/decide.ts";
import type { ActivePolicy } from "./active-policy.ts";
import type { PolicyChange } from "./policy-holder.ts";

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

  test("a folder in its place stops the start", async () => {
    await mkdir(path);
    await expect(open().start()).rejects.toMatchObject({
      code: "POLICY_INVALID",
      message: expect.stringMatching(/^Cannot (?:read|write)/) as string,
    });
  });

  test("a link to nowhere in its place stops the start", async () => {
    await symlink(join(folder, "nowhere"), path);
    await expect(open().start()).rejects.toMatchObject({
      code: "POLICY_INVALID",
      message: `The policy ${path} is gone`,
    });
  });

  test("a part that is gone when it is read is left out, and too many parts are refused", async () => {
    await writeFile(path, one);
    await mkdir(join(folder, "policy.d"));
    await symlink(join(folder, "nowhere"), join(folder, "policy.d", "a.yaml"));
    const policy = open();
    await policy.start();
    expect(policy.source().files).toHaveLength(1);
    for (let index = 0; index < 201; index++)
      await writeFile(join(folder, "policy.d", `p${index}.yaml`), part2);
    await vi.waitFor(() =>
      expect(policy.source().rejected[0]?.message).toMatch(/holds 202 files, more than 200/),
    );
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

describe("files of policy.d", () => {
  const part =
    "version: 1\nscope: { tenant: acme }\nrules:\n  - { name: acme, effect: deny, action: wait.for }\n";

  test("are followed as policy.yaml is: added, changed, bad, removed", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    const first = policy.current().revision;
    await mkdir(join(folder, "policy.d"));
    await writeFile(join(folder, "policy.d/acme.yaml"), part);
    await vi.waitFor(() => expect(policy.current().rules.map((rule) => rule.name)).toEqual(["a", "acme"]));
    expect(policy.current().revision).not.toBe(first);
    expect(policy.source().files.map(({ name }) => name)).toEqual([path, "policy.d/acme.yaml"]);
    await writeFile(join(folder, "policy.d/acme.yaml"), part.replace("deny", "denied"));
    await vi.waitFor(() => expect(policy.health()).toMatchObject({ kind: "degraded" }));
    expect(policy.health().detail).toContain("policy.d/acme.yaml:4");
    expect(policy.current().rules.map((rule) => rule.name)).toEqual(["a", "acme"]);
    await rm(join(folder, "policy.d/acme.yaml"));
    await vi.waitFor(() => expect(policy.current().revision).toBe(first));
    expect(policy.health()).toMatchObject({ kind: "ok" });
  });
});

describe("activation over the API", () => {
  const candidate = (text: string, expected: string): Parameters<ActivePolicy["activate"]>[0] => ({
    files: [{ name: "policy.yaml", text }],
    expected,
    by: "ada",
    note: null,
  });

  test("writes the file whole, puts it in force at once and says who", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    await policy.activate(candidate(two, policy.current().revision));
    expect(policy.current().rules.map((rule) => rule.name)).toEqual(["b"]);
    expect(await readFile(path, "utf8")).toBe(two);
    expect((await readdir(folder)).sort()).toEqual(["policy.yaml"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(changes.at(-1)).toMatchObject({ kind: "activated", by: "ada", files: [{ text: two }] });
    // The next look at the file finds nothing new but a comment.
    await writeFile(`${path}.new`, `${two}# x\n`);
    await rename(`${path}.new`, path);
    await vi.waitFor(() => expect(policy.source().text).toContain("# x"));
    expect(changes).toHaveLength(2);
  });

  test("writes the parts of policy.d too, and takes away those that are no longer among them", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    const part = { name: "policy.d/acme.yaml", text: "version: 1\nscope: { tenant: acme }\nrules: []\n" };
    const both = {
      ...candidate(two, policy.current().revision),
      files: [{ name: "policy.yaml", text: two }, part],
    };
    await policy.activate(both);
    expect(await readFile(join(folder, part.name), "utf8")).toBe(part.text);
    await policy.activate(candidate(two, policy.current().revision));
    expect(await readdir(join(folder, "policy.d"))).toEqual([]);
    expect(policy.source().files).toHaveLength(1);
  });

  test("changes nothing when another policy is in force than the one expected, or the text is bad", async () => {
    await writeFile(path, one);
    const policy = open();
    await policy.start();
    const { revision } = policy.current();
    await expect(policy.activate(candidate(two, "sha256:0"))).rejects.toMatchObject({ code: "POLICY_CONFLICT" });
    await expect(policy.activate(candidate(bad, revision))).rejects.toMatchObject({ code: "POLICY_INVALID" });
    const escape = { ...candidate(two, revision), files: [{ name: "p", text: two }, { name: "policy.d/../x.yaml", text: part2 }] };
    await expect(policy.activate(escape)).rejects.toMatchObject({ code: "POLICY_INVALID" });
    expect(await readFile(path, "utf8")).toBe(one);
    expect(policy.current().revision).toBe(revision);
    const both = await Promise.allSettled([policy.activate(candidate(two, revision)), policy.activate(candidate(`${one}# x\n`, revision))]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  }); // prettier-ignore
});

const part2 = "version: 1\nrules: []\n";

test("no decision mixes two revisions, however often the policy changes meanwhile", async () => {
  // In each revision the name of the rule says its effect's version; a mixture would show both.
  const text = (version: number): string =>
    `version: 1\nrules:\n${["a", "b", "c"].map((each) => `  - { name: ${each}${version}, effect: allow, action: wait }\n`).join("")}`;
  const versionOf = new Map(
    Array.from({ length: 31 }, (_, version) => [requirePolicy(text(version)).revision, `${version}`]),
  );
  await writeFile(path, text(0));
  const policy = open();
  await policy.start();
  let isDone = false;
  const deciding = (async () => {
    let count = 0;
    while (!isDone) {
      for (let index = 0; index < 40; index++, count++) {
        const current = policy.current();
        const request = { action: "wait.for", resource: "clock", args: {}, labels: [], agent: "a", role: "r", tenant: "t" };
        const { matched, revision } = decide(current, request);
        expect([...new Set(matched.map(({ name }) => name.slice(1)))]).toEqual([versionOf.get(revision)]);
        expect(matched).toHaveLength(3);
        expect(revision).toBe(current.revision);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return count;
  })();
  for (let version = 1; version <= 30; version++) {
    if (version % 3 === 0) {
      await writeFile(`${path}.new`, text(version));
      await rename(`${path}.new`, path);
      await vi.waitFor(() => expect(versionOf.get(policy.current().revision)).toBe(`${version}`), 20_000);
      continue;
    }
    const files = [{ name: "policy.yaml", text: text(version) }];
    await policy.activate({ files, expected: policy.current().revision, by: "ada", note: null });
  }
  isDone = true;
  expect(await deciding).toBeGreaterThan(1_000);
}); // prettier-ignore

test("what is on the disk is in force in the end, also when somebody saves the file at the moment of an activation", async () => {
  const text = (name: string): string => `version: 1\nrules:\n  - { name: ${name}, effect: allow, action: wait }\n`;
  await writeFile(path, text("start"));
  const policy = open();
  await policy.start();
  for (let round = 0; round < 25; round++) {
    const files = [{ name: "policy.yaml", text: text(`api${round}`) }];
    const activating = policy.activate({ files, expected: policy.current().revision, by: "ada", note: null });
    await writeFile(`${path}.new`, text(`file${round}`));
    await new Promise((resolve) => setTimeout(resolve, round % 8));
    await rename(`${path}.new`, path);
    await Promise.allSettled([activating]);
    const kept = requirePolicy(await readFile(path, "utf8")).revision;
    await vi.waitFor(() => expect(policy.current().revision).toBe(kept), 20_000);
  }
}); // prettier-ignore
