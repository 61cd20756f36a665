/** Commands about schedules: made, listed, let rest, run now. */
import { Option } from "commander";
import type { Command } from "commander";
import type { ScheduleAddOptions } from "../workflows/schedule.ts";
import type { Act } from "./act.ts";
import { collect, parseCount } from "./option-values.ts";

export function addScheduleCommands(program: Command, act: Act): void {
  const schedule = program.command("schedule").description("run workflows at their times");
  withSettings(schedule.command("add <name>").description("make a schedule and show its next times")).action(
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

/** When it runs what, and how it does when that cannot be kept. */
function withSettings(command: Command): Command {
  return command
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
    .option("--paused", "do not begin yet");
}
