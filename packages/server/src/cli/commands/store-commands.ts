/** Commands about the database and its copies: move, back up, restore. */
import type { Command } from "commander";
import type { Act } from "./act.ts";

export function addStoreCommands(program: Command, act: Act): void {
  const store = program.command("store").description("work with the database");
  store
    .command("migrate")
    .description("move everything to another, empty database and prove it there; no server may run")
    .requiredOption(
      "--to <database>",
      "postgres://user@host/database, `sqlite:` for the data folder's own, or sqlite:/path/to/state.db",
    )
    .option("--from <database>", "where from (default: the database that the configuration names)")
    .option("--dry-run", "only count, and say what would stand in the way")
    .action(
      act<import("../store-migrate.ts").MigrateOptions>(async (_, options, terminal) =>
        (await import("../store-migrate.ts")).storeMigrate(options, terminal),
      ),
    );
  store
    .command("reopen")
    .description("take a database back into use after a move, while nothing was written to the other one")
    .option("--from <database>", "which (default: the database that the configuration names)")
    .action(
      act(async (_, options, terminal) =>
        (await import("../store-migrate.ts")).storeReopen(options, terminal),
      ),
    );
}
