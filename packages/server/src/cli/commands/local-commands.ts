/** Commands that work on files and this machine: verify, check, doctor, configuration. */
import type { Command } from "commander";
import type { ResetOptions } from "../server/limits.ts";
import type { Act } from "./act.ts";

export function addLocalCommands(program: Command, act: Act): void {
  program
    .command("verify [file]")
    .description("prove the data folder, one run of it, or an exported bundle; needs no server")
    .option("--run <id>", "only this run")
    .option("--key <key>", "the public key known from elsewhere, or a file that holds it")
    .option("--export <file>", "write a bundle that proves the run to others")
    .action(
      act(async ([file], options, terminal) =>
        (await import("../data/verify.ts")).verify(file, options, terminal),
      ),
    );
  program
    .command("parts")
    .description("show what runs below what in the server, and what broke down")
    .action(
      act(async (_, options, terminal) => (await import("../server/parts.ts")).parts(options, terminal)),
    );
  addLimitCommands(program, act);
  program
    .command("doctor")
    .description("look at everything a server needs on this machine")
    .action(
      act(async (_, options, terminal) => (await import("../doctor/doctor.ts")).doctor(options, terminal)),
    );
  program
    .command("config")
    .description("work with the configuration")
    .command("print")
    .description("print every key with its value and where it comes from")
    .action(
      act(async (_, options, terminal) =>
        (await import("../server/config-print.ts")).configPrint(options, terminal),
      ),
    );
  program
    .command("version")
    .description("print versions")
    .action(
      act(async (_, options, terminal) => (await import("../server/version.ts")).version(options, terminal)),
    );
}

function addLimitCommands(program: Command, act: Act): void {
  const limits = program
    .command("limits")
    .description("show how far rates, quotas and places are used, and what circuit breakers hold back")
    .action(
      act(async (_, options, terminal) => (await import("../server/limits.ts")).limits(options, terminal)),
    );
  limits
    .command("reset [target]")
    .description("forget failures of a host or tool, or of all, so that calls go again")
    .option("--process <id>", "only in this process, as `homeostat limits` names it")
    .action(
      act<ResetOptions>(async ([target], options, terminal) =>
        (await import("../server/limits.ts")).resetBreakers(target, options, terminal),
      ),
    );
}
