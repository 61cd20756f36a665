/** Commands about workflows: check, draw, register, signal. */
import { Option } from "commander";
import type { Command } from "commander";
import type { GraphOptions } from "../workflows/workflow-graph.ts";
import type { Act } from "./act.ts";

export function addWorkflowCommands(program: Command, act: Act): void {
  program
    .command("signal <run> <name>")
    .description("send a signal that a run waits for, now or later")
    .option("--data <json>", "what it carries; a text that is no JSON is taken as it is")
    .action(
      act(async ([id = "", name = ""], options, terminal) =>
        (await import("../runs/signal.ts")).signal({ id, name }, options, terminal),
      ),
    );
  const workflow = program.command("workflow").description("work with workflows");
  addFileCommands(workflow, act);
  addRegistryCommands(workflow, act);
}

function addFileCommands(workflow: Command, act: Act): void {
  workflow
    .command("check <file>")
    .description("check a workflow file; needs no server")
    .action(
      act(async ([file = ""], options, terminal) =>
        (await import("../workflows/check-workflow-file.ts")).checkWorkflowFile(file, options, terminal),
      ),
    );
  workflow
    .command("graph <what>")
    .description("draw a workflow file (needs no server), or a run with the states of its steps")
    .addOption(
      new Option("--format <format>", "what to print").choices(["mermaid", "svg"]).default("mermaid"),
    )
    .action(
      act(async ([what = ""], options: GraphOptions, terminal) =>
        (await import("../workflows/workflow-graph.ts")).workflowGraph(what, options, terminal),
      ),
    );
  workflow
    .command("schema")
    .description("print the JSON Schema of workflow files, for editors")
    .action(
      act(async (_, options, terminal) =>
        (await import("../workflows/workflow-graph.ts")).workflowSchema(options, terminal),
      ),
    );
}

function addRegistryCommands(workflow: Command, act: Act): void {
  workflow
    .command("add <file>")
    .description("register a workflow under its name; its triggers take effect")
    .action(
      act(async ([file = ""], options, terminal) =>
        (await import("../workflows/workflow.ts")).addWorkflow(file, options, terminal),
      ),
    );
  workflow
    .command("list")
    .description("list registered workflows and their triggers")
    .action(
      act(async (_, options, terminal) =>
        (await import("../workflows/workflow.ts")).listWorkflows(options, terminal),
      ),
    );
  workflow
    .command("show <name>")
    .description("print a registered workflow")
    .option("--version <number>", "not the newest but this version")
    .action(
      act(async ([name = ""], options, terminal) =>
        (await import("../workflows/workflow.ts")).showWorkflow(name, options, terminal),
      ),
    );
  workflow
    .command("rm <name>")
    .description("take a workflow away from new runs, with its triggers")
    .action(
      act(async ([name = ""], options, terminal) =>
        (await import("../workflows/workflow.ts")).removeWorkflow(name, options, terminal),
      ),
    );
}
