/**
 * Commits small groups on the main thread where a commit waits for no disk (normal sync): a message to the writer thread and back
 * costs more than such a commit. Everything that may sync or wait for others goes to the thread.
 */
import type { Clock } from "../../base/clock.ts";
import { tryCommitBatches } from "./commit.ts";
import { openConnection } from "./connection.ts";
import { settlePending, toWire } from "../pending-batches.ts";
import type { PendingBatch } from "../pending-batches.ts";
import type { Statement } from "../store.ts";
import type { WireBatch } from "../wire.ts";
import type { Writer, WriterEvents } from "../writer.ts";

export interface InlineSettings {
  /** A group of more is the thread's: it would keep the event loop for longer than a few milliseconds. Default 64. */
  readonly mostBatches?: number;
  /**
   * After commits here took so long together the thread syncs the log, and the event loop turns, which a caller that only writes keeps
   * from it. Default 10.
   */
  readonly mostUnsyncedMs?: number;
  /** Of so many syncs one waits until nobody writes and begins the log anew. Default 4: a log of about 16 MB. */
  readonly syncsOfLog?: number;
  /** So long after the first commit here it does so no later: what a power cut may lose. Default 1000. */
  readonly syncAfterMs?: number;
}

export interface InlineOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly settings?: InlineSettings | undefined;
}

/**
 * Batches stay in the order of their calls: none is committed here while the thread has some. Throws SQLite's error when `path`
 * cannot be opened.
 */
export function openInlineWriter(
  thread: Writer,
  { path, clock, settings = {} }: InlineOptions,
  onCommitted: WriterEvents["onCommitted"],
): Omit<Writer, "isIdle"> {
  const { mostBatches = 64, mostUnsyncedMs = 10, syncsOfLog = 4, syncAfterMs = 1000 } = settings;
  const connection = openConnection({ path, readOnly: false, synchronous: "normal" });
  // Another's lock and the disk are waited for on the thread alone.
  connection.database.exec("PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 0");
  let gathered: Gathered[] = [];
  /** How long the commits since the last sync took together; undefined when there were none. */
  let unsyncedMs: number | undefined;
  let syncs = 0;
  // The first write after the whole log was checkpointed begins it anew and syncs its head.
  let isTurnOfThread = false;
  /** Until the first write after a sync amid writes. */
  let isTurnOfLoop = false;
  let isTimed = false;
  const closing = new AbortController();
  return {
    send: thread.send,
    write(batch) {
      const isHere = gathered.length > 0 ? gathered.length < mostBatches : !isTurnOfThread;
      if (!isHere || !thread.isIdle()) {
        // What was called before comes before.
        commit();
        isTurnOfThread = false;
        return thread.write(batch);
      }
      return new Promise((resolve, reject) => {
        if (gathered.push({ batch, wire: toWire(batch), resolve, reject }) > 1) return;
        // While the log is synced, which takes long enough for the loop to turn.
        if (isTurnOfLoop) setImmediate(commit);
        // A microtask later, as in writer.ts.
        else queueMicrotask(() => queueMicrotask(commit));
        isTurnOfLoop = false;
      });
    },
    async close() {
      commit();
      closing.abort();
      connection.close();
      await thread.close();
    },
  };

  function commit(): void {
    const group = gathered;
    gathered = [];
    if (group.length === 0) return;
    const startMs = clock.monotonic();
    const wires = group.map(({ wire }) => wire);
    const report = tryCommitBatches(connection, wires);
    if (report === undefined) {
      for (const each of group) thread.write(statementsOf(each)).then(each.resolve, each.reject);
      return;
    }
    group.forEach((each, index) => settlePending(each, report.outcomes[index]!));
    const durationMs = clock.monotonic() - startMs;
    onCommitted({ tables: report.tables, batches: group.length, durationMs });
    unsyncedMs = (unsyncedMs ?? 0) + durationMs;
    if (unsyncedMs >= mostUnsyncedMs) checkpointAmidWrites();
    else if (!isTimed) void checkpointLater();
  }

  async function checkpointLater(): Promise<void> {
    isTimed = true;
    // Rejects when the writer is closed; the thread's own end syncs what is left.
    await clock.sleep(syncAfterMs, closing.signal).catch(() => {});
    isTimed = false;
    if (unsyncedMs !== undefined && !closing.signal.aborted) checkpoint();
  }

  /**
   * What is written meanwhile keeps the log from being whole in the file, and so from beginning anew: now and then nothing is. When
   * no write follows within the turn, the log will be whole as well.
   */
  function checkpointAmidWrites(): void {
    syncs += 1;
    checkpoint();
    if (syncs % syncsOfLog === 0) return;
    isTurnOfThread = false;
    isTurnOfLoop = true;
    setImmediate(() => {
      isTurnOfThread ||= isTurnOfLoop;
      isTurnOfLoop = false;
    });
  }

  function checkpoint(): void {
    unsyncedMs = undefined;
    isTurnOfThread = true;
    thread.send({ kind: "checkpoint" });
  }
}

interface Gathered extends PendingBatch {
  readonly wire: WireBatch;
}

/** As they were when they were given. */
function statementsOf({ batch, wire }: Gathered): readonly Statement[] {
  return wire.map(([sql, params], index) => ({ ...batch[index], sql, params }));
}
