/** One place under a supervisor: the part that fills it now, what is known of it, and how it is started and stopped. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Health, Part, Strategy, TreeNode } from "./part.ts";

export interface ChildSpec {
  readonly name: string;
  /** Makes the part anew for every start. Must not start anything itself. */
  readonly create: () => Part;
  /** False: `create` cannot be called again, so a breakdown is the supervisor's own. True by default. */
  readonly isRenewable?: boolean;
  /** The child is itself a supervisor with this strategy; its children hang below it. */
  readonly strategy?: Strategy;
  /** It gets at most this long to stop, so that what comes after it gets its share. No limit of its own by default. */
  readonly stopMs?: number;
}

export interface Child {
  readonly name: string;
  readonly isRenewable: boolean;
  /** The first start; rejects with the part's own error. */
  start(): Promise<void>;
  /** A start that has to succeed in time. Rejects with the part's error or PART_FAILED. */
  restart(): Promise<void>;
  /** Never rejects, and never lasts much longer than `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
  /** Whether `part` is the one that runs here now. */
  isCurrent(part: Part): boolean;
  prepareRestart(): void;
  noteError(message: string): void;
  noteFailed(): void;
  /** How the running part is; undefined when none runs. */
  look(): { readonly part: Part; readonly health: Health } | undefined;
  broke(part: Part, reason: unknown): void;
  node(): TreeNode;
}

export interface ChildDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when the running part says that it has broken down. */
  readonly broke: (child: Child, part: Part, reason: unknown) => void;
}

/** A new part that does not serve after this long is no better than the one before it. */
const restartWithinMs = 30_000;
/** What a part may take longer than its deadline before it is left behind. */
const stopGraceMs = 1_000;

export function createChild(spec: ChildSpec, deps: ChildDeps): Child {
  const { clock, logger } = deps;
  let part: Part | undefined;
  let state: TreeNode["state"] = "stopped";
  let restarts = 0;
  let lastError: string | null = null;
  let startedMs = 0;

  async function begin(): Promise<void> {
    const next = spec.create();
    part = next;
    await next.start();
    // It may have been stopped while it was starting.
    if (part !== next) return;
    state = "running";
    startedMs = clock.monotonic();
    void watch(next);
  }

  async function watch(running: Part): Promise<void> {
    if (running.failed !== undefined) child.broke(running, await running.failed);
  }

  const child: Child = {
    name: spec.name,
    isRenewable: spec.isRenewable ?? true,
    async start() {
      state = "starting";
      try {
        await begin();
      } catch (error) {
        state = "failed";
        throw error;
      }
    },
    async restart() {
      restarts += 1;
      const timer = new AbortController();
      const late = clock.sleep(restartWithinMs, timer.signal).then(
        () => "late",
        () => "over",
      );
      try {
        if ((await Promise.race([begin(), late])) !== "late") return;
        const text = `${spec.name} did not start within ${restartWithinMs} ms`;
        throw new HomeostatError("PART_FAILED", text, { part: spec.name });
      } finally {
        timer.abort();
      }
    },
    async stop(deadlineMs) {
      const running = part;
      part = undefined;
      if (state !== "restarting" && state !== "failed") state = "stopped";
      if (running === undefined) return;
      const ms = Math.min(deadlineMs, spec.stopMs ?? Infinity);
      const timer = new AbortController();
      const stopped = running.stop(ms).then(
        () => true,
        (error: unknown) => {
          // A part that breaks its promise must not keep the others from stopping.
          logger.error({ part: spec.name, error: errorMessage(error) }, "a part did not stop cleanly");
          return true;
        },
      );
      const late = clock.sleep(ms + stopGraceMs, timer.signal).then(
        () => false,
        () => true,
      );
      if (!(await Promise.race([stopped, late]))) {
        logger.error({ part: spec.name, deadlineMs: ms }, "a part did not stop in time and is left behind");
      }
      timer.abort();
    },
    isCurrent: (other) => part === other && state === "running",
    prepareRestart: () => void (state = "restarting"),
    noteError: (message) => void (lastError = message),
    noteFailed: () => void (state = "failed"),
    look: () => (part === undefined || state !== "running" ? undefined : { part, health: healthOf(part) }),
    broke: (broken, reason) => deps.broke(child, broken, reason),
    node: () => nodeOf(),
  };
  return child;

  function nodeOf(): TreeNode {
    const running = state === "running" ? part : undefined;
    const details = running?.inspect?.() ?? {};
    return {
      name: spec.name,
      kind: spec.strategy !== undefined ? "supervisor" : details.mailbox === undefined ? "part" : "actor",
      state,
      health: running === undefined ? absent(state, lastError) : healthOf(running),
      restarts,
      lastError,
      uptimeMs: running === undefined ? null : Math.round(clock.monotonic() - startedMs),
      strategy: spec.strategy ?? null,
      mailbox: details.mailbox ?? null,
      children: details.children ?? [],
    };
  }
}

function absent(state: TreeNode["state"], lastError: string | null): Health {
  const why = lastError === null ? "" : ` after: ${lastError}`;
  if (state === "restarting") return { kind: "degraded", detail: `is being restarted${why}` };
  if (state === "starting") return { kind: "degraded", detail: "is starting" };
  return { kind: "failed", detail: `does not run${why}` };
}

/** A part that cannot even say how it is is not well. */
function healthOf(part: Part): Health {
  try {
    return part.health();
  } catch (error) {
    return { kind: "failed", detail: `cannot say how it is: ${errorMessage(error)}` };
  }
}
