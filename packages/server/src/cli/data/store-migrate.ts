/** `homeostat store migrate` and `homeostat store reopen`: moves the state to another database, or takes the left one back. */
import { createSilentLogger } from "../../base/log.ts";
import { HomeostatError } from "../../base/error.ts";
import { systemClock } from "../../base/clock.ts";
import { homeAt } from "../../home/home.ts";
import {
  configuredDatabase,
  describeDatabase,
  moveDatabase,
  parseDatabase,
  reopenDatabase,
  tryMoveDatabase,
} from "../../home/move-database.ts";
import type { DatabaseAddress } from "../../home/move-database.ts";
import { loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { findServerAddress } from "../connection/server-address.ts";
import { formatSpan } from "../terminal/format-time.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface MigrateOptions extends GlobalOptions {
  readonly to: string;
  /** Default: the database that the configuration names. */
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** Refuses while a server runs on the data folder: it would go on writing to the database that is left. */
export async function storeMigrate(options: MigrateOptions, terminal: Terminal): Promise<ExitCode> {
  const { config } = loadOptions(options);
  const to = parseDatabase(options.to, config.home);
  const from =
    options.from === undefined ? configuredDatabase(config) : parseDatabase(options.from, config.home);
  const names = { from: describeDatabase(from), to: describeDatabase(to) };
  if (options.dryRun === true) return await dryRun({ from, to, names }, terminal);
  const url = await findServerAddress(config.home);
  if (url !== undefined) {
    const data = { home: config.home, url };
    throw new HomeostatError("STORE_IN_USE", `A server runs on ${config.home}, at ${url}`, data);
  }
  const startMs = systemClock.monotonic();
  const moved = await moveDatabase({
    home: homeAt(config.home),
    blobs: config.blobs,
    from,
    to,
    logger: createSilentLogger(),
    onProgress: (text) => terminal.note((paint) => paint("dim", text)),
  });
  const { tables, rows } = moved;
  const durationMs = Math.round(systemClock.monotonic() - startMs);
  const next = nextStep(to, homeAt(config.home).stateDatabase);
  terminal.result({ ...names, tables, rows, durationMs, next }, (paint) =>
    [
      `${paint("bold", `Moved ${rows} rows`)} from ${names.from} to ${names.to} in ${formatSpan(durationMs)}`,
      "",
      formatTable(
        ["TABLE", "ROWS", "DIGEST"],
        tables.map(({ name, rows: count, digest }) => [name, String(count), digest.slice(0, 16)]),
      ),
      "",
      "  Counts and digests are the same on both sides; runs and ledger prove against the copy.",
      `  ${next}`,
      "  Nobody starts on the old database any more; `homeostat store reopen` takes it back while the new one is unused.",
    ].join("\n"),
  );
  return exitCodes.done;
}

/** A server finds a SQLite database in its data folder alone. */
function nextStep(to: DatabaseAddress, own: string): string {
  if (to.kind === "postgres") return "Set databaseUrl (HOMEOSTAT_DATABASE_URL) to it before the next start.";
  if (to.path === own) return "Remove databaseUrl from the configuration before the next start.";
  return `Before the next start move it to ${own}, in the place of what lies there, without databaseUrl in the configuration.`;
}

/** Takes the database that the configuration names (or `from`) back into use after a move. */
export async function storeReopen(
  options: GlobalOptions & { readonly from?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const { config } = loadOptions(options);
  const address =
    options.from === undefined ? configuredDatabase(config) : parseDatabase(options.from, config.home);
  await reopenDatabase(homeAt(config.home), address, createSilentLogger());
  const database = describeDatabase(address);
  terminal.result({ database }, (paint) => `${paint("bold", database)} is in use again`);
  return exitCodes.done;
}

interface Planned {
  readonly from: DatabaseAddress;
  readonly to: DatabaseAddress;
  readonly names: { readonly from: string; readonly to: string };
}

async function dryRun({ from, to, names }: Planned, terminal: Terminal): Promise<ExitCode> {
  const plan = await tryMoveDatabase({ from, to });
  terminal.result({ ...names, ...plan }, (paint) =>
    [
      `Would move ${plan.rows} rows from ${names.from} to ${names.to}`,
      "",
      formatTable(
        ["TABLE", "ROWS"],
        plan.tables.map(({ name, rows }) => [name, String(rows)]),
      ),
      ...(plan.obstacles.length === 0 ? [] : ["", paint("red", "Not now")]),
      ...plan.obstacles.map((obstacle) => `  ${obstacle}`),
    ].join("\n"),
  );
  return plan.obstacles.length === 0 ? exitCodes.done : exitCodes.failed;
}
