/** A tool's surroundings for tests: a real workspace folder, the system clock, no sandbox unless one is given. */
import { mkdtemp, mkdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { JsonValue } from "../base/canonical-json.ts";
import { systemClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { prepareAction } from "./prepare-action.ts";
import type { AnyTool, ResolvedAction, Root, Tool, ToolContext, ToolResult } from "./tool.ts";

export interface TestPlace {
  /** The data folder; forbidden. */
  readonly data: string;
  /** The run's workspace inside it. */
  readonly workspace: string;
  /** A folder outside all roots. */
  readonly outside: string;
  readonly roots: readonly Root[];
  readonly context: ToolContext;
}

/** Removed when the test ends. */
export async function createTestPlace(overrides: Partial<ToolContext> = {}): Promise<TestPlace> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "homeostat-tools-")));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const data = join(base, "data");
  const workspace = join(data, "workspaces", "run_1");
  const outside = join(base, "outside");
  await mkdir(workspace, { recursive: true });
  await mkdir(outside);
  const roots = overrides.roots ?? [{ name: "workspace", path: workspace, writable: true }];
  return { data, workspace, outside, roots, context: { ...createTestContext(), ...overrides, roots } };
}

export function createTestContext(overrides: Partial<ToolContext> = {}): ToolContext {
  return {
    tenant: "default",
    runId: "run_1",
    stepPath: "step",
    attempt: 1,
    idempotencyKey: "run_1/step/1",
    roots: [],
    signal: AbortSignal.timeout(30_000),
    requireTime: () => undefined,
    clock: systemClock,
    minimumIsolation: "none",
    timeoutMs: 30_000,
    progress: () => undefined,
    requireFurther: () => undefined,
    runSandboxed: async () => {
      throw new HomeostatError("INTERNAL", "this test has no sandbox");
    },
    ...overrides,
  };
}

/** What the registry does with every tool; see `AnyTool`. */
export function asAnyTool<Args>(tool: Tool<Args>): AnyTool {
  return tool as unknown as AnyTool;
}

export function prepare<Args>(
  tool: Tool<Args>,
  given: JsonValue,
  context: ToolContext,
): Promise<ResolvedAction> {
  return prepareAction(asAnyTool(tool), given, context);
}

export async function perform<Args>(
  tool: Tool<Args>,
  given: JsonValue,
  context: ToolContext,
): Promise<ToolResult> {
  return tool.execute(await prepare(tool, given, context), context);
}
