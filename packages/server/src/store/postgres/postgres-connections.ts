/** Connections to one server that are lent out: made when wanted, some kept for the next. */
import { connectPostgres } from "./postgres-connection.ts";
import type { PostgresConnection } from "./postgres-connection.ts";

export interface PostgresConnections {
  /** As many at once as are wanted. Throws the driver's errors. */
  borrow(): Promise<Loan>;
  /** Lent ones, and those that are being made. */
  busy(): number;
  /** Ends all, lent ones too. */
  close(): void;
}

export interface Loan {
  readonly connection: PostgresConnection;
  /** `isUsable`: no transaction is open in it. */
  giveBack(isUsable: boolean): void;
}

/** `mostIdle`: so many are kept. */
export function createPostgresConnections(url: string, mostIdle: number): PostgresConnections {
  const idle = new Set<PostgresConnection>();
  const lent = new Set<PostgresConnection>();
  let making = 0;
  let closed = false;
  return {
    async borrow() {
      const [kept] = idle;
      if (kept !== undefined) idle.delete(kept);
      const connection = kept ?? (await connect());
      lent.add(connection);
      return { connection, giveBack: (isUsable) => giveBack(connection, isUsable) };
    },
    busy: () => lent.size + making,
    close() {
      closed = true;
      for (const connection of [...idle, ...lent]) connection.destroy();
    },
  };

  async function connect(): Promise<PostgresConnection> {
    making += 1;
    const connection = await connectPostgres(url).finally(() => (making -= 1));
    connection.client.once("end", () => {
      idle.delete(connection);
      lent.delete(connection);
    });
    if (closed) connection.destroy();
    return connection;
  }

  function giveBack(connection: PostgresConnection, isUsable: boolean): void {
    // One that has ended is lent no more.
    if (lent.delete(connection) && isUsable && !closed && idle.size < mostIdle) idle.add(connection);
    else connection.destroy();
  }
}
