/** Commands about policies: what one says, what a candidate would change, what is in force. */
import type { PolicyReadOptions } from "../policy/policy-reading.ts";
import type { Command } from "commander";
import { Option } from "commander";
import type { ActivateOptions, DryRunOptions } from "../policy/policy-server.ts";
import type { PolicyCoverageOptions, PolicyExplainOptions, PolicyTestOptions } from "../policy/policy-ask.ts";
import type { Act } from "./act.ts";
import { collect, parseCount, parsePercent } from "./option-values.ts";

export function addPolicyCommands(program: Command, act: Act): void {
  const policy = program.command("policy").description("work with policies");
  addQuestions(policy, act);
  addTables(policy, act);
  addReplays(policy, act);
  addVersions(policy, act);
}

const policyOption = "the policy (default: the one in the data folder)";

function addQuestions(policy: Command, act: Act): void {
  policy
    .command("check [file]")
    .description("check a policy file (default: the one in the data folder)")
    .action(
      act(async ([file], options, terminal) =>
        (await import("../policy/check-policy-file.ts")).checkPolicyFile(file, options, terminal),
      ),
    );
  policy
    .command("test <cases>")
    .description("decide a table of cases and say which are otherwise than expected")
    .option("--policy <file>", policyOption)
    .option("--min-coverage <percent>", "fail when fewer rules are hit", parsePercent)
    .action(
      act<PolicyTestOptions>(async ([file = ""], options, terminal) =>
        (await import("../policy/policy-ask.ts")).testPolicy(file, options, terminal),
      ),
    );
  policy
    .command("explain <action> <resource>")
    .description("decide a made-up action and say why; nothing is done")
    .option("--policy <file>", policyOption)
    .option("--arg <name=value>", "an argument, as JSON or text; may be given several times", collect)
    .option("--label <label>", "where a value comes from; may be given several times", collect)
    .option("--agent <agent>", "who acts (default: workflow:example)")
    .option("--role <role>", "role of who asked for the run (default: operator)")
    .option("--tenant <tenant>", "the tenant (default: default)")
    .option("--user <user>", "who asked for the run (default: user:admin)")
    .option("--at <time>", "when, such as 2026-01-07T09:00:00Z (default: now)")
    .action(
      act<PolicyExplainOptions>(async ([action = "", resource = ""], options, terminal) =>
        (await import("../policy/policy-ask.ts")).explainAction(action, resource, options, terminal),
      ),
    );
  policy
    .command("read <file>")
    .description("what an agent would be shown of a text, and which passages read as instructions")
    .option("--policy <file>", policyOption)
    .option("--label <label>", "where the text comes from (default: web)")
    .option("--task <text>", "the task the agent is at, in the user's words")
    .option("--tool <name>", "a tool the agent has; may be given several times", collect)
    .action(
      act<PolicyReadOptions>(async ([file = ""], options, terminal) =>
        (await import("../policy/policy-reading.ts")).readText(file, options, terminal),
      ),
    );
  policy
    .command("diff <a> <b>")
    .description("compare two policies by rules and by example: files, versions (v3), or `active`")
    .action(
      act(async ([a = "", b = ""], options, terminal) =>
        (await import("../policy/policy-ask.ts")).diffPolicyFiles(a, b, options, terminal),
      ),
    );
}

function addTables(policy: Command, act: Act): void {
  policy
    .command("coverage")
    .description("name the rules that neither tests nor recorded actions ever hit")
    .option("--policy <file>", policyOption)
    .option("--tests <cases>", "a table of cases; may be given several times", collect)
    .option("--since <time>", "recorded actions since then: 30d, or a time")
    .option("--min-coverage <percent>", "fail when fewer rules are hit", parsePercent)
    .action(
      act<PolicyCoverageOptions>(async (_, options, terminal) =>
        (await import("../policy/policy-ask.ts")).coverPolicy(options, terminal),
      ),
    );
  policy
    .command("schema")
    .description("print the JSON schema of policy files, for editors")
    .action(
      act(async (_, _options, terminal) =>
        (await import("../policy/policy-ask.ts")).printPolicySchema(terminal),
      ),
    );
}

function addReplays(policy: Command, act: Act): void {
  policy
    .command("dry-run [candidate]")
    .description("decide recorded actions again and show what would change (default: the policy in force)")
    .option("--since <time>", "how far back: 30d, or a time (default: 30d)")
    .addOption(
      new Option(
        "--against <what>",
        "compare with what was decided then, or with the policy in force now",
      ).choices(["recorded", "active"]),
    )
    .option("--examples <count>", "examples of each kind of change (default: 5)", parseCount)
    .action(
      act<DryRunOptions>(async ([file], options, terminal) =>
        (await import("../policy/policy-server.ts")).dryRunPolicy(file, options, terminal),
      ),
    );
  const shadow = policy
    .command("shadow")
    .description("run a candidate beside the policy in force; it decides nothing");
  shadow
    .command("set <candidate>")
    .description("run this policy as shadow from now on")
    .action(
      act(async ([file = ""], options, terminal) =>
        (await import("../policy/policy-server.ts")).setShadow(file, options, terminal),
      ),
    );
  shadow
    .command("show")
    .description("where the shadow would have decided otherwise")
    .action(
      act(async (_, options, terminal) =>
        (await import("../policy/policy-server.ts")).showShadow(options, terminal),
      ),
    );
  shadow
    .command("clear")
    .description("take the shadow away, with its counts")
    .action(
      act(async (_, options, terminal) =>
        (await import("../policy/policy-server.ts")).clearShadow(options, terminal),
      ),
    );
}

function addVersions(policy: Command, act: Act): void {
  policy
    .command("versions")
    .description("what was in force, newest first, with who activated it")
    .action(
      act(async (_, options, terminal) =>
        (await import("../policy/policy-server.ts")).listVersions(options, terminal),
      ),
    );
  policy
    .command("activate <file>")
    .description("put a policy in force; refused when somebody changed it meanwhile")
    .option("--note <text>", "why, for those who look at the versions later")
    .option("--expected <revision>", "the revision the change was made on (default: the one in force now)")
    .action(
      act<ActivateOptions>(async ([file = ""], options, terminal) =>
        (await import("../policy/policy-server.ts")).activatePolicy(file, options, terminal),
      ),
    );
  policy
    .command("rollback <version>")
    .description("put an earlier version in force again")
    .option("--note <text>", "why, for those who look at the versions later")
    .action(
      act<ActivateOptions>(async ([version = ""], options, terminal) =>
        (await import("../policy/policy-server.ts")).rollbackPolicy(version, options, terminal),
      ),
    );
}
