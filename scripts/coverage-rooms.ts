/** The rooms whose branches are counted: what they hold, whose tests count, and how many must be covered. */

export interface Room {
  readonly name: string;
  /** Globs of the files that are counted, from the repository's root. */
  readonly files: readonly string[];
  /** What is not counted, and why. */
  readonly without: Readonly<Record<string, string>>;
  /** Folders and files whose tests count: the room's own, so that it is proved beside its code. */
  readonly tests: readonly string[];
  /** Of vitest.config.ts; `parts` when absent. */
  readonly projects?: readonly string[];
  /** Tests that are not run: how long something takes says nothing while every branch is counted. */
  readonly timings?: string;
  /** At least so many branches of a hundred. What is lost, stored or let through wrongly cannot be taken back: 100. */
  readonly branchesPercent: number;
}

const server = "packages/server/src";
/** What a run is: its journal, what is read off it, and how it is written. */
const journalFiles = "journal,fold,fold-step,fold-inbox,session,inbox,legal-event,upcast,fold-unheld";
/** Collectors of V8 see the test's own thread alone. */
const inThread =
  "runs in a thread of its own, where coverage is not collected; its tests talk to it by messages";

export const rooms: readonly Room[] = [
  {
    name: "ledger",
    files: [`${server}/ledger/**/*.ts`],
    without: { [`${server}/ledger/log-thread.ts`]: inThread },
    tests: [`${server}/ledger/`],
    branchesPercent: 100,
  },
  {
    name: "sandbox",
    files: [`${server}/sandbox/**/*.ts`],
    without: { [`${server}/sandbox/quickjs-thread.ts`]: inThread },
    tests: [`${server}/sandbox/`],
    branchesPercent: 100,
  },
  {
    name: "blobs",
    files: [`${server}/blobs/**/*.ts`],
    without: {},
    tests: [`${server}/blobs/`],
    branchesPercent: 100,
  },
  {
    name: "cell",
    files: ["packages/cell/src/**/*.ts"],
    without: {},
    tests: ["packages/cell/src/"],
    timings: "takes at most",
    branchesPercent: 100,
  },
  {
    name: "base",
    files: [`${server}/base/**/*.ts`],
    without: {},
    tests: [`${server}/base/`],
    timings: "takes longer|is linear",
    branchesPercent: 100,
  },
  {
    name: "store",
    files: [`${server}/store/**/*.ts`],
    without: {
      [`${server}/store/sqlite/writer-thread.ts`]: inThread,
      [`${server}/store/postgres/postgres-writer-thread.ts`]: inThread,
    },
    tests: [`${server}/store/`],
    branchesPercent: 100,
  },
  {
    ...roomOfItsOwn("backup"),
    // A backup is made of a whole Homeostat, and goes on as one.
    tests: [`${server}/backup/`, "test/e2e/backup.test.ts"],
    projects: ["parts", "whole"],
    branchesPercent: 80,
  },
  {
    name: "journal",
    files: [`${server}/runs/*/{${journalFiles},state-cache,share-values,inherited-flow}.ts`],
    without: {},
    tests: [
      ...["journal/", "session/", "worker/fold-inbox", "worker/fold-unheld"],
      ...["control/signals", "actions/inherited-flow"],
    ].map((name) => `${server}/runs/${name}`),
    branchesPercent: 100,
  },
  { ...roomOfItsOwn("policy"), timings: "in bounded time" },
  ...["guards", "limits", "secrets", "expression", "identity"].map(roomOfItsOwn),
  {
    ...roomOfItsOwn("gate"),
    // Who answered what, and what came from where, is seen in whole runs alone.
    tests: [
      ...[`${server}/gate/`, `${server}/runs/answers/`],
      ...["actions/data-flow", "actions/transform"].map(runsTest),
    ],
  },
  {
    ...roomOfItsOwn("approvals"),
    tests: [`${server}/approvals/`, `${server}/runs/answers/`],
  },
];

/** A folder that its own tests cover whole. */
function roomOfItsOwn(name: string): Room {
  const folder = `${server}/${name}/`;
  return { name, files: [`${folder}**/*.ts`], without: {}, tests: [folder], branchesPercent: 100 };
}

function runsTest(name: string): string {
  return `${server}/runs/${name}.test.ts`;
}
