import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commit, sha256 } from "../base/digest.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import type { ArtifactRecord } from "./artifact.ts";
import { planArtifacts } from "./register.ts";
import type { FileSet, WorkspaceChange } from "./register.ts";

const content = (text: string): FileSet["files"][string] => ({
  sha256: sha256(text),
  sizeBytes: text.length,
});
const filesOf = (texts: Readonly<Record<string, string>>): FileSet => ({
  files: Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, content(text)])),
});

function createPlanner(): {
  plan: (change: Partial<WorkspaceChange>) => ReturnType<typeof planArtifacts>;
  known: Map<string, ArtifactRecord>;
} {
  let ids = 0;
  const known = new Map<string, ArtifactRecord>();
  return {
    known,
    plan: (change) => {
      const planned = planArtifacts(
        {
          runId: "run_1",
          tenant: "default",
          step: "write",
          creator: "workflow:audit",
          atMs: 1_000,
          labels: ["l"],
          previous: filesOf({}),
          next: filesOf({}),
          notes: [],
          known,
          ...change,
        },
        { createId: () => `art_${++ids}`, createSalt: () => "00".repeat(16) },
      );
      for (const record of planned.records) known.set(record.path, record);
      return planned;
    },
  };
}

function entriesOf(planned: ReturnType<typeof planArtifacts>): LedgerEntry[] {
  return planned.statements
    .filter((statement) => statement.sql.includes("ledger_outbox"))
    .map((statement) => JSON.parse(statement.params![1] as string) as LedgerEntry);
}

describe("planArtifacts", () => {
  test("a new file becomes an artifact with its origin, its row and its entry in one batch", () => {
    const { plan } = createPlanner();
    const planned = plan({
      next: filesOf({ "out/report.md": "hello", "kept.txt": "kept" }),
      previous: filesOf({ "kept.txt": "kept" }),
      notes: [{ path: "out/report.md", title: "Report" }],
    });
    expect(planned.records).toEqual([
      {
        id: "art_1",
        path: "out/report.md",
        ...content("hello"),
        version: 1,
        change: "created",
        previousSha256: null,
        title: "Report",
        description: null,
        mediaType: "text/markdown",
        step: "write",
        creator: "workflow:audit",
        createdAtMs: 1_000,
        modifiedBy: "workflow:audit",
        modifiedAtMs: 1_000,
        modification: "written by step write",
      },
    ]);
    expect(planned.statements).toHaveLength(2);
    expect(planned.statements[0]!.params).toContain("report.md");
    expect(entriesOf(planned)).toEqual([
      {
        v: 1,
        key: "artifact/art_1/1/write",
        at: "1970-01-01T00:00:01.000Z",
        type: "artifact_created",
        tenant: "default",
        actor: { kind: "agent", id: "workflow:audit" },
        labels: ["l"],
        salt: "00".repeat(16),
        blob: { subject: "run_1", ...content("hello") },
        data: {
          artifact: "art_1",
          run: "run_1",
          step: "write",
          pathCommitment: commit("00".repeat(16), "out/report.md"),
          sha256: sha256("hello"),
          previousSha256: null,
          sizeBytes: 5,
          version: 1,
          mediaType: "text/markdown",
        },
      },
    ]);
    expect(JSON.stringify(entriesOf(planned))).not.toContain("report.md");
  });

  test("a changed file is the same artifact with the next version and the digest before", () => {
    const { plan } = createPlanner();
    plan({ next: filesOf({ a: "1" }), notes: [{ path: "a", title: "A" }] });
    const { records } = plan({
      previous: filesOf({ a: "1" }),
      next: filesOf({ a: "22" }),
      step: "again",
      atMs: 2_000,
    });
    expect(records).toMatchObject([
      {
        id: "art_1",
        version: 2,
        change: "modified",
        previousSha256: sha256("1"),
        sha256: sha256("22"),
        title: "A",
        step: "write",
        createdAtMs: 1_000,
        modifiedAtMs: 2_000,
        modification: "changed by step again",
      },
    ]);
  });

  test("a file handed in with the task is one only when a step changes it or a note names it", () => {
    const { plan } = createPlanner();
    const given = filesOf({ a: "1", b: "2", c: "3" });
    expect(plan({ previous: given, next: given }).records).toEqual([]);
    const { records } = plan({
      previous: given,
      next: filesOf({ a: "1", b: "other" }),
      notes: [{ path: "a", title: "A", description: "d" }],
    });
    expect(records).toMatchObject([
      {
        path: "a",
        title: "A",
        description: "d",
        previousSha256: null,
        modification: "registered by step write",
      },
      { path: "b", previousSha256: sha256("2"), modification: "written by step write" },
    ]);
  });

  test("a deleted artifact is archived once, and becomes the same one again when it is written again", () => {
    const { plan } = createPlanner();
    plan({ next: filesOf({ a: "1" }) });
    const gone = { previous: filesOf({ a: "1" }), next: filesOf({}), step: "delete" };
    expect(plan(gone).records).toMatchObject([
      { change: "archived", version: 1, modification: "deleted by step delete" },
    ]);
    expect(plan({ previous: filesOf({}), next: filesOf({}) }).records).toEqual([]);
    const { records } = plan({ previous: filesOf({}), next: filesOf({ a: "1" }), step: "again" });
    expect(records).toMatchObject([
      { id: "art_1", change: "modified", version: 2, modification: "written again by step again" },
    ]);
  });

  test("a note alone describes without a new version; a note about nothing is dropped", () => {
    const { plan } = createPlanner();
    plan({ next: filesOf({ a: "1" }) });
    const same = { previous: filesOf({ a: "1" }), next: filesOf({ a: "1" }) };
    const planned = plan({
      ...same,
      step: "note",
      notes: [
        { path: "a", title: "T" },
        { path: "none", title: "N" },
      ],
    });
    expect(planned.records).toMatchObject([
      { version: 1, title: "T", modification: "described by step note" },
    ]);
    expect(entriesOf(planned)).toMatchObject([{ key: "artifact/art_1/1/note", type: "artifact_modified" }]);
  });

  test("a record of a journal that knows less is completed", () => {
    const { plan, known } = createPlanner();
    const sparse = { id: "art_9", path: "a", ...content("1"), version: 3, change: "created" as const };
    const { records } = plan({
      known: new Map([["a", sparse]]),
      previous: filesOf({ a: "1" }),
      next: filesOf({ a: "2" }),
    });
    expect(records).toMatchObject([
      { id: "art_9", version: 4, title: null, mediaType: "application/octet-stream" },
    ]);
    expect(known.get("a")!.version).toBe(4);
  });

  test("names that are also names of object members are files like others", () => {
    const { plan } = createPlanner();
    const files = JSON.parse(`{"__proto__":${JSON.stringify(content("1"))}}`) as FileSet["files"];
    expect(plan({ next: { files } }).records).toMatchObject([{ path: "__proto__" }]);
    expect(plan({ next: filesOf({}), known: new Map() }).records).toEqual([]);
  });

  test("whatever happens to files, active records are exactly what differs from what was handed in, and keys never repeat", () => {
    const path = fc.constantFrom("a", "b", "c");
    const state = fc.dictionary(path, fc.constantFrom("1", "2", "3"));
    fc.assert(
      fc.property(state, fc.array(state, { maxLength: 6 }), (seed, states) => {
        const { plan, known } = createPlanner();
        const keys: string[] = [];
        let previous = seed;
        for (const [index, next] of states.entries()) {
          const change = { previous: filesOf(previous), next: filesOf(next), step: `s${index}` };
          keys.push(...entriesOf(plan(change)).map((entry) => entry.key));
          previous = next;
        }
        expect(new Set(keys).size).toBe(keys.length);
        for (const [name, record] of known) {
          if (record.change === "archived") expect(previous[name]).toBeUndefined();
          else expect(record.sha256).toBe(sha256(previous[name]!));
        }
      }),
    );
  });
});
