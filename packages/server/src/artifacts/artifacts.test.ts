import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { createSilentLogger } from "../base/log.ts";
import { startTestServer } from "../http/test-server.ts";
import { outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { artifactsMigration } from "./artifact.ts";
import type { Artifact, ArtifactRecord, ArtifactView } from "./artifact.ts";
import { createArtifactRoutes } from "./artifacts.routes.ts";
import { artifactsOfRun } from "./find-artifacts.ts";
import { planArtifacts } from "./register.ts";
import type { Note } from "./register.ts";
import { verifyArtifacts } from "./verify-artifacts.ts";
import type { FoundContent } from "./verify-artifacts.ts";

async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-artifacts-"));
  const store = await openSqliteStore({
    path: join(folder, "state.db"),
    migrations: [outboxMigration, artifactsMigration],
    clock: systemClock,
    logger: createSilentLogger(),
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

/** Registers files of a run as one step that wrote them all. */
async function register(
  store: Store,
  texts: Readonly<Record<string, string>>,
  options: {
    readonly runId?: string;
    readonly tenant?: string;
    readonly firstId?: number;
    readonly notes?: readonly Note[];
  } = {},
): Promise<ReadonlyMap<string, ArtifactRecord>> {
  let id = options.firstId ?? 1;
  const files = Object.entries(texts).map(([path, text]) => [
    path,
    { sha256: sha256(text), sizeBytes: text.length },
  ]);
  const { records, statements } = planArtifacts(
    {
      runId: options.runId ?? "run_1",
      tenant: options.tenant ?? "default",
      step: "write",
      creator: "workflow:audit",
      atMs: 1_000,
      labels: [],
      previous: { files: {} },
      next: { files: Object.fromEntries(files) as Record<string, { sha256: string; sizeBytes: number }> },
      notes: options.notes ?? [],
      known: new Map(),
    },
    { createId: () => `art_${id++}`, createSalt: () => "ab".repeat(16) },
  );
  await store.write(statements);
  return new Map(records.map((record) => [record.path, record]));
}

describe("the table", () => {
  test("gives back what the plan recorded, and a later version replaces the row", async () => {
    const store = await openStore();
    const known = await register(store, { "out/a.md": "1" });
    const { change: _change, ...record } = known.get("out/a.md")!;
    expect(await artifactsOfRun(store, "run_1")).toMatchObject([
      { ...record, filename: "a.md", status: "active", labels: [] },
    ]);
    const { statements } = planArtifacts(
      {
        runId: "run_1",
        tenant: "default",
        step: "again",
        creator: "workflow:audit",
        atMs: 2_000,
        labels: [],
        previous: { files: { "out/a.md": { sha256: sha256("1"), sizeBytes: 1 } } },
        next: { files: {} },
        notes: [],
        known,
      },
      { createId: () => "art_new", createSalt: () => "ab".repeat(16) },
    );
    await store.write(statements);
    expect(await artifactsOfRun(store, "run_1")).toMatchObject([
      { id: "art_1", status: "archived", modifiedAtMs: 2_000 },
    ]);
  });
});

describe("verifyArtifacts", () => {
  const setUp = async () => {
    const store = await openStore();
    const texts = { a: "A", b: "B", c: "C" };
    const recorded = new Map([
      ["run_1", await register(store, texts, { notes: [{ path: "a", title: "T" }] })],
    ]);
    const as = (text: string): FoundContent => ({ kind: "content", sha256: sha256(text) });
    const same = async (artifact: Artifact): Promise<FoundContent> => as(artifact.path.toUpperCase());
    const verify = (overrides: Partial<Parameters<typeof verifyArtifacts>[0]> = {}) =>
      verifyArtifacts({
        store,
        runId: null,
        recorded,
        findStored: same,
        findWorkspaceCopy: same,
        ...overrides,
      });
    return { store, verify, as };
  };

  test("nothing to find in an untouched run, of one run or of all", async () => {
    const { verify } = await setUp();
    const whole = { artifacts: 3, counts: { OK: 3, MODIFIED: 0, MISSING: 0, ERASED: 0 }, findings: [] };
    expect(await verify()).toEqual(whole);
    expect(await verify({ runId: "run_1" })).toEqual(whole);
    expect(await verify({ runId: "run_2", recorded: new Map() })).toMatchObject({ artifacts: 0 });
  });

  test("a changed, a missing and an unreadable content are named with file and place", async () => {
    const { verify, as } = await setUp();
    const { counts, findings } = await verify({
      findStored: async ({ path }) => (path === "b" ? { kind: "missing" } : as(path.toUpperCase())),
      findWorkspaceCopy: async ({ path }) =>
        path === "a"
          ? as("tampered")
          : path === "c"
            ? { kind: "unreadable", detail: "EIO" }
            : { kind: "absent-place" },
    });
    expect(counts).toEqual({ OK: 0, MODIFIED: 2, MISSING: 1, ERASED: 0 });
    expect(findings).toEqual([
      {
        what: "artifact MODIFIED",
        where: "a of run_1 (art_1)",
        detail: `the file in the workspace has digest ${sha256("tampered")}, recorded is ${sha256("A")}`,
      },
      { what: "artifact MISSING", where: "b of run_1 (art_2)", detail: "the stored content is gone" },
      {
        what: "artifact MODIFIED",
        where: "c of run_1 (art_3)",
        detail: "the file in the workspace cannot be read: EIO",
      },
    ]);
  });

  test("a body erased on purpose and a workspace cleaned away are no findings", async () => {
    const { verify } = await setUp();
    const verdict = await verify({
      findStored: async () => ({ kind: "erased" }),
      findWorkspaceCopy: async () => ({ kind: "absent-place" }),
    });
    expect(verdict).toMatchObject({ counts: { OK: 0, ERASED: 3 }, findings: [] });
  });

  test.each([
    ["title = 'Other'", "column title"],
    ["sha256 = 'ff'", "column sha256"],
    ["media_type = 'text/html'", "column media_type"],
    ["created_at_ms = 5", "column created_at_ms"],
    ["status = 'archived'", "column status"],
    ["blob_subject = 'run_2'", "column blob_subject"],
  ])("a row changed by `SET %s` is named by %s", async (change, where) => {
    const { store, verify } = await setUp();
    await store.write([{ sql: `UPDATE artifacts SET ${change} WHERE id = 'art_1'` }]);
    const { findings } = await verify({ findStored: async () => ({ kind: "erased" }) });
    expect(findings.map((finding) => finding.where)).toContain(
      `state.db, table artifacts, id art_1, ${where}`,
    );
  });

  test("rows nobody recorded and records without a row are found", async () => {
    const { store, verify } = await setUp();
    await store.write([{ sql: "UPDATE artifacts SET path = 'x' WHERE id = 'art_3'" }]);
    const { findings } = await verify({ findStored: async () => ({ kind: "erased" }) });
    expect(findings.map((finding) => finding.what)).toEqual(
      expect.arrayContaining(["artifact unknown", "artifact row missing"]),
    );
  });
});

describe("the routes", () => {
  const start = async (contents: Readonly<Record<string, string>>) => {
    const store = await openStore();
    const server = await startTestServer(
      createArtifactRoutes({
        store,
        readContent: async ({ path }) => Buffer.from(contents[path]!, "latin1"),
      }),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    return { store, server };
  };

  test("pages go from the newest to the oldest, by run where asked, never across tenants", async () => {
    const { store, server } = await start({});
    await register(store, { a: "A", b: "B", c: "C" });
    await register(store, { d: "D" }, { runId: "run_2", firstId: 4 });
    await register(store, { e: "E" }, { runId: "run_3", firstId: 5, tenant: "other" });
    const page = async (query: string): Promise<{ data: ArtifactView[]; nextCursor: string | null }> =>
      (await (await server.call(`/v1/artifacts?${query}`)).json()) as {
        data: ArtifactView[];
        nextCursor: string | null;
      };
    const first = await page("limit=3");
    expect(first.data.map((artifact) => artifact.id)).toEqual(["art_4", "art_3", "art_2"]);
    const second = await page(`limit=3&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ data: [{ id: "art_1" }], nextCursor: null });
    expect((await page("run=run_2")).data).toMatchObject([
      { path: "d", createdAt: "1970-01-01T00:00:01.000Z" },
    ]);
    expect((await page("run=run_3")).data).toEqual([]);
    expect((await server.call("/v1/artifacts/art_5")).status).toBe(404);
    expect(await (await server.call("/v1/artifacts/art_1")).json()).toMatchObject({
      id: "art_1",
      filename: "a",
    });
  });

  test("content is a download that nothing sniffs; images and text show inline in a sandbox", async () => {
    const png = "\x89PNG\r\n\x1a\n";
    const { store, server } = await start({
      "größe 'x'.png": png,
      "page.html": "<script>",
      "fake.png": "<script>",
    });
    await register(store, { "größe 'x'.png": png, "page.html": "", "fake.png": "" });
    const get = (id: string, query = ""): Promise<Response> =>
      server.call(`/v1/artifacts/${id}/content${query}`);
    const download = await get("art_2");
    expect(download.headers.get("content-type")).toBe("application/octet-stream");
    expect(download.headers.get("content-disposition")).toBe(
      "attachment; filename=\"gr__e 'x'.png\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%27x%27.png",
    );
    expect(Buffer.from(await download.arrayBuffer()).toString("latin1")).toBe(png);
    const shown = await get("art_2", "?inline=1");
    expect(shown.headers.get("content-type")).toBe("image/png");
    expect(shown.headers.get("content-disposition")).toMatch(/^inline; /);
    expect(shown.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
    for (const id of ["art_1", "art_3"]) {
      const refused = await get(id, "?inline=1");
      expect(refused.headers.get("content-type")).toBe("application/octet-stream");
      expect(refused.headers.get("content-disposition")).toMatch(/^attachment; /);
      expect(refused.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});
