/** Commands that answer what waits for a person. */
import type { Command } from "commander";
import { HomeostatError } from "../../base/error.ts";
import type { Act } from "./act.ts";

export function addApprovalCommands(program: Command, act: Act): void {
  program
    .command("approvals")
    .description("list what waits for a person, with the exact arguments")
    .option("-a, --all", "list answered ones too")
    .action(
      act(async (_, options, terminal) => (await import("../approvals.ts")).approvals(options, terminal)),
    );
  program
    .command("approve <id>")
    .description("say yes to an approval")
    .option("--reason <text>", "why, for the record")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../decide.ts")).decide(id, "approve", options, terminal),
      ),
    );
  program
    .command("reject <id>")
    .description("say no to an approval")
    .requiredOption("--reason <text>", "why, for the record and the run")
    .action(
      act(async ([id = ""], options, terminal) =>
        (await import("../decide.ts")).decide(id, "reject", options, terminal),
      ),
    );
  program
    .command("resolve <id> <answer>")
    .description("say what became of an action whose outcome was lost: happened, did-not-happen or abandon")
    .option("--reason <text>", "how you know, for the record")
    .option("--result <json>", "for happened: what the action gave back")
    .action(
      act(async ([id = "", answer = ""], options, terminal) => {
        const { answers, decide } = await import("../decide.ts");
        const known = answers.slice(2).find((each) => each === answer);
        if (known === undefined)
          throw new HomeostatError("USAGE", `${answer} is none of ${answers.slice(2).join(", ")}`);
        return decide(id, known, options, terminal);
      }),
    );
}
