import { existsSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  finishPolicyFolder,
  pendingName,
  readPolicyFolder,
  stampOf,
  writePolicyFolder,
} from "./policy-folder.ts";
import { createManualClock, systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { PolicyText } from "./policy-file.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-policy-folder-"));
  path = join(folder, "policy.yaml");
});
afterEach(() => rm(folder, { recursive: true }));

/** Of a machine whose clock was set back: what was written before lies ahead. */
const longAgo: Clock = { ...systemClock, now: () => 0 };

/** A deny that moves from a part to the main file, or back: whoever sees half of it sees no deny. */
const inPart: readonly PolicyText[] = [
  { name: "policy.yaml", text: "main allows" },
  { name: "policy.d/a.yaml", text: "part denies" },
];
const inMain: readonly PolicyText[] = [{ name: "policy.yaml", text: "main denies" }];

const texts = async (): Promise<readonly string[] | undefined> =>
  (await readPolicyFolder(path))?.map(({ text }) => text);

describe("a policy of several files", () => {
  test("is replaced as one: readers see the old set or the new one, however often it changes", async () => {
    await writePolicyFolder(path, inPart, systemClock);
    let isOver = false;
    const writing = (async () => {
      for (let round = 0; round < 60; round += 1)
        await writePolicyFolder(path, round % 2 ? inPart : inMain, systemClock);
      isOver = true;
    })();
    const seen = new Set<string>();
    while (!isOver) seen.add(((await texts()) ?? []).join(", "));
    await writing;
    expect([...seen].sort()).toEqual(["main allows, part denies", "main denies"]);
    expect((await readdir(folder)).sort()).toEqual(["policy.d", "policy.yaml"]);
  });

  test("that a killed writer left half replaced is the new one, and the next look ends it", async () => {
    await writePolicyFolder(path, inPart, systemClock);
    const before = await stampOf(path);
    // As the writer leaves it that ends after the part is gone and before policy.yaml is there.
    await writeFile(join(folder, pendingName), JSON.stringify({ mark: "1", files: inMain }));
    await rm(join(folder, "policy.d/a.yaml"));
    expect(await stampOf(path)).not.toBe(before);
    expect(await texts()).toEqual(["main denies"]);
    const nowMs = systemClock.now();
    await finishPolicyFolder(path, systemClock, 10_000);
    expect(await readdir(folder)).toContain(pendingName);
    await utimes(join(folder, pendingName), new Date(nowMs - 11_000), new Date(nowMs - 11_000));
    await finishPolicyFolder(path, systemClock, 10_000);
    expect(await readdir(folder)).not.toContain(pendingName);
    expect(await texts()).toEqual(["main denies"]);
    await finishPolicyFolder(path, systemClock, 10_000);
  });

  test("whose end an old and a new process write at once is the newest set", async () => {
    for (let round = 0; round < 20; round += 1) {
      await writePolicyFolder(path, inPart, systemClock);
      await writeFile(join(folder, pendingName), JSON.stringify({ mark: String(round), files: inPart }));
      // Of a clock that was set back since: its age says nothing.
      const finishing = finishPolicyFolder(path, longAgo, 10_000);
      await Promise.all([
        finishing,
        writePolicyFolder(path, inMain, systemClock),
        finishPolicyFolder(path, longAgo, 10_000),
      ]);
      await finishPolicyFolder(path, longAgo, 10_000);
      expect(await texts()).toEqual(["main denies"]);
    }
  });

  test("waits for nobody's turn longer than a turn lasts", async () => {
    const clock = createManualClock();
    await writeFile(join(folder, "policy.pending.lock"), "");
    const writing = writePolicyFolder(path, inPart, clock);
    for (let round = 0; round < 520; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await stampOf(path);
      clock.advance(20);
    }
    await writing;
    expect(await texts()).toEqual(["main allows", "part denies"]);
    expect((await readdir(folder)).sort()).toEqual(["policy.d", "policy.yaml"]);
  });

  test("refuses names outside policy.d before anything is written", async () => {
    await writePolicyFolder(path, inPart, systemClock);
    const stray = [...inMain, { name: "policy.d/../../x.yaml", text: "" }];
    await expect(writePolicyFolder(path, stray, systemClock)).rejects.toMatchObject({
      code: "POLICY_INVALID",
    });
    expect(await texts()).toEqual(["main allows", "part denies"]);
  });

  test("that somebody edits while it is read is read again", async () => {
    await mkdir(join(folder, "policy.d"));
    for (let n = 0; n < 100; n += 1) await writeFile(join(folder, `policy.d/p${n}.yaml`), "");
    await writeFile(path, "main");
    const reading = readPolicyFolder(path);
    // One change in each turn of the event loop: a hundred files are not read in fewer turns.
    for (let n = 0; n < 100; n += 1) {
      writeFileSync(join(folder, "policy.d/p0.yaml"), "x".repeat(n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await reading)?.[1]?.text).toBe("x".repeat(99));
  });

  test("whose writer was stopped for longer than its turn lasts gives way to the set of whoever went on", async () => {
    const parts = Array.from({ length: 60 }, (_, n) => ({ name: `policy.d/p${n}.yaml`, text: "old part" }));
    const slow = writePolicyFolder(path, [{ name: "policy.yaml", text: "old" }, ...parts], systemClock);
    const pending = join(folder, pendingName);
    while (!existsSync(pending)) await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(pending, JSON.stringify({ mark: "newer", files: inMain }));
    await slow;
    expect(await texts()).toEqual(["main denies"]);
    await finishPolicyFolder(path, longAgo, 10_000);
    expect(await readdir(join(folder, "policy.d"))).toEqual([]);
    expect(await texts()).toEqual(["main denies"]);
  });

  test("where there is no folder is nobody's turn: the writer is told at once", async () => {
    const nowhere = join(folder, "nowhere/policy.yaml");
    await expect(writePolicyFolder(nowhere, inPart, systemClock)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("has a bound on its files", async () => {
    await mkdir(join(folder, "policy.d"));
    for (let n = 0; n < 201; n += 1) await writeFile(join(folder, `policy.d/p${n}.yaml`), "");
    await writeFile(path, "");
    await expect(readPolicyFolder(path)).rejects.toMatchObject({ code: "POLICY_INVALID" });
  });
});
