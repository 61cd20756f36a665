/** The command line: every command with its options in one place; each command's file is imported only when it is asked for. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { HomeostatError } from "./base/error.ts";
import type { GlobalOptions } from "./cli/connect.ts";
import { exitCodes, exitCodeOf } from "./cli/exit-code.ts";
import type { ExitCode } from "./cli/exit-code.ts";
import { reportError } from "./cli/report-error.ts";
import { createTerminal } from "./cli/terminal.ts";
import type { Terminal } from "./cli/terminal.ts";

/** A command's work: gets its arguments, all options (global ones too) and where to write. */
type Work<Options extends GlobalOptions> = (
  args: readonly string[],
  options: Options,
  terminal: Terminal,
) => Promise<ExitCode>;

/** Called by homeostat.js; ends the process with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // Parsing errors must know before parsing whether a program reads them.
  const terminal = createTerminal(argv.includes("--json"));
  process.exit(await runCommand(argv, terminal));
}

async function runCommand(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = createProgram((work) => async (...given: unknown[]) => {
    // Commander calls actions with the arguments, the options and the command itself.
    const command = given.at(-1) as Command;
    const args = command.args;
    code = await work(args, command.optsWithGlobals(), terminal);
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return afterParsing(error, terminal);
    reportError(error, terminal);
    return exitCodeOf(error);
  }
}

/** Help and version asked for are no errors; everything else that parsing throws is wrong usage, and already printed. */
function afterParsing(error: CommanderError, terminal: Terminal): ExitCode {
  if (error.exitCode === 0) return exitCodes.done;
  // Commander's own word for a command that was left out and answered with the help.
  const isHelp = error.code === "commander.help";
  const detail = isHelp ? "a command is missing" : error.message.replace(/^error: /, "");
  if (terminal.json)
    terminal.result({ error: { code: "USAGE", detail, hint: "See `homeostat help`." } }, () => "");
  return exitCodes.usage;
}

export type Act = <Options extends GlobalOptions>(
  work: Work<Options>,
) => (...given: unknown[]) => Promise<void>;

/** Every command; `act` says what to do when one is called. The reference page is made from it too. */
export function createProgram(act: Act): Command {
  const program = new Command("homeostat")
    .description("A self-hosted runtime for autonomous agents that supervises itself.")
    .option("--json", "print one JSON document on standard output and nothing else there")
    .option("--url <address>", "the server to talk to (default: the one that runs on this data folder)")
    .option(
      "--token <token>",
      "the token to use (default: HOMEOSTAT_TOKEN, or the file `token` of the data folder)",
    )
    .option("--home <folder>", "the data folder (default: HOMEOSTAT_HOME or ~/.local/share/homeostat)")
    .option("--config <file>", "the configuration file (default: homeostat.yaml in the data folder)")
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .showHelpAfterError("See `homeostat help`.")
    .addHelpText("after", exitCodeHelp)
    .exitOverride();
  addServerCommands(program, act);
  addRunCommands(program, act);
  addApprovalCommands(program, act);
  addLocalCommands(program, act);
  return program;
}

const exitCodeHelp = `
Exit codes: 0 done, 1 failed or not intact, 2 usage, 3 not found, 4 denied by policy, 5 waiting for approval,
124 timeout, 130 interrupted.`;

function addServerCommands(program: Command, act: Act): void {
  program
    .command("up")
    .alias("start")
    .description("start the server in the foreground")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 for a free one (default: 7717)")
    .option("--role <role>", "which parts this process runs (default: all)")
    .action(act(async (_, options, terminal) => (await import("./cli/up.ts")).up(options, terminal)));
}

function addRunCommands(program: Command, act: Act): void {
  program
    .command("run <path>")
    .description("submit a workflow file, or a folder that holds workflow.yaml, as a task")
    .option("-i, --input <name=value>", "an input of the workflow; may be repeated", collect)
    .option("-w, --wait", "show its steps until it ends or waits for a person")
    .option("--timeout <duration>", "with --wait: stop waiting after this time, for example 5m")
    .addOption(new Option("--priority <level>", "its place in the queue").choices(["high", "normal", "low"]))
    .option("--label <label>", "a label to find it by; may be repeated", collect)
    .action(
      act(async ([path = ""], options, terminal) =>
        (await import("./cli/run.ts")).run(path, options, terminal),
      ),
    );
  program
    .command("ps")
    .description("list runs that are not over")
    .option("-a, --all", "list all runs")
    .option("--state <states>", "only these states, comma-separated")
    .option("--workflow <name>", "only runs of this workflow")
    .option("--limit <number>", "at most so many, 1 to 200", parseCount)
    .action(act(async (_, options, terminal) => (await import("./cli/ps.ts")).ps(options, terminal)));
  program
    .command("show <run>")
    .description("show a run with its steps, decisions, approvals and artifacts")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("./cli/show.ts")).show(id, options, terminal),
      ),
    );
  program
    .command("logs [run]")
    .description("print a run's journal, or the server's own log")
    .option("-f, --follow", "go on as more comes")
    .option("-n, --lines <number>", "of the server's log: the last so many lines (default: 100)", parseCount)
    .action(
      act(async ([id], options, terminal) => (await import("./cli/logs.ts")).logs(id, options, terminal)),
    );
  const commands = {
    cancel: "end a run; a tool that is acting is stopped",
    pause: "let a run rest after its current step",
    resume: "let a paused run go on",
    retry: "try a dead letter again",
    discard: "give a dead letter up",
  } as const;
  for (const [name, description] of Object.entries(commands) as [keyof typeof commands, string][]) {
    program
      .command(`${name} <run>`)
      .description(description)
      .option("--reason <text>", "why, for the record")
      .action(
        act(async ([id = ""], options, terminal) =>
          (await import("./cli/control.ts")).control(id, name, options, terminal),
        ),
      );
  }
}

function addApprovalCommands(program: Command, act: Act): void {
  program
    .command("approvals")
    .description("list what waits for a person, with the exact arguments")
    .option("-a, --all", "list answered ones too")
    .action(
      act(async (_, options, terminal) => (await import("./cli/approvals.ts")).approvals(options, terminal)),
    );
  program
    .command("approve <id>")
    .description("say yes to an approval")
    .option("--reason <text>", "why, for the record")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("./cli/decide.ts")).decide(id, "approve", options, terminal),
      ),
    );
  program
    .command("reject <id>")
    .description("say no to an approval")
    .requiredOption("--reason <text>", "why, for the record and the run")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("./cli/decide.ts")).decide(id, "reject", options, terminal),
      ),
    );
  program
    .command("resolve <id> <answer>")
    .description("say what became of an action whose outcome was lost: happened, did-not-happen or abandon")
    .option("--reason <text>", "how you know, for the record")
    .option("--result <json>", "for happened: what the action gave back")
    .action(
      act(async ([id = "", answer = ""], options, terminal) => {
        const { answers, decide } = await import("./cli/decide.ts");
        const known = answers.slice(2).find((each) => each === answer);
        if (known === undefined)
          throw new HomeostatError("USAGE", `${answer} is none of ${answers.slice(2).join(", ")}`);
        return decide(id, known, options, terminal);
      }),
    );
}

function addLocalCommands(program: Command, act: Act): void {
  program
    .command("verify [file]")
    .description("prove the data folder, one run of it, or an exported bundle; needs no server")
    .option("--run <id>", "only this run")
    .option("--key <key>", "the public key known from elsewhere, or a file that holds it")
    .option("--export <file>", "write a bundle that proves the run to others")
    .action(
      act(async ([file], options, terminal) =>
        (await import("./cli/verify.ts")).verify(file, options, terminal),
      ),
    );
  program
    .command("policy")
    .description("work with policies")
    .command("check [file]")
    .description("check a policy file (default: the one in the data folder)")
    .action(
      act(async ([file], options, terminal) =>
        (await import("./cli/check-file.ts")).checkPolicyFile(file, options, terminal),
      ),
    );
  program
    .command("workflow")
    .description("work with workflows")
    .command("check <file>")
    .description("check a workflow file")
    .action(
      act(async ([file = ""], options, terminal) =>
        (await import("./cli/check-file.ts")).checkWorkflowFile(file, options, terminal),
      ),
    );
  program
    .command("doctor")
    .description("look at everything a server needs on this machine")
    .action(act(async (_, options, terminal) => (await import("./cli/doctor.ts")).doctor(options, terminal)));
  program
    .command("config")
    .description("work with the configuration")
    .command("print")
    .description("print every key with its value and where it comes from")
    .action(
      act(async (_, options, terminal) =>
        (await import("./cli/config-print.ts")).configPrint(options, terminal),
      ),
    );
  program
    .command("version")
    .description("print versions")
    .action(
      act(async (_, options, terminal) => (await import("./cli/version.ts")).version(options, terminal)),
    );
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("Expected a whole number above 0.");
}
