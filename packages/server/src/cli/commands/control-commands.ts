/** Commands that act on runs there are: stop them, speak to them, run them again, compare them. */
import type { Command } from "commander";
import type { BulkOptions } from "../runs/bulk.ts";
import type { RerunOptions } from "../runs/rerun.ts";
import type { Act } from "./act.ts";
import { collect, parseCount } from "./option-values.ts";

const commands = {
  cancel: "end a run; a tool that is acting is stopped",
  pause: "let a run rest after its current step",
  resume: "let a paused run go on",
  retry: "try a dead letter again",
  discard: "give a dead letter up",
} as const;

export function addControlCommands(program: Command, act: Act): void {
  for (const [name, description] of Object.entries(commands) as [keyof typeof commands, string][]) {
    withBulk(program.command(`${name} [run]`).description(`${description}, or many with --all`))
      .option("--reason <text>", "why, for the record")
      .action(
        act<BulkOptions>(async ([id], options, terminal) => {
          const { bulk, requireOneOrAll } = await import("../runs/bulk.ts");
          requireOneOrAll(name, id, options.all);
          if (id === undefined) return await bulk(name, options, terminal);
          return await (await import("../runs/control.ts")).control(id, name, options, terminal);
        }),
      );
  }
  program
    .command("steer <run> <message>")
    .description("say something to a run that goes on; its workflow reads it as run.messages")
    .action(
      act(async ([id = "", message = ""], options, terminal) =>
        (await import("../runs/steer.ts")).steer(id, message, options, terminal),
      ),
    );
  addRerunCommands(program, act);
  program
    .command("diff <a> <b>")
    .description("show what two runs did differently")
    .action(
      act(async ([a = "", b = ""], options, terminal) =>
        (await import("../runs/diff.ts")).diff(a, b, options, terminal),
      ),
    );
}

function addRerunCommands(program: Command, act: Act): void {
  withBulk(withEdits(program.command("rerun [run]")))
    .description("run it again in a new run, from a step if one is named, or many with --all")
    .option("--from <step>", "path of the first step to be done again; those before keep their outcome")
    .action(
      act<BulkOptions & RerunOptions>(async ([id], options, terminal) => {
        const { bulk, requireOneOrAll } = await import("../runs/bulk.ts");
        requireOneOrAll("rerun", id, options.all);
        if (id === undefined) return await bulk("rerun", options, terminal);
        return await (await import("../runs/rerun.ts")).rerun(id, "rerun", options, terminal);
      }),
    );
  withEdits(program.command("fork <run>"))
    .description("go on from an event of a run in a new run; the old one goes on too")
    .option("--at <event>", "number of the last event that counts (default: the newest)", parseCount)
    .option("--dry-run", "only say what would be kept and repeated")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../runs/rerun.ts")).rerun(id, "fork", options, terminal),
      ),
    );
}

function withEdits(command: Command): Command {
  return command
    .option("-i, --input <name=value>", "an input in place of the old one; may be repeated", collect)
    .option(
      "--args <step=json>",
      "arguments in place of the workflow's for one step; may be repeated",
      collect,
    )
    .option("--yes", "repeat effects that cannot be taken back");
}

function withBulk(command: Command): Command {
  return command
    .option("--all", "all runs that fit, oldest first")
    .option("--workflow <name>", "with --all: only runs of this workflow")
    .option("--state <states>", "with --all: only these states, comma-separated")
    .option("--label <label>", "with --all: only runs with this label")
    .option("--limit <number>", "with --all: at most so many, 1 to 1000 (default: 100)", parseCount)
    .option("--cursor <cursor>", "with --all: go on with older runs, where the answer before ended")
    .option("--dry-run", "change nothing, say what would be done");
}
