/** The one publisher of a database: moves outbox rows into the ledger under a lease, and takes bulk entries directly. */
import { statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError, isHomeostatError, isProgrammingError } from "../base/error.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import type { Logger } from "../base/log.ts";
import { acquireLease, leaseTtlMs, releaseLease } from "../store/lease.ts";
import type { HeldLease, LeaseStore } from "../store/lease.ts";
import type { Health, Part } from "../supervision/part.ts";
import { createBell } from "./bell.ts";
import type { Bell } from "./bell.ts";
import { frameEntries } from "./entry.ts";
import { startLog } from "./log-client.ts";
import type { Appended } from "./append-queue.ts";
import { unavailable } from "./ledger-error.ts";
import type { LogClient } from "./log-client.ts";
import { emptyRoot, hashToHex } from "./merkle.ts";
import { countOutbox, findGone, readPosition } from "./outbox-rows.ts";
import { createPublishTurn } from "./publish-turn.ts";
import type { PublishTurn } from "./publish-turn.ts";
import { createLedgerReader } from "./reader.ts";
import type { LedgerReader } from "./reader.ts";
import { checkpointPath } from "./recover.ts";
import { createWaiters } from "./waiters.ts";
import type { Waiters } from "./waiters.ts";

/** Whoever holds it is the one who writes the ledger. */
export const publisherLeaseName = "ledger-publisher";

export interface PublisherSettings {
  /** A segment file that has reached this size is closed and the HMAC key advanced. */
  readonly segmentBytes: number;
  /** How many of the newest bytes are read again at start; 1 GiB takes about 0.6 s. */
  readonly scanBytes: number;
  /** Bytes of entries that may wait for their checkpoint; more are refused with LEDGER_BUSY. */
  readonly maxQueuedBytes: number;
  /** The outbox is looked at this often even when nobody tells of a commit. */
  readonly sweepMs: number;
  /** How long a failed publisher rests before it opens the ledger again. */
  readonly retryMs: number;
  readonly leaseTtlMs: number;
}

export const defaultPublisherSettings: PublisherSettings = {
  segmentBytes: 64 * 1024 * 1024,
  scanBytes: 1024 ** 3,
  maxQueuedBytes: 64 * 1024 * 1024,
  sweepMs: 1000,
  retryMs: 1000,
  leaseTtlMs,
};

export interface PublisherDeps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledgerFolder: string;
  readonly keysFolder: string;
  /** This process among all that may publish (`processIdentity`). */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  readonly settings: PublisherSettings;
  /** Told of each group commit, for metrics. Must not throw. */
  readonly observeCommit?: (commit: { readonly count: number; readonly durationMs: number }) => void;
}

/** As GET /v1/ledger answers it. */
export interface LedgerState {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  /** The signed note, empty before the first start. */
  readonly checkpoint: string;
  readonly verifierKey: string;
  /** Rows that wait in the outbox. */
  readonly pending: number;
  readonly witnessedTo: number | null;
  /** ISO 8601. */
  readonly lastCheckpointAt: string | null;
}

export interface LedgerPublisher extends Part {
  readonly reader: LedgerReader;
  /**
   * Resolves when the entry with that outbox key is covered by a checkpoint on disk. Call it after the batch that inserted the
   * row has resolved: a key without a row counts as published. Rejects with LEDGER_BROKEN, LEDGER_ENTRY_INVALID (the row held
   * no valid entry), LEDGER_UNAVAILABLE (stopped) or the signal's reason; waits while the disk is full.
   */
  published(key: string, signal?: AbortSignal): Promise<void>;
  /**
   * For bulk entries without a row: resolves when they are under a checkpoint. A rejection with LEDGER_UNAVAILABLE says nothing
   * about whether they are in the ledger. Rejects with LEDGER_BUSY, LEDGER_BROKEN, LEDGER_ENTRY_INVALID too.
   */
  append(entries: readonly LedgerEntry[]): Promise<Appended>;
  state(): Promise<LedgerState>;
}

type Phase =
  | { readonly kind: "starting" }
  | { readonly kind: "standby" }
  | { readonly kind: "publishing"; readonly log: LogClient; readonly turn: PublishTurn }
  | { readonly kind: "waiting"; readonly why: string }
  | { readonly kind: "broken"; readonly error: HomeostatError }
  | { readonly kind: "stopped" };

/** Followers of a lease look for their keys this often while somebody waits. */
const followMs = 100;

export function createLedgerPublisher(deps: PublisherDeps): LedgerPublisher {
  const { store, clock } = deps;
  const reader = createLedgerReader(deps.ledgerFolder);
  const waiters = createWaiters();
  const bell = createBell(clock);
  const life = createLife({ ...deps, reader, waiters, bell, leftBehind: { isOurs: false } });
  const removeListener = store.onCommit("ledger_outbox", bell.ring);
  // While another publishes, its commits are what somebody here may be waiting for.
  const removeFollower = store.onCommit("ledger_position", () => {
    if (life.phase().kind === "standby" && waiters.keys().length > 0) bell.ring();
  });
  return {
    name: "ledger",
    failed: life.failed,
    reader,
    start: life.start,
    async stop(deadlineMs) {
      await life.stop(deadlineMs);
      removeListener();
      removeFollower();
    },
    health: () => healthOf(life.phase()),
    async published(key, signal) {
      const phase = life.phase();
      if (phase.kind === "broken") throw phase.error;
      if (phase.kind === "stopped") throw unavailable(describe(phase));
      const waiting = waiters.wait(key, signal);
      bell.ring();
      await waiting;
    },
    async append(entries) {
      const phase = life.phase();
      if (phase.kind === "broken") throw phase.error;
      if (phase.kind !== "publishing") throw unavailable(describe(phase));
      return await phase.turn.append(frameEntries(entries));
    },
    async state() {
      const pending = await countOutbox(store);
      const head = currentHead(life.phase(), reader);
      return { ...head, pending, witnessedTo: null, lastCheckpointAt: lastCheckpoint(deps.ledgerFolder) };
    },
  };
}

interface LifeDeps extends PublisherDeps {
  readonly reader: LedgerReader;
  readonly waiters: Waiters;
  readonly bell: Bell;
  /** True when our own last lease could not be freed: nobody here works under it, so it need not be waited out. */
  readonly leftBehind: { isOurs: boolean };
}

interface Life {
  readonly phase: () => Phase;
  /** Resolves with an error of our own code: the loop has ended, and a new publisher has to begin with what is on disk. */
  readonly failed: Promise<unknown>;
  readonly start: () => Promise<void>;
  readonly stop: (deadlineMs: number) => Promise<void>;
}

/** Takes the lease, publishes under it, follows while another has it, and opens the ledger again after a failure. */
function createLife(deps: LifeDeps): Life {
  const { clock, logger, bell, waiters, settings } = deps;
  const started = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<unknown>();
  let phase: Phase = { kind: "starting" };
  let isStopping = false;
  let running: Promise<void> = Promise.resolve();

  function enter(next: Phase): void {
    phase = next;
    if (next.kind === "publishing" && isStopping) next.turn.finish();
    started.resolve();
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      try {
        await takeTurn(deps, enter);
      } catch (error) {
        // Corruption is never repaired silently: nothing is published any more until a person has looked at it.
        if (isHomeostatError(error, "LEDGER_BROKEN", "LEDGER_KEYS_UNUSABLE")) {
          logger.error({ code: error.code, ...error.data }, error.message);
          enter({ kind: "broken", error });
          return waiters.rejectAll(error);
        }
        if (isProgrammingError(error)) {
          enter({ kind: "waiting", why: errorMessage(error) });
          return failed.resolve(error);
        }
        logger.warn(
          { error: errorMessage(error) },
          "the ledger cannot be written; it is opened again shortly",
        );
        enter({ kind: "waiting", why: errorMessage(error) });
        if (!isStopping) await bell.wait(settings.retryMs);
      }
    }
  }

  return {
    phase: () => phase,
    failed: failed.promise,
    async start() {
      running = run();
      await started.promise;
    },
    async stop(deadlineMs) {
      isStopping = true;
      bell.ring();
      if (phase.kind === "publishing") phase.turn.finish();
      const timer = new AbortController();
      await Promise.race([running, clock.sleep(deadlineMs, timer.signal).catch(() => {})]);
      timer.abort();
      if (phase.kind === "publishing") await phase.log.close();
      if (phase.kind !== "broken") enter({ kind: "stopped" });
      waiters.rejectAll(unavailable("it is stopped"));
    },
  };
}

/** One lease's worth of publishing, or one look while another has the lease. Throws what ended it. */
async function takeTurn(deps: LifeDeps, enter: (phase: Phase) => void): Promise<void> {
  const { store, clock, owner, settings, bell, waiters, leftBehind } = deps;
  const request = {
    name: publisherLeaseName,
    owner,
    ttlMs: settings.leaseTtlMs,
    now: clock.now(),
    isOwnerDead: (other: string) => (leftBehind.isOurs && other === owner) || deps.isOwnerDead(other),
  };
  const lease = await acquireLease(store, request);
  if (lease !== undefined) return await publishUnder(deps, store.holdLease(lease), enter);
  enter({ kind: "standby" });
  const keys = waiters.keys();
  for (const key of await findGone(store, keys)) waiters.resolve(key);
  await bell.wait(keys.length > 0 ? followMs : settings.sweepMs);
}

async function publishUnder(deps: LifeDeps, lease: HeldLease, enter: (phase: Phase) => void): Promise<void> {
  const { store, logger, ledgerFolder, keysFolder, settings } = deps;
  const { segmentBytes, scanBytes, maxQueuedBytes, sweepMs } = settings;
  let log: LogClient | undefined;
  try {
    const knownSize = await readPosition(store);
    const options = { ledgerFolder, keysFolder, knownSize, segmentBytes, scanBytes, maxQueuedBytes };
    log = await startLog({ ...options, onCommitted: (commit) => deps.observeCommit?.(commit) });
    logger.info({ size: log.head.size, ...log.repairs }, "the ledger is open");
    const onRefused = (error: HomeostatError): void => logger.error(error.data, error.message);
    const turn = createPublishTurn({ ...deps, lease, log, sweepMs, onRefused });
    await turn.dropPublished(knownSize);
    enter({ kind: "publishing", log, turn });
    await turn.run();
    enter({ kind: "waiting", why: "it is being closed" });
    await log.close();
  } catch (error) {
    if (log !== undefined) enter({ kind: "waiting", why: errorMessage(error) });
    // Another may hold the lease by now, so nothing more is sent to the thread.
    await log?.close(unavailable(errorMessage(error)));
    throw error;
  } finally {
    deps.leftBehind.isOurs = false;
    await releaseLease(store, lease).catch((error: unknown) => {
      deps.leftBehind.isOurs = true;
      logger.debug({ error: errorMessage(error) }, "the publisher's lease was not freed and is taken again");
    });
  }
}

function currentHead(
  phase: Phase,
  reader: LedgerReader,
): Pick<LedgerState, "size" | "root" | "checkpoint" | "verifierKey"> {
  if (phase.kind === "publishing") return { ...phase.log.head, verifierKey: phase.log.verifierKey };
  try {
    const { size, root, note, verifierKey } = reader.head();
    return { size, root: hashToHex(root), checkpoint: note, verifierKey };
  } catch {
    // Not made yet, or damaged: `health` and `verify` say which.
    return { size: 0, root: hashToHex(emptyRoot), checkpoint: "", verifierKey: "" };
  }
}

function healthOf(phase: Phase): Health {
  if (phase.kind === "publishing") return { kind: "ok" };
  if (phase.kind === "standby") return { kind: "ok", detail: describe(phase) };
  // Evidence of tampering or a lost key: to begin anew would hide it.
  if (phase.kind === "broken") return { kind: "failed", detail: describe(phase), needsPerson: true };
  return { kind: "degraded", detail: describe(phase) };
}

function describe(phase: Exclude<Phase, { kind: "publishing" }>): string {
  switch (phase.kind) {
    case "starting":
      return "it is starting";
    case "standby":
      return "another process publishes";
    case "waiting":
      return phase.why;
    case "broken":
      return phase.error.message;
    case "stopped":
      return "it is stopped";
  }
}

function lastCheckpoint(ledgerFolder: string): string | null {
  try {
    return statSync(checkpointPath(ledgerFolder)).mtime.toISOString();
  } catch {
    // There is none yet.
    return null;
  }
}
