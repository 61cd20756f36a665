/** A connection that is made anew whenever it is lost. */
import type { Clock } from "../../base/clock.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { postgresFailureText } from "./postgres-failure.ts";

export interface PostgresLink {
  /** Undefined while there is none. */
  connection(): PostgresConnection | undefined;
  /** Why there is none. */
  why(): string;
  /** Ends a connection of which nothing good can be expected, and makes another. An earlier one is ignored. */
  lose(connection: PostgresConnection, why: string): void;
  close(): Promise<void>;
}

export interface LinkDeps {
  readonly clock: Clock;
  /** Makes a connection with all settings. */
  readonly connect: () => Promise<PostgresConnection>;
  /** Told of every connection but the first. Must not throw. */
  readonly onAgain: () => void;
}

const firstDelayMs = 50;
/** A server takes some seconds to restart; being there at most this long after it is soon enough. */
const longestDelayMs = 5_000;

/** `first` is open already, so that whoever opens a store learns why it cannot. */
export function createPostgresLink(first: PostgresConnection, deps: LinkDeps): PostgresLink {
  const { clock, connect, onAgain } = deps;
  const closing = new AbortController();
  let current: PostgresConnection | undefined;
  let why = "";
  adopt(first);
  return { connection: () => current, why: () => why, lose, close };

  function adopt(connection: PostgresConnection): void {
    current = connection;
    connection.client.on("error", (error) => lose(connection, postgresFailureText(error)));
    connection.client.on("end", () => lose(connection, "the server ended the connection"));
  }

  function lose(connection: PostgresConnection, reason: string): void {
    if (current !== connection) return;
    current = undefined;
    why = reason;
    connection.destroy();
    void reconnect();
  }

  async function reconnect(): Promise<void> {
    for (
      let delayMs = firstDelayMs;
      !closing.signal.aborted;
      delayMs = Math.min(2 * delayMs, longestDelayMs)
    ) {
      try {
        const connection = await connect();
        if (closing.signal.aborted) return connection.destroy();
        adopt(connection);
        return onAgain();
      } catch (error) {
        why = postgresFailureText(error);
      }
      // Rejects when the store is closed, which the loop's condition sees.
      await clock.sleep(delayMs, closing.signal).catch(() => {});
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    const connection = current;
    current = undefined;
    why = "it is closed";
    await connection?.end();
  }
}
