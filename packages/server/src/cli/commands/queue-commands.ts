/** Commands about the queue: dead letters, and schedules from a file of their own. */
import type { Command } from "commander";
import type { DeadFilterOptions, DeadSettleOptions } from "../runs/dead.ts";
import type { Act } from "./act.ts";
import { parseCount } from "./option-values.ts";
import { addScheduleCommands } from "./schedule-commands.ts";

export function addQueueCommands(program: Command, act: Act): void {
  addScheduleCommands(program, act);
  addDeadCommands(program, act);
}

function addDeadCommands(program: Command, act: Act): void {
  const dead = program.command("dead").description("settle dead letters: runs that used up their attempts");
  withFilter(dead.command("list").description("list them, and how many died of what")).action(
    act(async (_, options: DeadFilterOptions, terminal) =>
      (await import("../runs/dead.ts")).listDead(options, terminal),
    ),
  );
  dead
    .command("show <run>")
    .description("show what led to its end")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../runs/dead.ts")).showDead(id, options, terminal),
      ),
    );
  const verbs = { retry: "try dead letters again", discard: "give dead letters up" } as const;
  for (const [verb, description] of Object.entries(verbs) as [keyof typeof verbs, string][]) {
    withFilter(dead.command(`${verb} [runs...]`).description(description))
      .option("--all", "all that fit, oldest first")
      .option("--reason <text>", "why, for the record")
      .option("--dry-run", "only say what would be done")
      .action(
        act(async (ids, options: DeadSettleOptions, terminal) =>
          (await import("../runs/dead.ts")).settleDead(verb, ids, options, terminal),
        ),
      );
  }
}

function withFilter(command: Command): Command {
  return command
    .option("--workflow <name>", "only runs of this workflow")
    .option("--code <code>", "only those that died of this error, for example RUN_STUCK")
    .option("--since <time>", "only those that died at or after this time")
    .option("--until <time>", "only those that died before this time")
    .option("--limit <number>", "at most so many", parseCount);
}
