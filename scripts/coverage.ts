/** `npm run coverage -- [ROOM...]`: the share of branches that a room's own tests take; exit code 1 when one is below its bar. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { rooms } from "./coverage-rooms.ts";
import type { Room } from "./coverage-rooms.ts";

const repository = join(import.meta.dirname, "..");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !rooms.some((room) => room.name === name));
if (unknown.length > 0) {
  console.error(
    `coverage: no room ${unknown.join(", ")}; there are ${rooms.map(({ name }) => name).join(", ")}`,
  );
  process.exitCode = 2;
} else {
  const chosen = rooms.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const below = chosen.filter((room) => !measure(room)).map(({ name }) => name);
  if (below.length > 0)
    console.error(`coverage: tests failed, or branches below the bar: ${below.join(", ")}`);
  process.exitCode = below.length > 0 ? 1 : 0;
}

function measure(room: Room): boolean {
  console.log(`coverage: ${room.name}, at least ${room.branchesPercent} % of its branches`);
  const vitest = join(repository, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(process.execPath, [vitest, ...argumentsFor(room)], {
    cwd: repository,
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(repository, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
  });
  return status === 0;
}

function argumentsFor(room: Room): readonly string[] {
  const { name, files, without, tests, projects = ["parts"], timings, branchesPercent } = room;
  const exclude = [
    ...Object.keys(without),
    "**/*.test.ts",
    "**/*.fixture.ts",
    "**/test-*.ts",
    "**/testing-*.ts",
    "**/*-contract.ts",
  ];
  return [
    ...[
      "run",
      ...tests,
      ...(timings === undefined ? [] : ["--testNamePattern", `^(?!.*(?:${timings}))`]),
      ...projects.flatMap((project) => ["--project", project]),
      "--reporter",
      "dot",
      "--coverage",
      "--coverage.provider",
      "v8",
    ],
    ...files.map((file) => `--coverage.include=${file}`),
    ...exclude.map((file) => `--coverage.exclude=${file}`),
    ...["text", "json"].map((reporter) => `--coverage.reporter=${reporter}`),
    ...["--coverage.skipFull", `--coverage.reportsDirectory=${join(repository, "coverage", name)}`],
    `--coverage.thresholds.branches=${branchesPercent}`,
  ];
}
