/** Commands about secrets. */
import type { Command } from "commander";
import type { SecretSetOptions } from "../keys/secret.ts";
import type { Act } from "./act.ts";
import { collect } from "./option-values.ts";

export function addSecretCommands(program: Command, act: Act): void {
  const secret = program.command("secret").description("work with secrets: runs see handles, never values");
  withContent(secret.command("set <name>"))
    .description(
      "make a secret, or replace its value and what it is for; the value is read from standard input",
    )
    .requiredOption(
      "--for <use>",
      'an action and a resource it may be used for, both globs ("http.request https://api.example.org:443/**"); may be repeated',
      collect,
    )
    .option("--description <text>", "what it is, for people")
    .action(
      act(async ([name = ""], options: SecretSetOptions, terminal) =>
        (await import("../keys/secret.ts")).setSecret(name, options, terminal),
      ),
    );
  secret
    .command("list")
    .description("list handles, versions and what they are for")
    .action(
      act(async (_, options, terminal) => (await import("../keys/secret.ts")).listSecrets(options, terminal)),
    );
  withContent(secret.command("rotate <name>"))
    .description("give a secret a new value for the same uses; the value is read from standard input")
    .option("--retire-previous", "destroy the version before at once, not at the next rotation")
    .action(
      act(async ([name = ""], options, terminal) =>
        (await import("../keys/secret.ts")).rotateSecret(name, options, terminal),
      ),
    );
  secret
    .command("rm <name>")
    .description("destroy every version of a secret")
    .action(
      act(async ([name = ""], options, terminal) =>
        (await import("../keys/secret.ts")).removeSecret(name, options, terminal),
      ),
    );
}

function withContent(command: Command): Command {
  return command
    .option("--from-file <file>", "take the value from this file")
    .option("--vault <path#field>", "keep the value in Vault's KV engine and read it from there")
    .option("--environment <name>", "read the value from the server's variable HOMEOSTAT_SECRET_<name>")
    .option("--mounted <file>", "read the value from this file of the server's secrets folder");
}
