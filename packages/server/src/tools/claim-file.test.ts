import { link, mkdir, readFile, readdir, rename, stat, symlink, unlink, writeFile } from "node:fs/promises";
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
    const kept = join(place.outside, "kept");
    await writeFile(kept, "precious");
    const tools = createFileTools({ forbiddenFolders: [] });
    const digest = { sha256: sha256("approved"), sizeBytes: 8 };
    const rounds = 150;
    let folder = "";
    let isOver = false;
    let taken = 0;
    const swapping = (async () => {
      while (!isOver) await swap(join(place.workspace, folder));
    })();
    onTestFinished(async () => {
      isOver = true;
      await swapping;
    });
    for (let round = 0; round < rounds; round++) {
      const next = `${round}`;
      const at = (name: string): string => join(place.workspace, next, name);
      await mkdir(at("."));
      await writeFile(at("a"), "approved");
      await link(kept, at("precious"));
      folder = next;
      const args = {
        delete: { files: [{ path: `${next}/a`, ...digest }] },
        move: { from: `${next}/a`, to: `moved/${next}`, ...digest },
      }[action];
      const context = { ...place.context, idempotencyKey: `run/step/${round}` };
      try {
        await tools[action].execute({ resource: "", summary: "", args }, context);
        taken += 1;
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^FILE_(CHANGED|EXISTS|NOT_FOUND)$/) as string,
        });
      }
    }
    isOver = true;
    await swapping;
    const moved = await readdir(join(place.workspace, "moved")).catch(() => []);
    for (const name of moved) {
      expect(await readFile(join(place.workspace, "moved", name), "utf8")).toBe("approved");
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(rounds);
    // Each round gave the precious file one more name; the swapping takes none away.
    expect((await stat(kept)).nlink).toBeGreaterThanOrEqual(1 + rounds);
  },
);

/** Puts the precious file where the approved one was, and back; never replaces a file, so that only a tool can lose one. */
async function swap(folder: string): Promise<void> {
  const moves = [
    ["a", "aside"],
    ["precious", "a"],
    ["a", "precious"],
    ["aside", "a"],
  ] as const;
  for (const [from, to] of moves) {
    try {
      await link(join(folder, from), join(folder, to));
      await unlink(join(folder, from));
    } catch {
      // The tool was faster.
    }
  }
}

test("an approval prepared before is what a swapped file is measured by", async () => {
  const place = await createTestPlace();
  await writeFile(join(place.workspace, "a"), "approved");
  const tool = createFileTools({ forbiddenFolders: [] }).move;
  const resolved = await prepare(tool, { from: "a", to: "b" }, place.context);
  await writeFile(join(place.workspace, "a"), "swapped");
  await expect(tool.execute(resolved, place.context)).rejects.toMatchObject({ code: "FILE_CHANGED" });
  expect(await readdir(place.workspace)).toEqual(["a"]);
});
