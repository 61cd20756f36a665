/**
 * An actor: one message at a time from a bounded mailbox, no state shared with anybody. A handler that throws is a breakdown:
 * the actor ends, and its supervisor makes a new one with a new state behind the same mailbox.
 */
import type { Clock } from "../base/clock.ts";
import { HomeostatError, errorMessage } from "../base/error.ts";
import { createMailbox } from "./mailbox.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Overflow, Part } from "./part.ts";

/** Where to send messages. It stays the same while actors behind it come and go. */
export interface Address<Message, Answer> {
  /** Resolves when the message is in the mailbox (or dropped, where that is the policy). Rejects as `Mailbox.put`. */
  tell(message: Message, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves with what the handler answers. Rejects with MAILBOX_FULL, MAILBOX_CLOSED, ACTOR_FAILED (the handler broke, or the
   * message was dropped or thrown away at the stop), TIMEOUT after `timeoutMs`, or the signal's reason.
   */
  ask(message: Message, wish: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<Answer>;
  readonly mailbox: Mailbox<Envelope<Message, Answer>>;
}

export interface Envelope<Message, Answer> {
  readonly message: Message;
  readonly reply: ((answer: Answer) => void) | undefined;
  readonly fail: ((error: unknown) => void) | undefined;
}

export interface AddressOptions {
  readonly name: string;
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly clock: Clock;
}

/** Messages and answers are copied by structured cloning, so that neither side can reach into the other. */
export function createAddress<Message, Answer>(options: AddressOptions): Address<Message, Answer> {
  const { name, clock } = options;
  const mailbox = createMailbox<Envelope<Message, Answer>>({
    ...options,
    onDrop: (envelope) => envelope.fail?.(broken(name, "the mailbox was full and the message was dropped")),
  });
  return {
    mailbox,
    async tell(message, signal) {
      await mailbox.put({ message: structuredClone(message), reply: undefined, fail: undefined }, signal);
    },
    async ask(message, { timeoutMs, signal }) {
      const answered = Promise.withResolvers<Answer>();
      // Whoever asked may be gone before the answer comes.
      answered.promise.catch(() => undefined);
      const over = new AbortController();
      const both = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      const timer = new AbortController();
      void clock.sleep(timeoutMs, timer.signal).then(
        () =>
          over.abort(
            new HomeostatError("TIMEOUT", `${name} did not answer within ${timeoutMs} ms`, { name }),
          ),
        () => undefined,
      );
      const giveUp = (): void => answered.reject(both.reason);
      both.addEventListener("abort", giveUp, { once: true });
      try {
        const copy = structuredClone(message);
        await mailbox.put({ message: copy, reply: answered.resolve, fail: answered.reject }, both);
        return await answered.promise;
      } finally {
        timer.abort();
        both.removeEventListener("abort", giveUp);
      }
    },
  };
}

export interface ActorOptions<Message, Answer> {
  readonly name: string;
  readonly address: Address<Message, Answer>;
  readonly clock: Clock;
  /** Makes the state and the handler that alone sees it; called at the start. */
  readonly behave: () => Promise<(message: Message, signal: AbortSignal) => Promise<Answer>>;
}

/** `stop` closes the mailbox and drains it until the deadline; what is left then is refused with ACTOR_FAILED. */
export function createActor<Message, Answer>(options: ActorOptions<Message, Answer>): Part {
  const { name, address, clock, behave } = options;
  const { mailbox } = address;
  const failed = Promise.withResolvers<unknown>();
  const ended = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let fault: string | undefined;
  let isStopping = false;

  async function run(handle: (message: Message, signal: AbortSignal) => Promise<Answer>): Promise<void> {
    while (!ended.signal.aborted) {
      const envelope = await mailbox.take();
      if (envelope === undefined) return;
      try {
        const answer = await handle(envelope.message, ended.signal);
        envelope.reply?.(structuredClone(answer));
      } catch (error) {
        // The message is not tried again: it may be what broke the handler.
        envelope.fail?.(broken(name, errorMessage(error), error));
        fault = errorMessage(error);
        return failed.resolve(error);
      }
    }
  }

  return {
    name,
    failed: failed.promise,
    async start() {
      const handle = await behave();
      loop = run(handle);
    },
    async stop(deadlineMs) {
      // A new actor takes over the mailbox of one that broke down; only an orderly stop closes it.
      if (fault !== undefined || isStopping) return await loop;
      isStopping = true;
      mailbox.close();
      const timer = new AbortController();
      await Promise.race([loop, clock.sleep(deadlineMs, timer.signal).catch(() => undefined)]);
      timer.abort();
      ended.abort(new HomeostatError("ACTOR_FAILED", `${name} was stopped`));
      for (const { fail } of mailbox.clear()) fail?.(broken(name, "it was stopped before its turn"));
    },
    health: () => (fault === undefined ? { kind: "ok" } : { kind: "failed", detail: fault }),
    inspect: () => ({ mailbox: mailbox.state() }),
  };
}

function broken(name: string, why: string, cause?: unknown): HomeostatError {
  return new HomeostatError("ACTOR_FAILED", `${name} did not take the message: ${why}`, { name }, { cause });
}
