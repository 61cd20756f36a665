/** The command line: builds the program from its groups of commands; each command's file is imported only when it is asked for. */
import { Command, CommanderError } from "commander";
import type { Act } from "./cli/commands/act.ts";
import { addApprovalCommands } from "./cli/commands/approval-commands.ts";
import { addControlCommands } from "./cli/commands/control-commands.ts";
import { addKeyCommands } from "./cli/commands/key-commands.ts";
import { addLocalCommands } from "./cli/commands/local-commands.ts";
import { addPolicyCommands } from "./cli/commands/policy-commands.ts";
import { addQueueCommands } from "./cli/commands/queue-commands.ts";
import { addRunCommands } from "./cli/commands/run-commands.ts";
import { addSecretCommands } from "./cli/commands/secret-commands.ts";
import { addServerCommands } from "./cli/commands/server-commands.ts";
import { addStoreCommands } from "./cli/commands/store-commands.ts";
import { addWorkflowCommands } from "./cli/commands/workflow-commands.ts";
import { exitCodes, exitCodeOf } from "./cli/terminal/exit-code.ts";
import type { ExitCode } from "./cli/terminal/exit-code.ts";
import { reportError } from "./cli/terminal/report-error.ts";
import { createTerminal } from "./cli/terminal/terminal.ts";
import type { Terminal } from "./cli/terminal/terminal.ts";

/** Called by homeostat.js; ends the process with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // Parsing errors must know before parsing whether a program reads them.
  const terminal = createTerminal(argv.includes("--json"));
  const code = await runCommand(argv, terminal);
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}

/** A pipe takes as much as its reader reads; what is still on its way would be lost with the process. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
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
  addControlCommands(program, act);
  addApprovalCommands(program, act);
  addWorkflowCommands(program, act);
  addLocalCommands(program, act);
  addPolicyCommands(program, act);
  addStoreCommands(program, act);
  addQueueCommands(program, act);
  addSecretCommands(program, act);
  addKeyCommands(program, act);
  return program;
}

const exitCodeHelp = `
Exit codes: 0 done, 1 failed or not intact, 2 usage, 3 not found, 4 denied by policy, 5 waiting for approval,
124 timeout, 130 interrupted.`;
