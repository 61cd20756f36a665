import { link, mkdir, readFile, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { claimFile, findClaimable, isClaimable } from "./claim-file.ts";
import type { ClaimTarget } from "./claim-file.ts";
import { isTemporaryName } from "./file-contents.ts";
import { createFileTools } from "./files.ts";
import { openFolder } from "./open-folder.ts";
import { parsePath } from "./paths.ts";
import { createTestPlace, prepare } from "./testing-context.ts";
import type { TestPlace } from "./testing-context.ts";

const { signal } = new AbortController();

async function createTarget(content?: string): Promise<{ place: TestPlace; target: ClaimTarget }> {
  const place = await createTestPlace();
  if (content !== undefined) await writeFile(join(place.workspace, "a"), content);
  const folder = await openFolder(parsePath(".", "read", place.roots), { forbiddenFolders: [] });
  return { place, target: { folder, name: "a", what: "workspace/a", idempotencyKey: "run/step/1" } };
}

test("a claimed file has a hidden name until it is released", async () => {
  const { place, target } = await createTarget("A");
  const claimed = await claimFile(target, sha256("A"), signal);
  expect(await readdir(place.workspace)).toEqual([claimed.name]);
  expect(isTemporaryName(claimed.name)).toBe(true);
  expect(await findClaimable(target, signal)).toEqual({ sha256: sha256("A"), sizeBytes: 1 });
  await claimed.release();
  expect(await readdir(place.workspace)).toEqual(["a"]);
  await target.folder.close();
});

test("the same step finds its claim again after a crash, another step does not", async () => {
  const { target } = await createTarget("A");
  const first = await claimFile(target, sha256("A"), signal);
  expect((await claimFile(target, sha256("A"), signal)).name).toBe(first.name);
  expect(await isClaimable(target)).toBe(true);
  expect(await isClaimable({ ...target, idempotencyKey: "run/other/1" })).toBe(false);
  await target.folder.close();
});

test("another content, a link and a folder get their names back and are refused", async () => {
  for (const [make, code] of [
    [(place: TestPlace) => writeFile(join(place.workspace, "a"), "other"), "FILE_CHANGED"],
    [(place: TestPlace) => symlink("/etc/passwd", join(place.workspace, "a")), "FILE_CHANGED"],
    [(place: TestPlace) => mkdir(join(place.workspace, "a")), "ACTION_INVALID"],
  ] as const) {
    const { place, target } = await createTarget();
    await make(place);
    await expect(claimFile(target, sha256("A"), signal)).rejects.toMatchObject({ code });
    expect(await readdir(place.workspace)).toEqual(["a"]);
    await target.folder.close();
  }
});

test("a file that is gone cannot be claimed, and releasing what somebody removed is no error", async () => {
  const { place, target } = await createTarget();
  await expect(claimFile(target, sha256("A"), signal)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await writeFile(join(place.workspace, "a"), "A");
  const claimed = await claimFile(target, sha256("A"), signal);
  await rename(join(place.workspace, claimed.name), join(place.outside, "taken"));
  await claimed.release();
  await target.folder.close();
});

test("a file that took the name meanwhile is not overwritten; the error says where the first one is", async () => {
  const { place, target } = await createTarget("A");
  const claimed = await claimFile(target, sha256("A"), signal);
  await writeFile(join(place.workspace, "a"), "newer");
  await expect(claimed.release()).rejects.toMatchObject({
    code: "FILE_EXISTS",
    data: { kept: claimed.name },
  });
  expect(await readFile(join(place.workspace, "a"), "utf8")).toBe("newer");
  expect(await readFile(join(place.workspace, claimed.name), "utf8")).toBe("A");
  await target.folder.close();
});

test.each(["delete", "move"] as const)(
  "however fast an adversary swaps files, %s never takes one that was not approved",
  async (action) => {
    const place = await createTestPlace();
    const at = (name: string): string => join(place.workspace, name);
    const tools = createFileTools({ forbiddenFolders: [] });
    let isOver = false;
    let taken = 0;
    let refused = 0;
    const swapping = (async () => {
      while (!isOver) {
        // Any of these may fail because the other side was faster.
        await rename(at("a"), at("aside")).catch(() => undefined);
        await rename(at("precious"), at("a")).catch(() => undefined);
        await rename(at("a"), at("precious")).catch(() => undefined);
        await rename(at("aside"), at("a")).catch(() => undefined);
      }
    })();
    await writeFile(join(place.outside, "kept"), "precious");
    onTestFinished(async () => {
      isOver = true;
      await swapping;
    });
    for (let round = 0; round < 150; round++) {
      await writeFile(at("new"), "approved");
      await rename(at("new"), at("a"));
      await link(join(place.outside, "kept"), at("precious")).catch(() => undefined);
      const digest = { sha256: sha256("approved"), sizeBytes: 8 };
      const args = {
        delete: { files: [{ path: "a", ...digest }] },
        move: { from: "a", to: `moved/${round}`, ...digest },
      }[action];
      const context = { ...place.context, idempotencyKey: `run/step/${round}` };
      try {
        await tools[action].execute({ resource: "", summary: "", args }, context);
        taken += 1;
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^FILE_(CHANGED|EXISTS|NOT_FOUND)$/) as string,
        });
        refused += 1;
      }
    }
    isOver = true;
    await swapping;
    const moved = await readdir(at("moved")).catch(() => []);
    for (const name of moved) expect(await readFile(join(at("moved"), name), "utf8")).toBe("approved");
    expect(taken).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    // The precious file is a hard link of one outside: as long as it has two names, nobody deleted it.
    const names = await readdir(place.workspace);
    const contents = await Promise.all(names.map((name) => readFile(at(name), "utf8").catch(() => "")));
    expect(contents).toContain("precious");
  },
);

test("an approval prepared before is what a swapped file is measured by", async () => {
  const place = await createTestPlace();
  await writeFile(join(place.workspace, "a"), "approved");
  const tool = createFileTools({ forbiddenFolders: [] }).move;
  const resolved = await prepare(tool, { from: "a", to: "b" }, place.context);
  await writeFile(join(place.workspace, "a"), "swapped");
  await expect(tool.execute(resolved, place.context)).rejects.toMatchObject({ code: "FILE_CHANGED" });
  expect(await readdir(place.workspace)).toEqual(["a"]);
});
