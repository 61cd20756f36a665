/** What the writing thread does on PostgreSQL: migrates, commits what arrives in groups, renews leases, hears of others. */
import { HomeostatError } from "../../base/error.ts";
import { commitToPostgres } from "./postgres-commit.ts";
import type { CommitTarget } from "./postgres-commit.ts";
import { connectPostgres, createPostgresStatements } from "./postgres-connection.ts";
import type { PostgresConnection, PostgresStatements } from "./postgres-connection.ts";
import { openingFailure } from "./postgres-failure.ts";
import { createPostgresLeaseRenewal } from "./postgres-lease-renewal.ts";
import { createPostgresLink } from "./postgres-link.ts";
import type { PostgresLink } from "./postgres-link.ts";
import { migratePostgres } from "./postgres-migrate.ts";
import { startTimer } from "./postgres-timer.ts";
import { placeOf } from "./postgres-url.ts";
import type { WriterLine, FromWriter, PostgresWriterOptions, WireBatch, WireFailure } from "../wire.ts";

/** Bounds how long one commit makes the others wait: about 50 ms at 50 microseconds for a small batch. */
const maxBatchesPerCommit = 1000;

/** A commit without an answer for this long means a server or a network that is gone. Above `lock_timeout`. */
const commitDeadlineMs = 30_000;

const oldestPostgres = 13;

/** Answers `opened` or `refused`, then one `committed` per commit. Never rejects. */
export async function servePostgresWriter(
  options: PostgresWriterOptions,
  line: Omit<WriterLine, "receive">,
): Promise<void> {
  let opened: Opened;
  try {
    opened = await open(options, line);
  } catch (error) {
    line.send({ kind: "refused", code: "STORE_UNAVAILABLE", ...openingFailure(error, placeOf(options.url)) });
    line.close();
    return;
  }
  serveOpened(options, opened, line);
  line.send({ kind: "opened" });
}

interface Opened {
  readonly writing: PostgresLink;
  readonly statementsOf: (connection: PostgresConnection) => PostgresStatements;
  /** Renews leases and hears of the commits of others: short statements only. */
  readonly keeping: PostgresLink;
  readonly schema: Schema;
}

/** What all who use one schema of one database have in common. */
interface Schema {
  readonly lock: string;
  readonly channel: string;
}

function serveOpened(
  options: PostgresWriterOptions,
  opened: Opened,
  line: Omit<WriterLine, "receive">,
): void {
  const { writing, keeping, schema, statementsOf } = opened;
  const renewal = createPostgresLeaseRenewal({
    clock: line.clock,
    connection: keeping.connection,
    onStuck: (connection) => keeping.lose(connection, "the server does not answer"),
    onLost: (name, epoch) => line.send({ kind: "lease-lost", name, epoch }),
  });
  let waiting: WireBatch[] = [];
  let isCommitting = false;
  let isClosing = false;
  line.listen((message) => {
    if (message.kind === "write")
      waiting = waiting.length === 0 ? [...message.batches] : waiting.concat(message.batches);
    if (message.kind === "hold") renewal.hold(message.lease);
    if (message.kind === "drop") renewal.drop(message.name, message.epoch);
    if (message.kind === "close") isClosing = true;
    if (!isCommitting) void work();
  });

  /** What arrives during a commit is the next group. */
  async function work(): Promise<void> {
    isCommitting = true;
    while (waiting.length > 0) await commit(waiting.splice(0, maxBatchesPerCommit));
    isCommitting = false;
    if (!isClosing) return;
    renewal.stop();
    await Promise.all([writing.close(), keeping.close()]);
    line.close();
  }

  async function commit(batches: readonly WireBatch[]): Promise<void> {
    const startMs = line.clock.monotonic();
    const connection = writing.connection();
    const report =
      connection === undefined ? refuse(batches, writing.why()) : await commitOver(connection, batches);
    line.send({ kind: "committed", ...report, durationMs: line.clock.monotonic() - startMs });
  }

  async function commitOver(
    connection: PostgresConnection,
    batches: readonly WireBatch[],
  ): Promise<Pick<Extract<FromWriter, { kind: "committed" }>, "outcomes" | "tables">> {
    const stopTimer = startTimer(line.clock, commitDeadlineMs, () => connection.destroy());
    const target: CommitTarget = {
      connection,
      statements: statementsOf(connection),
      instance: options.instance,
      ...schema,
    };
    const { outcomes, tables, isLost } = await commitToPostgres(target, batches);
    stopTimer();
    if (isLost) writing.lose(connection, "the connection was lost in the middle of a commit");
    return { outcomes, tables };
  }
}

function refuse(
  batches: readonly WireBatch[],
  why: string,
): { readonly outcomes: readonly WireFailure[]; readonly tables: readonly string[] } {
  const failure: WireFailure = { kind: "unavailable", message: `there is no connection: ${why}` };
  return { outcomes: batches.map(() => failure), tables: [] };
}

/** Throws the driver's errors and STORE_UNAVAILABLE. */
async function open(
  { url, migrations, instance }: PostgresWriterOptions,
  { clock, send }: Omit<WriterLine, "receive">,
): Promise<Opened> {
  const statements = new WeakMap<PostgresConnection, PostgresStatements>();
  const connectWriter = async (): Promise<PostgresConnection> => {
    const connection = await connectPostgres(url);
    // Named statements live as long as the connection, and so must the list of them.
    statements.set(connection, createPostgresStatements());
    return await prepared(connection, () => connection.ask(writerSettings));
  };
  const writer = await connectWriter();
  try {
    await requireUsable(writer);
    const schema = await schemaOf(writer);
    await migratePostgres(writer, { wanted: migrations, lock: schema.lock, nowMs: clock.now() });
    const connectKeeper = async (): Promise<PostgresConnection> => {
      const connection = await connectPostgres(url);
      connection.client.on("notification", ({ payload = "" }) => {
        const message = foreignCommit(payload, instance);
        if (message !== undefined) send(message);
      });
      return await prepared(connection, () => connection.ask(`LISTEN ${schema.channel}`));
    };
    const keeper = await connectKeeper();
    return {
      schema,
      statementsOf: (connection) => statements.get(connection)!,
      writing: createPostgresLink(writer, { clock, connect: connectWriter, onAgain: () => {} }),
      keeping: createPostgresLink(keeper, {
        clock,
        connect: connectKeeper,
        // What happened while nobody listened is not known.
        onAgain: () => send({ kind: "foreign-commit" }),
      }),
    };
  } catch (error) {
    writer.destroy();
    throw error;
  }
}

async function prepared(
  connection: PostgresConnection,
  prepare: () => Promise<unknown>,
): Promise<PostgresConnection> {
  try {
    await prepare();
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** Undefined for our own, of which our listeners know already. */
function foreignCommit(payload: string, instance: string): FromWriter | undefined {
  const [sender, tables] = payload.split(" ", 2);
  if (sender === instance) return undefined;
  return { kind: "foreign-commit", ...(tables === undefined ? {} : { tables: tables.split(",") }) };
}

async function requireUsable(connection: PostgresConnection): Promise<void> {
  // Alone and first: the others do not exist in every old version.
  const [version] = await connection.ask("SELECT current_setting('server_version_num') AS number");
  requirePostgresVersion(Number(version?.["number"]));
  const [server] = await connection.ask("SELECT pg_is_in_recovery() AS replica, current_schema() AS schema");
  if (server?.["replica"] === 1)
    throw refused("it is a replica, which takes no writes", "Name the primary in the URL.");
  if (server?.["schema"] === null) {
    throw refused(
      "search_path names no schema that exists",
      "Create the schema, or correct search_path in the URL.",
    );
  }
}

/** `versionNumber` is PostgreSQL's server_version_num, for example 150020. Throws STORE_UNAVAILABLE. */
export function requirePostgresVersion(versionNumber: number): void {
  const major = Math.floor(versionNumber / 10_000);
  if (major >= oldestPostgres) return;
  throw refused(`it is PostgreSQL ${major}`, `Upgrade the server to PostgreSQL ${oldestPostgres} or newer.`);
}

function refused(message: string, hint: string): HomeostatError {
  return new HomeostatError("STORE_UNAVAILABLE", message, {}, { hint });
}

async function schemaOf(connection: PostgresConnection): Promise<Schema> {
  const [row] = await connection.ask(
    `SELECT hashtextextended('homeostat ' || current_schema(), 0)::text AS lock,
      'homeostat_' || md5(current_schema()) AS channel`,
  );
  return { lock: String(row?.["lock"]), channel: String(row?.["channel"]) };
}

/**
 * A process that is stopped in the middle of a transaction must not keep the others from writing; and "durable when it
 * resolves" must hold where the server's default is to answer before the disk has it.
 */
const writerSettings = `SELECT set_config('lock_timeout', '15s', false),
  set_config('idle_in_transaction_session_timeout', '10s', false),
  set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
    ELSE current_setting('synchronous_commit') END, false)`;
