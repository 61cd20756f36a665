/** The steps of the fake brand-audit run in order, with what each asks for and gives back. */
import type { StepDecision, StepView } from "../src/api/contract.ts";
import { chartSvg, measureSource, reportText } from "./fake-texts.ts";

export interface ScriptStep extends Pick<
  StepView,
  "path" | "id" | "kind" | "depth" | "title" | "tool" | "resource" | "summary" | "effect" | "args" | "output"
> {
  readonly durationMs: number;
  readonly decision: StepDecision | null;
  readonly progress?: readonly string[];
  readonly writes?: {
    readonly path: string;
    readonly title: string;
    readonly mediaType: string;
    readonly content: string;
  };
  readonly asks?: boolean;
  readonly isSkipped?: boolean;
}

export const revision = "5f2c9e0d41b7a86c3e15f09d7b2a4c68e1f3052b9d8c7a6e4f1b0d2c3a5e6f78";

const allow = (name: string, line: number, why: string): StepDecision => ({
  effect: "allow",
  risk: "low",
  reason: `Allowed by ${name}.`,
  revision,
  matched: [{ name, effect: "allow", line, why }],
});

const base = {
  title: null,
  tool: null,
  resource: null,
  summary: null,
  effect: null,
  args: null,
  output: null,
  decision: null,
};

const groups = ["logos", "icons", "banners", "photos"];

export const stalePaths = [
  "assets/logos/logo-2017.png",
  "assets/logos/logo-2017-inverse.png",
  "assets/banners/summer-2019.webp",
];

export const deleteArgs = {
  paths: stalePaths,
  files: stalePaths.map((path, index) => ({
    path,
    sizeBytes: [48_211, 47_984, 212_330][index],
    sha256: ["9b1c0f4e7d", "c40d8a1b22", "17fe6b90aa"][index]?.padEnd(64, "e04f1a7"),
    modifiedAt: ["2017-03-02T08:11:00Z", "2017-03-02T08:12:00Z", "2019-06-18T15:40:00Z"][index],
  })),
};

const groupSteps: readonly ScriptStep[] = groups.flatMap((name, index) => [
  {
    ...base,
    path: `groups/${index}/check`,
    id: "check",
    kind: "tool",
    depth: 1,
    title: "Check against the guide",
    tool: "file_ops.read",
    resource: `workspace/guide/${name}.json`,
    summary: `read guide/${name}.json (2.1 KB)`,
    effect: "pure",
    args: { path: `guide/${name}.json` },
    output: {
      path: `guide/${name}.json`,
      sizeBytes: 2_104,
      rules: [{ colour: "#0f766e" }, { colour: "#d97706" }],
    },
    durationMs: 60 + index * 25,
    decision: allow("read-workspace", 5, `file_ops.read on workspace/guide/${name}.json`),
  },
  {
    ...base,
    path: `groups/${index}/score`,
    id: "score",
    kind: "set",
    depth: 1,
    durationMs: 3,
    output: { ok: index !== 1 },
  },
]);

export const script: readonly ScriptStep[] = [
  {
    ...base,
    path: "inventory",
    id: "inventory",
    kind: "tool",
    depth: 0,
    title: "Look at every file",
    tool: "file_ops.list",
    resource: "workspace/assets",
    summary: "list assets, with everything below",
    effect: "pure",
    args: { path: "assets", recursive: true },
    output: {
      files: Array.from({ length: 47 }, (_, index) => ({
        path: `assets/${groups[index % 4]}/file-${index + 1}.png`,
        sizeBytes: 1_200 + index * 731,
      })),
    },
    durationMs: 140,
    decision: allow("read-workspace", 5, "file_ops.list on workspace/assets"),
  },
  {
    ...base,
    path: "measure",
    id: "measure",
    kind: "tool",
    depth: 0,
    title: "Measure colours and sizes",
    tool: "code_exec.run",
    resource: "python",
    summary: "run 7 lines of Python in the sandbox",
    effect: "idempotent",
    args: { language: "python", source: measureSource, timeoutMs: 30_000 },
    output: {
      exitCode: 0,
      groups: groups.map((name) => ({ name })),
      stale: stalePaths,
      tier: "bubblewrap",
      durationMs: 1_380,
    },
    durationMs: 1_450,
    decision: allow("sandboxed-code", 17, "code_exec.run in python, isolation at least standard"),
    progress: ["12 of 47 files", "29 of 47 files", "47 of 47 files"],
  },
  {
    ...base,
    path: "groups",
    id: "groups",
    kind: "for_each",
    depth: 0,
    title: "Go through the groups",
    durationMs: 0,
  },
  ...groupSteps,
  {
    ...base,
    path: "report",
    id: "report",
    kind: "tool",
    depth: 0,
    title: "Write the report",
    tool: "file_ops.write",
    resource: "workspace/report.md",
    summary: "write report.md (386 B)",
    effect: "idempotent",
    args: { path: "report.md", content: reportText },
    output: { path: "report.md", sizeBytes: 386 },
    durationMs: 90,
    decision: allow("write-workspace", 11, "file_ops.write on workspace/report.md"),
    writes: {
      path: "report.md",
      title: "Audit report",
      mediaType: "text/markdown; charset=utf-8",
      content: reportText,
    },
  },
  {
    ...base,
    path: "chart",
    id: "chart",
    kind: "tool",
    depth: 0,
    title: "Draw the chart",
    tool: "code_exec.run",
    resource: "javascript",
    summary: "run 1 line of JavaScript in the sandbox",
    effect: "idempotent",
    args: { language: "javascript", source: "draw()" },
    output: { exitCode: 0, written: ["chart.svg"] },
    durationMs: 620,
    decision: allow("sandboxed-code", 17, "code_exec.run in javascript"),
    writes: { path: "chart.svg", title: "Files by group", mediaType: "image/svg+xml", content: chartSvg },
  },
  {
    ...base,
    path: "clear",
    id: "clear",
    kind: "branch",
    depth: 0,
    title: "Clear out stale files",
    durationMs: 0,
  },
  { ...base, path: "clear/note", id: "note", kind: "set", depth: 1, durationMs: 0, isSkipped: true },
  {
    ...base,
    path: "clear/delete",
    id: "delete",
    kind: "tool",
    depth: 1,
    title: "Delete the stale files",
    tool: "file_ops.delete",
    resource: "workspace/assets/logos/logo-2017.png",
    summary: "delete 3 files in assets (308.5 KB)",
    effect: "unsafe",
    args: deleteArgs,
    output: { deleted: stalePaths },
    durationMs: 210,
    decision: {
      effect: "ask",
      risk: "high",
      reason: "deletes-ask wants a person to say yes; what is deleted cannot be brought back by a retry.",
      revision,
      matched: [
        {
          name: "deletes-ask",
          effect: "ask",
          line: 25,
          why: "file_ops.delete is in its actions; any resource matches",
        },
      ],
    },
    asks: true,
  },
  {
    ...base,
    path: "summary",
    id: "summary",
    kind: "set",
    depth: 0,
    title: "Sum it up",
    output: { files: 47, stale: 3 },
    durationMs: 4,
  },
];
