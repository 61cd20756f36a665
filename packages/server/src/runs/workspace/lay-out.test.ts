import { mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { RunSession } from "../session/session.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";
import { layOut } from "./lay-out.ts";
import { createWorkspaces } from "./workspace.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(tools: readonly TestTool[] = []): Promise<World> {
  const world = await createWorld({ tools });
  worlds.push(world);
  return world;
}

const asking = `version: 1
name: w
steps:
  - { id: sure, approval: { message: "Go on?" } }
  - { id: last, set: { x: 1 } }
`;

const file = { path: "a.txt", content: Buffer.from("as submitted") };

async function eventBody(world: World, runId: string, kind: string): Promise<unknown> {
  const rows = await world.store.read("SELECT body FROM journal WHERE run_id = ? AND kind = ?", [
    runId,
    kind,
  ]);
  return rows.map((row) => JSON.parse(row["body"] as string) as unknown);
}

describe("a workspace that cannot be laid out", () => {
  test("lets a cancel through", async () => {
    const world = await start();
    const runId = await world.submit(asking, {}, [file]);
    await rm(join(world.folder, "blobs"), { recursive: true });
    await world.command(runId, "cancel");
    await world.startWorker("one");
    expect((await world.until(runId, "CANCELLED")).error).toBeNull();
  });

  test("is the run's error while it is tried again, and a cancel ends that", async () => {
    const world = await start();
    const runId = await world.submit(asking, {}, [file]);
    await rm(join(world.folder, "blobs"), { recursive: true });
    await world.startWorker("one");
    const row = await world.until(runId, "RETRYING");
    expect(row.error).toMatchObject({ code: "WORKSPACE_UNUSABLE" });
    expect(row.error?.message).toContain("could not be laid out");
    await world.command(runId, "cancel");
    await world.until(runId, "CANCELLED");
  });

  test("makes a dead letter of the run after its last attempt", async () => {
    const world = await start();
    const runId = await world.submit(asking, {}, [file]);
    await rm(join(world.folder, "blobs"), { recursive: true });
    await world.startWorker("one");
    const row = await world.until(runId, "DEAD");
    expect(row.attempts).toBe(3);
    expect(row.error).toMatchObject({ code: "WORKSPACE_UNUSABLE" });
  });
});

describe("what people change in a run's folder while it waits", () => {
  async function waiting(world: World): Promise<{ runId: string; folder: string; approval: string }> {
    await world.startWorker("one");
    const runId = await world.submit(asking, {}, [file, { path: "sub/b.txt", content: Buffer.from("b") }]);
    const { id } = await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    return { runId, folder: join(world.folder, "workspaces", runId), approval: id };
  }

  test("is put back, and the journal names the files", async () => {
    const world = await start();
    const { runId, folder, approval } = await waiting(world);
    await writeFile(join(folder, "a.txt"), "edited");
    await writeFile(join(folder, "new.txt"), "new");
    await rm(join(folder, "sub"), { recursive: true });
    await world.answer(approval, "approve");
    await world.until(runId, "COMPLETED");
    expect(await eventBody(world, runId, "workspace.restored")).toEqual([
      { count: 3, putBack: ["a.txt", "sub/b.txt"], removed: ["new.txt"] },
    ]);
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("as submitted");
    expect(await readdir(folder)).toEqual(["a.txt", "sub"]);
    expect((await world.state(runId)).repair).toMatchObject({ count: 3, putBack: ["a.txt", "sub/b.txt"] });
  });

  test("includes a link laid in a file's place, whose target stays as it is", async () => {
    const world = await start();
    const { runId, folder, approval } = await waiting(world);
    const outside = join(world.folder, "outside.txt");
    await writeFile(outside, "mine");
    await rm(join(folder, "a.txt"));
    await symlink(outside, join(folder, "a.txt"));
    await world.answer(approval, "approve");
    await world.until(runId, "COMPLETED");
    expect((await world.state(runId)).repair).toMatchObject({ count: 1, putBack: ["a.txt"], removed: [] });
    expect(await readFile(outside, "utf8")).toBe("mine");
  });

  test("says nothing when nobody changed anything, or the folder is laid out for the first time on this host", async () => {
    const world = await start();
    const { runId, folder, approval } = await waiting(world);
    await rm(folder, { recursive: true });
    await world.answer(approval, "approve");
    await world.until(runId, "COMPLETED");
    expect(await world.kinds(runId)).not.toContain("workspace.restored");
    expect((await world.state(runId)).repair).toBeNull();
  });
});

describe("a file whose name holds a secret", () => {
  test("fails the step that wrote it, and neither list nor journal has the name", async () => {
    const written: TestTool = {
      name: "test.write",
      effect: "idempotent",
      touchesFiles: true,
      act: async (_, { roots }) => {
        await writeFile(join(roots[0]!.path, "key-SECRET.txt"), "x");
        return null;
      },
    };
    const world = await start([written]);
    await world.startWorker("one");
    const runId = await world.submit(
      "version: 1\nname: w\nsteps:\n  - { id: a, tool: test.write, with: {} }\n",
    );
    await world.until(runId, "FAILED");
    const { error } = await world.row(runId);
    expect(error).toMatchObject({
      code: "OUTPUT_INVALID",
      message: expect.stringContaining("key-***.txt") as string,
    });
    const rows = [
      ...(await world.store.read("SELECT path FROM artifacts")),
      ...(await world.store.read("SELECT body FROM journal")),
    ];
    expect(JSON.stringify(rows)).not.toContain("SECRET");
  });

  test("is gone when the workflow goes on, and in nobody's way", async () => {
    const write = (name: string, file: string): TestTool => ({
      name,
      effect: "idempotent",
      touchesFiles: true,
      act: async (_, { roots }) => {
        await writeFile(join(roots[0]!.path, file), "x");
        return null;
      },
    });
    const world = await start([write("test.bad", "key-SECRET.txt"), write("test.good", "plain.txt")]);
    await world.startWorker("one");
    const runId = await world.submit(`version: 1
name: w
steps:
  - { id: a, tool: test.bad, with: {}, catch: [{ id: c, set: { x: 1 } }] }
  - { id: b, tool: test.good, with: {} }
`);
    await world.until(runId, "COMPLETED");
    expect(Object.keys((await world.manifests(runId)).at(-1)!)).toEqual(["plain.txt"]);
  });
});

describe("files with names that objects have of themselves", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];

  test("are kept when they are handed in and when a step writes them", async () => {
    const written: TestTool = {
      name: "test.write",
      effect: "idempotent",
      touchesFiles: true,
      act: async (args, { roots }) => {
        await writeFile(join(roots[0]!.path, String(args["path"])), "written");
        return null;
      },
    };
    const world = await start([written]);
    await world.startWorker("one");
    const steps = names
      .map((name, index) => `  - { id: w${index}, tool: test.write, with: { path: "out/${name}" } }\n`)
      .join("");
    const text = `version: 1\nname: w\nsteps:\n${steps}  - { id: sure, approval: { message: "Go on?" } }\n`;
    const handedIn = names.map((path) => ({ path, content: Buffer.from("handed in") }));
    const runId = await world.submit(text, {}, [...handedIn, { path: "out/x", content: Buffer.from("x") }]);
    const { id } = await world.waitingApproval(runId);
    await world.until(runId, "WAITING");
    const folder = join(world.folder, "workspaces", runId);
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await writeFile(join(folder, "valueOf"), "a stranger");
    await world.answer(id, "approve");
    await world.until(runId, "COMPLETED");
    expect((await readdir(folder)).sort()).toEqual([...names, "out"].sort());
    expect((await readdir(join(folder, "out"))).sort()).toEqual([...names, "x"].sort());
    expect((await world.state(runId)).repair?.removed).toEqual(["valueOf"]);
  });
});

test("a worker that comes back after its lease leaves the files as another worker has made them", async () => {
  const world = await start();
  const workspaces = createWorkspaces({
    ...{ folder: join(world.folder, "shared"), blobs: world.submitDeps.blobs },
    hashes: { find: () => Promise.resolve(undefined), remember: () => undefined },
  });
  const { ref } = await workspaces.seed("run_1", [file]);
  await workspaces.restore("run_1", ref);
  const folder = workspaces.folderOf("run_1");
  await writeFile(join(folder, "a.txt"), "as another worker left it");
  const layOutLate = (workspace: typeof ref | null): Promise<unknown> => {
    const lease = { name: "run/run_1", remainingMs: () => 0 };
    const session = { runId: "run_1", state: { workspace }, lease } as unknown as RunSession;
    return layOut(session, workspaces);
  };
  await expect(layOutLate(ref)).rejects.toMatchObject({ code: "LEASE_LOST" });
  await expect(layOutLate(null)).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("as another worker left it");
});
