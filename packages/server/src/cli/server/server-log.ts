/** Reads the server's log file: its last lines and, when asked, what is added. */
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { HomeostatError, errorMessage } from "../../base/error.ts";
import { formatClock } from "../terminal/format-time.ts";
import { oneLine } from "../terminal/table.ts";
import type { Paint } from "../terminal/terminal.ts";

export interface LogReading {
  readonly path: string;
  /** Of what is there already, at most so many. */
  readonly lines: number;
  readonly follow: boolean;
}

/** As much of the end as is read for the last lines: 1,000 lines of 1 KiB. */
const tailBytes = 1024 * 1024;
const pollMs = 250;

/** Parsed JSON lines; a line that is none comes as its text. Ends when the signal is aborted. Throws NOT_FOUND. */
export async function* readLogLines(
  reading: LogReading,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  let file = await open(reading.path).catch((error: unknown) => {
    throw new HomeostatError(
      "NOT_FOUND",
      `Cannot read the log ${reading.path}: ${errorMessage(error)}`,
      {},
      {
        cause: error,
        hint: "The server writes it once it has been started with `homeostat up`.",
      },
    );
  });
  try {
    const { size } = await file.stat();
    let position = Math.max(0, size - tailBytes);
    let rest = "";
    let isFirst = true;
    const decoder = new TextDecoder();
    while (!signal.aborted) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, position);
      const startsInside = isFirst && position > 0;
      position += bytesRead;
      const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      const whole = startsInside ? lines.slice(1) : lines;
      yield* (isFirst ? whole.slice(-reading.lines) : whole).map(parseLine);
      isFirst = false;
      if (!reading.follow) return;
      if (bytesRead > 0) continue;
      const newer = await openNewer(reading.path, file);
      if (newer !== undefined) {
        await file.close();
        file = newer;
        position = 0;
      } else await systemClock.sleep(pollMs, signal).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

/** The file that has taken the place of the one read so far, when the server put that aside. */
async function openNewer(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const newer = await stat(path).catch(() => undefined);
  if (newer === undefined || newer.ino === (await file.stat()).ino) return undefined;
  return await open(path);
}

/** `14:03:22 warn  the message  {"context":1}`. */
export function formatLogLine(line: unknown, paint: Paint): string {
  if (typeof line !== "object" || line === null) return oneLine(String(line));
  const { timestamp, level, message, context } = line as Readonly<Record<string, unknown>>;
  const style = level === "error" ? "red" : level === "warn" ? "yellow" : "dim";
  const facts =
    context === undefined || JSON.stringify(context) === "{}"
      ? ""
      : `  ${paint("dim", JSON.stringify(context))}`;
  return `${paint("dim", formatClock(String(timestamp)))} ${paint(style, String(level).padEnd(5))} ${oneLine(String(message))}${facts}`;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A crash may have cut a line short; it is shown as it is.
    return line;
  }
}
