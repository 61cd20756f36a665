/** Commands about API keys. */
import { Option } from "commander";
import type { Command } from "commander";
import type { KeyCreateOptions, KeyListOptions } from "../keys/key.ts";
import type { Act } from "./act.ts";

export function addKeyCommands(program: Command, act: Act): void {
  const key = program.command("key").description("work with keys of people and programs besides the admin");
  key
    .command("create <name>")
    .description("make a key for somebody and print it, once")
    .addOption(
      new Option("--role <role>", "what its holder may do")
        .choices(["viewer", "operator", "approver", "admin"])
        .default("operator"),
    )
    .option("--expires <duration>", "when it ends by itself, for example 90d")
    .option("--tenant <name>", "whose runs and limits they see; only admins of the tenant `default` choose")
    .action(
      act(async ([name = ""], options: KeyCreateOptions, terminal) =>
        (await import("../keys/key.ts")).createKey(name, options, terminal),
      ),
    );
  key
    .command("list")
    .description("list who has a key, and in which role")
    .option("--tenant <name>", "of another tenant; only for admins of the tenant `default`")
    .option("--all-tenants", "of all tenants; only for admins of the tenant `default`")
    .action(
      act(async (_, options: KeyListOptions, terminal) =>
        (await import("../keys/key.ts")).listKeys(options, terminal),
      ),
    );
  key
    .command("revoke <id>")
    .description("end a key, every session opened with it and every answer remembered on its word")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../keys/key.ts")).revokeKey(id, options, terminal),
      ),
    );
}
