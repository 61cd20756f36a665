/** Commands that answer what waits for a person. */
import { Option } from "commander";
import type { Command } from "commander";
import { HomeostatError } from "../../base/error.ts";
import type { ForOptions } from "../approvals/standing.ts";
import type { Act } from "./act.ts";

export function addApprovalCommands(program: Command, act: Act): void {
  const approvals = program
    .command("approvals")
    .description("list what waits for a person, with the exact arguments")
    .option("-a, --all", "list answered ones too")
    .action(
      act(async (_, options, terminal) =>
        (await import("../approvals/approvals.ts")).approvals(options, terminal),
      ),
    );
  addStandingCommands(approvals, act);
  program
    .command("approve <id>")
    .description("say yes to an approval")
    .option("--reason <text>", "why, for the record")
    .option("--edit <json>", "arguments to use instead; policy judges them anew")
    .addOption(
      new Option("--remember <scope>", "do not ask for the same again").choices([
        "run",
        "workflow",
        "tenant",
      ]),
    )
    .option("--for <duration>", "with --remember: how long, for example 8h")
    .addOption(
      new Option("--match <what>", "with --remember: the same arguments, or any for the resource").choices([
        "exact",
        "resource",
      ]),
    )
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../approvals/decide.ts")).decide(id, "approve", options, terminal),
      ),
    );
  program
    .command("reject <id>")
    .description("say no to an approval")
    .requiredOption("--reason <text>", "why, for the record and the run")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../approvals/decide.ts")).decide(id, "reject", options, terminal),
      ),
    );
  program
    .command("resolve <id> <answer>")
    .description("say what became of an action whose outcome was lost: happened, did-not-happen or abandon")
    .option("--reason <text>", "how you know, for the record")
    .option("--result <json>", "for happened: what the action gave back")
    .action(
      act(async ([id = "", answer = ""], options, terminal) => {
        const { answers, decide } = await import("../approvals/decide.ts");
        const known = answers.slice(2).find((each) => each === answer);
        if (known === undefined)
          throw new HomeostatError("USAGE", `${answer} is none of ${answers.slice(2).join(", ")}`);
        return decide(id, known, options, terminal);
      }),
    );
}

function addStandingCommands(approvals: Command, act: Act): void {
  approvals
    .command("remembered")
    .description("list answers that stand for the same again")
    .action(
      act(async (_, options, terminal) =>
        (await import("../approvals/standing.ts")).listRemembered(options, terminal),
      ),
    );
  approvals
    .command("forget <id>")
    .description("ask again from now on")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../approvals/standing.ts")).forget(id, options, terminal),
      ),
    );
  approvals
    .command("delegate <name>")
    .description("let somebody answer for you for a time")
    .requiredOption("--for <duration>", "how long, for example 14d")
    .action(
      act(async ([name = ""], options: ForOptions, terminal) =>
        (await import("../approvals/standing.ts")).delegate(name, options, terminal),
      ),
    );
  approvals
    .command("hand-on <id> <name>")
    .description("let somebody else answer this one question too")
    .action(
      act(async ([id = "", name = ""], options, terminal) =>
        (await import("../approvals/standing.ts")).handOn(id, name, options, terminal),
      ),
    );
  approvals
    .command("link <id> <name>")
    .description("print a link with which somebody can answer this question once")
    .option("--expires <duration>", "how long it works (default: 24h)")
    .action(
      act(async ([id = "", name = ""], options, terminal) =>
        (await import("../approvals/standing.ts")).createLink(id, name, options, terminal),
      ),
    );
}
