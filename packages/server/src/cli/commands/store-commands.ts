/** Commands about the database and its copies: move, back up, restore. */
import type { Command } from "commander";
import { HomeostatError } from "../../base/error.ts";
import type { Act } from "./act.ts";

const passphraseFile = "a file that holds the passphrase (default: backup.passphrase of the configuration)";

export function addStoreCommands(program: Command, act: Act): void {
  addMoveCommands(program, act);
  addBackupCommands(program, act);
}

function addMoveCommands(program: Command, act: Act): void {
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
      act<import("../data/store-migrate.ts").MigrateOptions>(async (_, options, terminal) =>
        (await import("../data/store-migrate.ts")).storeMigrate(options, terminal),
      ),
    );
  store
    .command("reopen")
    .description("take a database back into use after a move, while nothing was written to the other one")
    .option("--from <database>", "which (default: the database that the configuration names)")
    .action(
      act(async (_, options, terminal) =>
        (await import("../data/store-migrate.ts")).storeReopen(options, terminal),
      ),
    );
}

function addBackupCommands(program: Command, act: Act): void {
  const backup = program
    .command("backup")
    .description("copy everything while it runs, and prove such copies")
    .argument("[folder]", "a folder that does not exist yet, or is empty")
    .option("--passphrase-file <file>", passphraseFile)
    .option("--without-keys", "leave the keys out; what they encrypt needs keys kept elsewhere")
    .action(
      act(async ([folder], options, terminal) => {
        if (folder === undefined) throw new HomeostatError("USAGE", "Name the folder to make the backup in");
        return (await import("../data/backup.ts")).backup(folder, options, terminal);
      }),
    );
  backup
    .command("verify <folder>")
    .description("prove a backup: signature, files, rows, ledger; with the passphrase every run too")
    .option("--key <key>", "the ledger's public key known from elsewhere, or a file that holds it")
    .option("--passphrase-file <file>", passphraseFile)
    .action(
      act(async ([folder = ""], options, terminal) =>
        (await import("../data/backup.ts")).backupVerify(folder, options, terminal),
      ),
    );
  program
    .command("restore <folder>")
    .description("restore a backup into an empty data folder, or its database into an empty PostgreSQL")
    .option("--to <place>", "a data folder, or postgres://user@host/database (default: the data folder)")
    .option("--key <key>", "the ledger's public key known from elsewhere, or a file that holds it")
    .option("--keys <folder>", "for a backup without keys: the folder `keys` that belongs to it")
    .option("--passphrase-file <file>", passphraseFile)
    .action(
      act(async ([folder = ""], options, terminal) =>
        (await import("../data/backup.ts")).restore(folder, options, terminal),
      ),
    );
}
