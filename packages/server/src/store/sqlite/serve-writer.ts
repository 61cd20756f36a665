/** What the writer thread does: opens and migrates the database, commits what arrives, renews leases, watches for others. */
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { commitBatches } from "./commit.ts";
import { failureText, openConnection, primaryCode } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { createLeaseRenewal } from "./lease-renewal.ts";
import { migrateSqlite } from "./migrate-sqlite.ts";
import type { FromWriter, ToWriter, WireBatch, WriterLine, WriterOptions } from "../wire.ts";

/** Bounds how long one commit makes the others wait: about 20 ms at 10 microseconds for a small batch. */
const maxBatchesPerCommit = 1000;

/** Answers `opened` or `refused`, then one `committed` per commit. Never throws. */
export function serveWriter(options: WriterOptions, line: WriterLine): void {
  let connection: Connection;
  try {
    connection = openMigrated(options, line.clock.now());
  } catch (error) {
    line.send(refusal(options.path, error));
    line.close();
    return;
  }
  serveConnection(connection, options, line);
}

function serveConnection(connection: Connection, options: WriterOptions, line: WriterLine): void {
  const watch = watchForeignCommits(connection, options.foreignCommitPollMs, () =>
    line.send({ kind: "foreign-commit" }),
  );
  const renewal = createLeaseRenewal(connection, line.clock, (name, epoch) =>
    line.send({ kind: "lease-lost", name, epoch }),
  );
  let renewalTimer: NodeJS.Timeout | undefined;
  line.listen((message) => {
    gather(message);
    renew();
  });
  line.send({ kind: "opened" });

  /** Commits what has arrived by now as one group; what arrives during a commit is the next group. */
  function gather(first: ToWriter): void {
    let waiting: WireBatch[] = [];
    for (let message: ToWriter | undefined = first; message !== undefined; message = line.receive()) {
      if (message.kind === "write") {
        waiting = waiting.length === 0 ? [...message.batches] : waiting.concat(message.batches);
      }
      // Leases are held and dropped beside the commits: their rows are written already, and only the end has to wait.
      if (waiting.length > 0 && (message.kind === "close" || waiting.length >= maxBatchesPerCommit)) {
        waiting = commitAll(waiting);
      }
      obey(message);
    }
    commitAll(waiting);
  }

  function commitAll(batches: readonly WireBatch[]): [] {
    for (let from = 0; from < batches.length; from += maxBatchesPerCommit) {
      const startMs = line.clock.monotonic();
      const report = commitBatches(connection, batches.slice(from, from + maxBatchesPerCommit));
      line.send({ kind: "committed", ...report, durationMs: line.clock.monotonic() - startMs });
      // A long backlog must not starve the leases.
      renewal.renewDue();
    }
    return [];
  }

  function obey(message: ToWriter): void {
    if (message.kind === "watch") watch.set(message.on);
    if (message.kind === "hold") renewal.hold(message.lease);
    if (message.kind === "drop") renewal.drop(message.name, message.epoch);
    if (message.kind === "checkpoint") checkpoint(connection);
    if (message.kind === "close") {
      clearTimeout(renewalTimer);
      renewalTimer = undefined;
      watch.set(false);
      connection.close();
      line.close();
    }
  }

  function renew(): void {
    clearTimeout(renewalTimer);
    if (!connection.database.isOpen) return;
    const nextMs = renewal.renewDue();
    renewalTimer = nextMs === undefined ? undefined : setTimeout(renew, Math.ceil(nextMs));
  }
}

function openMigrated(options: WriterOptions, nowMs: number): Connection {
  const connection = openConnection({
    path: options.path,
    readOnly: false,
    synchronous: options.synchronous,
  });
  try {
    migrateSqlite(connection, options.migrations, nowMs);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Waits for nobody: what readers or writers still need of the log stays in it until the next time. */
function checkpoint({ database }: Connection): void {
  try {
    database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  } catch {
    // A disk that fails here fails the next commit too, which tells its callers.
  }
}

/** Looks on this thread, because here our own commits do not count and the main thread is not woken for nothing. */
function watchForeignCommits(
  { database }: Connection,
  pollMs: number,
  onForeignCommit: () => void,
): { set(on: boolean): void } {
  const query = database.prepare("PRAGMA data_version");
  // From the start, so that a commit between a listener's first read and the first look is not missed.
  let seen = query.get()?.["data_version"];
  let timer: NodeJS.Timeout | undefined;
  return {
    set(on) {
      clearInterval(timer);
      timer = on && pollMs > 0 ? setInterval(look, pollMs) : undefined;
    },
  };

  function look(): void {
    try {
      const version = query.get()?.["data_version"];
      if (version === seen) return;
      seen = version;
    } catch {
      // Busy or unreadable just now: a needless wake-up is harmless, a missed one is not.
    }
    onForeignCommit();
  }
}

/** A sentence with the path, and what to do, for each way in which a database cannot be opened. */
function refusal(path: string, error: unknown): FromWriter {
  if (isHomeostatError(error, "DATA_FOLDER_UNUSABLE")) {
    return {
      kind: "refused",
      code: "DATA_FOLDER_UNUSABLE",
      message: `Cannot use ${path}: ${error.message}`,
      hint: error.hint,
    };
  }
  const message = `Cannot open the database ${path}: ${failureText(error)}`;
  const hints: Readonly<Record<number, string>> = {
    5: "Another program holds the database; stop it and start again.",
    8: "The file or its folder is read-only; give HOMEOSTAT_HOME a folder that this user may write.",
    11: "The file is damaged; restore it from a backup.",
    13: "The disk is full; free some space and start again.",
    14: "Give HOMEOSTAT_HOME a folder that this user may write.",
    26: "The file is no database, or damaged; restore it from a backup or move it away.",
  };
  const code = primaryCode(error);
  const hint = code === undefined ? undefined : hints[code];
  return {
    kind: "refused",
    code: code === 8 || code === 14 ? "DATA_FOLDER_UNUSABLE" : "STORE_UNAVAILABLE",
    message,
    hint: hint ?? `This is a fault in Homeostat or SQLite: ${errorMessage(error)}.`,
  };
}
