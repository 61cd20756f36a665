/** Rings when messages may have come in for a run; whoever waits for the next one hears it, also when it rang just before. */

export interface MessageBell {
  ring(): void;
  isRinging(): boolean;
  /** Called before messages are read: those that come later ring again. */
  silence(): void;
  /** Resolves at the next ring, at once when it rings already, and when `signal` is aborted. Never rejects. */
  next(signal: AbortSignal): Promise<void>;
}

export function createMessageBell(): MessageBell {
  const waiting = new Set<() => void>();
  let isRinging = false;
  return {
    ring() {
      isRinging = true;
      for (const wake of waiting) wake();
    },
    isRinging: () => isRinging,
    silence() {
      isRinging = false;
    },
    async next(signal) {
      if (isRinging || signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      waiting.delete(wake);
      // The signal may outlive thousands of rings.
      signal.removeEventListener("abort", wake);
    },
  };
}
