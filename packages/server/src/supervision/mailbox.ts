/** A bounded queue of messages with one stated answer to being full. Anybody puts in, one reader takes out. */
import { HomeostatError } from "../base/error.ts";
import type { MailboxState, Overflow } from "./part.ts";

export interface MailboxOptions<Message> {
  /** For messages of errors. */
  readonly name: string;
  readonly capacity: number;
  readonly overflow: Overflow;
  /** How many senders may wait for room with `block`; more are refused. As many as `capacity` by default. */
  readonly maxBlocked?: number;
  /** Told of each message that overflow threw away, so that nobody waits for its answer. Must not throw. */
  readonly onDrop?: (message: Message) => void;
}

export interface Mailbox<Message> {
  /**
   * Resolves with `taken` once the message is in the box, or `dropped` when `drop-newest` threw it away. With `block` it waits
   * for room. Rejects with MAILBOX_FULL, MAILBOX_CLOSED, or the signal's reason.
   */
  put(message: Message, signal?: AbortSignal): Promise<"taken" | "dropped">;
  /** The oldest message, waiting for one; undefined once the box is closed and empty. One reader at a time. */
  take(): Promise<Message | undefined>;
  /** Takes no more; what is in it can still be taken. Waiting senders are refused. */
  close(): void;
  /** Empties it, for a reader that cannot finish in time. */
  clear(): readonly Message[];
  state(): MailboxState;
}

interface Sender<Message> {
  readonly message: Message;
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
}

export function createMailbox<Message>(options: MailboxOptions<Message>): Mailbox<Message> {
  const { name, capacity, overflow, maxBlocked = capacity, onDrop } = options;
  const messages: Message[] = [];
  const senders = new Set<Sender<Message>>();
  const counts = { accepted: 0, dropped: 0, rejected: 0, longest: 0 };
  let reader: ((message: Message | undefined) => void) | undefined;
  let isClosed = false;

  function accept(message: Message): void {
    counts.accepted += 1;
    if (reader !== undefined) {
      const waiting = reader;
      reader = undefined;
      return waiting(message);
    }
    messages.push(message);
    counts.longest = Math.max(counts.longest, messages.length);
  }

  function drop(message: Message): void {
    counts.dropped += 1;
    onDrop?.(message);
  }

  function refusal(code: "MAILBOX_FULL" | "MAILBOX_CLOSED", why: string): HomeostatError {
    counts.rejected += 1;
    return new HomeostatError(code, `The mailbox of ${name} ${why}`, { name, capacity });
  }

  function waitForRoom(message: Message, signal: AbortSignal | undefined): Promise<"taken"> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        senders.delete(sender);
        signal?.removeEventListener("abort", giveUp);
      };
      const giveUp = (): void => sender.refuse(signal?.reason);
      const sender: Sender<Message> = {
        message,
        enter() {
          leave();
          accept(message);
          resolve("taken");
        },
        refuse(error) {
          leave();
          reject(error as Error);
        },
      };
      senders.add(sender);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  return {
    async put(message, signal) {
      signal?.throwIfAborted();
      if (isClosed) throw refusal("MAILBOX_CLOSED", "is closed");
      if (messages.length < capacity) return (accept(message), "taken");
      switch (overflow) {
        case "reject":
          throw refusal("MAILBOX_FULL", `is full: ${capacity} messages wait`);
        case "drop-newest":
          return (drop(message), "dropped");
        case "drop-oldest":
          drop(messages.shift()!);
          return (accept(message), "taken");
        case "block":
          if (senders.size < maxBlocked) return await waitForRoom(message, signal);
          throw refusal("MAILBOX_FULL", `is full, and ${senders.size} senders wait for room already`);
      }
    },
    take() {
      const message = messages.shift();
      if (message !== undefined) {
        const [next] = senders;
        next?.enter();
        return Promise.resolve(message);
      }
      if (isClosed) return Promise.resolve(undefined);
      return new Promise((resolve) => (reader = resolve));
    },
    close() {
      isClosed = true;
      for (const sender of [...senders]) sender.refuse(refusal("MAILBOX_CLOSED", "is closed"));
      reader?.(undefined);
      reader = undefined;
    },
    clear: () => messages.splice(0),
    state: () => ({ length: messages.length, capacity, overflow, ...counts, blocked: senders.size }),
  };
}
