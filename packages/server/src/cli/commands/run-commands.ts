/** Commands about runs: submit, look, control. */
import { Option } from "commander";
import type { Command } from "commander";
import type { Act } from "./act.ts";
import { collect, parseCount } from "./option-values.ts";

export function addRunCommands(program: Command, act: Act): void {
  program
    .command("run <path>")
    .description(
      "submit a workflow file, a folder that holds workflow.yaml, or a registered workflow by name, as a task",
    )
    .option("-i, --input <name=value>", "an input of the workflow; may be repeated", collect)
    .option("-w, --wait", "show its steps until it ends or waits for a person")
    .option("--timeout <duration>", "with --wait: stop waiting after this time, for example 5m")
    .addOption(new Option("--priority <level>", "its place in the queue").choices(["high", "normal", "low"]))
    .option("--label <label>", "a label to find it by; may be repeated", collect)
    .option("--delay <duration>", "begin this much later, for example 10m")
    .option("--not-before <time>", "begin at this time (ISO 8601 with an offset)")
    .option("--dedup <key>", "a key that stands for one run: the same key again gives that run")
    .option("--dedup-window <duration>", "with --dedup: how long the key stands for it (default: 24h)")
    .action(
      act(async ([path = ""], options, terminal) =>
        (await import("../runs/run.ts")).run(path, options, terminal),
      ),
    );
  program
    .command("ps")
    .description("list runs that are not over")
    .option("-a, --all", "list all runs")
    .option("--state <states>", "only these states, comma-separated")
    .option("--workflow <name>", "only runs of this workflow")
    .option("--limit <number>", "at most so many, 1 to 200", parseCount)
    .action(act(async (_, options, terminal) => (await import("../runs/ps.ts")).ps(options, terminal)));
  program
    .command("show <run>")
    .description("show a run with its steps, decisions, approvals and artifacts")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../runs/show.ts")).show(id, options, terminal),
      ),
    );
  program
    .command("logs [run]")
    .description("print a run's journal, or the server's own log")
    .option("-f, --follow", "go on as more comes; with --json this prints one JSON document a line")
    .option("-n, --lines <number>", "of the server's log: the last so many lines (default: 100)", parseCount)
    .action(
      act(async ([id], options, terminal) => (await import("../runs/logs.ts")).logs(id, options, terminal)),
    );
  program
    .command("erase <run>")
    .description("destroy the content of a run that is over, for good; its proofs stay")
    .option("--reason <text>", "why, for the record")
    .option("--yes", "do it: nothing brings it back")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../runs/erase.ts")).erase(id, options, terminal),
      ),
    );
}
