/** The command that starts the server. */
import type { Command } from "commander";
import type { Act } from "./act.ts";

export function addServerCommands(program: Command, act: Act): void {
  program
    .command("up")
    .alias("start")
    .description("start the server in the foreground")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 for a free one (default: 7717)")
    .option("--role <role>", "which parts this process runs: all, gateway or worker (default: all)")
    .action(act(async (_, options, terminal) => (await import("../server/up.ts")).up(options, terminal)));
  program
    .command("queue")
    .description("how full the queue is: its lanes, and the limits that hold runs back")
    .action(
      act(async (_, options, terminal) => (await import("../server/queue.ts")).queue(options, terminal)),
    );
  program
    .command("tools")
    .description("list the tools actions may use; with a name, its arguments and what each is for")
    .argument("[name]", "one tool, such as file_ops.move")
    .action(
      act(async ([name], options, terminal) =>
        (await import("../server/tools.ts")).tools(name, options, terminal),
      ),
    );
  program
    .command("workers")
    .description("list the processes that work on the database, with what they have")
    .option("-a, --all", "list those too that ended in the last 7 days")
    .action(
      act(async (_, options, terminal) => (await import("../server/workers.ts")).workers(options, terminal)),
    );
}
