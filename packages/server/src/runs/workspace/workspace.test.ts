import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sha256 } from "../../base/digest.ts";
import { createId } from "../../base/id.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";
import type { HashMemory } from "./hash-memory.ts";
import { createWorkspaces } from "./workspace.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start() {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  const { workspaces } = world.submitDeps;
  return { workspaces, folder: world.folder, runId: createId("run", Date.now()) };
}

/** More than is handled in one piece, and no whole number of pieces. */
const large = (): Buffer => randomBytes(3 * 1024 * 1024 + 17);

describe("a large file of a workspace", () => {
  test("comes in pieces, is laid out, kept after a change, and copied for another run", async () => {
    const { workspaces, runId } = await start();
    const [first, second] = [large(), large()];
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < first.length; at += 100_000) yield first.subarray(at, at + 100_000);
    }
    const { ref, manifest } = await workspaces.seed(runId, [{ path: "in/large.bin", content: pieces() }]);
    expect(manifest.files["in/large.bin"]).toMatchObject({ sha256: sha256(first), sizeBytes: first.length });
    await workspaces.restore(runId, ref);
    const path = join(workspaces.folderOf(runId), "in/large.bin");
    expect((await readFile(path)).equals(first)).toBe(true);
    await writeFile(path, second);
    const kept = await workspaces.capture(runId);
    expect(kept.manifest.files["in/large.bin"]).toMatchObject({ sha256: sha256(second) });
    const other = createId("run", Date.now());
    const copy = await workspaces.copy(kept.ref, other);
    await workspaces.restore(other, copy);
    const copied = join(workspaces.folderOf(other), "in/large.bin");
    expect((await readFile(copied)).equals(second)).toBe(true);
  });

  test("that is kept already is not written again, by whatever way it comes", async () => {
    const { workspaces, folder, runId } = await start();
    const content = large();
    const { ref } = await workspaces.seed(runId, [{ path: "a.bin", content }]);
    await workspaces.restore(runId, ref);
    const blob = join(folder, "blobs", runId, sha256(content));
    const before = await stat(blob);
    // As after a copy of the folder: nothing is remembered of the file.
    await utimes(join(workspaces.folderOf(runId), "a.bin"), 1, 1);
    expect((await workspaces.capture(runId)).ref).toEqual(ref);
    await workspaces.copy(ref, runId);
    expect((await stat(blob)).ino).toBe(before.ino);
  });

  test("whose body is gone leaves what lies in its place", async () => {
    const { workspaces, folder, runId } = await start();
    const content = large();
    const { ref } = await workspaces.seed(runId, [{ path: "a.bin", content }]);
    const place = workspaces.folderOf(runId);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, "a.bin"), "somebody's");
    await rm(join(folder, "blobs", runId, sha256(content)));
    await expect(workspaces.restore(runId, ref)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    expect(await readFile(join(place, "a.bin"), "utf8")).toBe("somebody's");
    expect((await readdir(place)).filter((name) => !name.endsWith(".tmp"))).toEqual(["a.bin"]);
  });
});

test("a worker that lost the run does not touch what its successor is about to put in place", async () => {
  const { workspaces, runId, folder } = await start();
  const content = Buffer.from("what the journal has");
  const { ref, manifest } = await workspaces.seed(runId, [{ path: "a.txt", content }]);
  const place = workspaces.folderOf(runId);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "a.txt"), "an edit");
  const mayGoOn = Promise.withResolvers<undefined>();
  const hasOpened = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const open = (find: () => Promise<undefined>, stream: () => AsyncGenerator<Uint8Array>) =>
    createWorkspaces({
      folder: join(folder, "workspaces"),
      hashes: { find, remember: () => undefined } as unknown as HashMemory,
      blobs: {
        get: () => Promise.resolve(Buffer.from(JSON.stringify(manifest))),
        stream,
      } as unknown as BlobStore,
    });
  const former = open(
    () => mayGoOn.promise,
    async function* () {
      hasOpened.resolve();
      yield await lost.promise;
    },
  );
  const successor = open(
    () => Promise.resolve(undefined),
    async function* () {
      yield content;
      // All is written; what remains is to put it in place.
      mayGoOn.resolve(undefined);
      await hasOpened.promise;
    },
  );
  const late = former.restore(runId, ref);
  await successor.restore(runId, ref);
  expect(await readFile(join(place, "a.txt"), "utf8")).toBe(content.toString());
  lost.reject(new Error("the lease is lost"));
  await expect(late).rejects.toThrow("the lease is lost");
});
