/** A bounded queue of messages with one stated answer to being full. Anybody puts in, one reader takes out. */
import type { MailboxState, Overflow } from "./part.ts";

export interface Mailbox<Message> {
  /** Never waits. `dropped`: this message or the oldest made room, as the overflow says; `refused`: it is full, or closed. */
  offer(message: Message): "taken" | "dropped" | "refused";
  /** The oldest message, waiting for one; undefined once the box is closed and empty. One reader at a time. */
  take(): Promise<Message | undefined>;
  /** Takes no more; what is in it can still be taken. */
  close(): void;
  state(): MailboxState;
}

export function createMailbox<Message>(options: {
  readonly capacity: number;
  readonly overflow: Overflow;
}): Mailbox<Message> {
  const { capacity, overflow } = options;
  const messages: Message[] = [];
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

  return {
    offer(message) {
      const isFull = messages.length >= capacity;
      if (isClosed || (isFull && overflow === "reject")) {
        counts.rejected += 1;
        return "refused";
      }
      if (isFull) counts.dropped += 1;
      if (isFull && overflow === "drop-newest") return "dropped";
      if (isFull) messages.shift();
      accept(message);
      return isFull ? "dropped" : "taken";
    },
    take() {
      if (messages.length > 0) return Promise.resolve(messages.shift());
      if (isClosed) return Promise.resolve(undefined);
      return new Promise((resolve) => (reader = resolve));
    },
    close() {
      isClosed = true;
      reader?.(undefined);
      reader = undefined;
    },
    state: () => ({ length: messages.length, capacity, overflow, ...counts }),
  };
}

/** For news that say the same however often they come: while one waits, more of them are dropped. */
export function createBell(): Mailbox<"news"> {
  return createMailbox({ capacity: 1, overflow: "drop-newest" });
}

/** One message at a time, until the mailbox is closed and empty. Rejects with what `handle` throws; the mailbox stays as it is. */
export async function attend<Message>(
  mailbox: Pick<Mailbox<Message>, "take">,
  handle: (message: Message) => Promise<void>,
): Promise<void> {
  for (;;) {
    const message = await mailbox.take();
    if (message === undefined) return;
    await handle(message);
  }
}
