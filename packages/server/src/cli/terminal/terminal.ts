/** Where a command's words go: results to standard output, everything else to standard error. */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Paints when its stream is a terminal and NO_COLOR, FORCE_COLOR and TERM allow it; else the text stays as it is. */
export type Paint = (style: Style, text: string) => string;

export interface Terminal {
  /** One JSON document on standard output and nothing else there. */
  readonly json: boolean;
  /** The command's result: `value` with --json, else what `forPeople` says, painted for standard output. */
  result(value: unknown, forPeople: (paint: Paint) => string): void;
  /** One more line of a result that grows (`logs -f`): JSON lines with --json. */
  line(value: unknown, forPeople: (paint: Paint) => string): void;
  /** Progress and remarks, on standard error. */
  note(forPeople: (paint: Paint) => string): void;
  /** Columns of standard output; undefined when it is no terminal: nothing is cut then. */
  readonly columns: number | undefined;
}

export function createTerminal(json: boolean): Terminal {
  // `homeostat ps | head` closes the pipe early: the reader has what it wanted.
  process.stdout.on("error", leaveQuietly);
  const out = (value: unknown, forPeople: (paint: Paint) => string, indent?: number): void => {
    process.stdout.write(
      `${json ? JSON.stringify(value, null, indent) : forPeople(paintFor(process.stdout))}\n`,
    );
  };
  return {
    json,
    result: (value, forPeople) => out(value, forPeople, 2),
    line: (value, forPeople) => out(value, forPeople),
    note: (forPeople) => void process.stderr.write(`${forPeople(paintFor(process.stderr))}\n`),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  };
}

function paintFor(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit();
  throw error;
}
