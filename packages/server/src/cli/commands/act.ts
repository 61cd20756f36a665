/** How commands are declared: commander parses, `act` hands arguments, options and terminal to the command's own file. */
import type { GlobalOptions } from "../connection/connect.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** A command's work: gets its arguments, all options (global ones too) and where to write. */
export type Work<Options extends GlobalOptions> = (
  args: readonly string[],
  options: Options,
  terminal: Terminal,
) => Promise<ExitCode>;

/** Makes commander's action of a command's work. */
export type Act = <Options extends GlobalOptions>(
  work: Work<Options>,
) => (...given: unknown[]) => Promise<void>;
