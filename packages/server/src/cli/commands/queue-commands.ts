/** Commands about the queue: schedules and dead letters. */
import { Option } from "commander";
import type { Command } from "commander";
import type { DeadFilterOptions, DeadSettleOptions } from "../runs/dead.ts";
import type { ScheduleAddOptions } from "../workflows/schedule.ts";
import type { Act } from "./act.ts";
import { collect, parseCount } from "./option-values.ts";

export function addQueueCommands(program: Command, act: Act): void {
  addScheduleCommands(program, act);
  addDeadCommands(program, act);
}

function addScheduleCommands(program: Command, act: Act): void {
  const schedule = program.command("schedule").description("run workflows at their times");
  schedule
    .command("add <name>")
    .description("make a schedule and show its next times")
    .option("--cron <expression>", 'minute hour day month weekday, for example "0 9 * * 1-5"')
    .option("--timezone <zone>", "with --cron: an IANA name such as Europe/Berlin (default: UTC)")
    .option("--every <duration>", "instead of --cron: an interval such as 15m")
    .option("--file <path>", "the workflow file to run")
    .option("--workflow <name>", "instead of --file: a registered workflow, its newest version")
    .option("-i, --input <name=value>", "an input of the workflow; may be repeated", collect)
    .addOption(
      new Option("--priority <level>", "place of its runs in the queue").choices(["high", "normal", "low"]),
    )
    .option("--label <label>", "a label of its runs; may be repeated", collect)
    .addOption(
      new Option("--missed <policy>", "about times that passed while no server ran (default: once)").choices([
        "skip",
        "once",
        "all",
      ]),
    )
    .option(
      "--missed-cap <number>",
      "with --missed all: the most that are made up for (default: 24)",
      parseCount,
    )
    .addOption(
      new Option("--overlap <policy>", "while the run before goes on (default: allow)").choices([
        "allow",
        "skip",
        "queue",
      ]),
    )
    .option("--paused", "do not begin yet")
    .action(
      act(async ([name = ""], options: ScheduleAddOptions, terminal) =>
        (await import("../workflows/schedule.ts")).addSchedule(name, options, terminal),
      ),
    );
  schedule
    .command("list")
    .description("list schedules with their next times")
    .action(
      act(async (_, options, terminal) =>
        (await import("../workflows/schedule.ts")).listSchedules(options, terminal),
      ),
    );
  schedule
    .command("show <name>")
    .description("show a schedule with its next five times")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../workflows/schedule.ts")).showSchedule(id, options, terminal),
      ),
    );
  const rests = { pause: "let a schedule rest", resume: "let a paused schedule go on" } as const;
  for (const [verb, description] of Object.entries(rests) as [keyof typeof rests, string][]) {
    schedule
      .command(`${verb} <name>`)
      .description(description)
      .action(
        act(async ([id = ""], options, terminal) =>
          (await import("../workflows/schedule.ts")).pauseSchedule(verb, id, options, terminal),
        ),
      );
  }
  schedule
    .command("trigger <name>")
    .description("run it now, beside its times")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../workflows/schedule.ts")).triggerSchedule(id, options, terminal),
      ),
    );
  schedule
    .command("rm <name>")
    .description("delete a schedule; its runs stay")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../workflows/schedule.ts")).removeSchedule(id, options, terminal),
      ),
    );
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
