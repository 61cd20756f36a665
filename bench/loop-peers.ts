/** The loops compared with: each calls a tool once a step, told to by a mock model that answers at once. */

/** Peers are installed beside the benches and have no types here; what is used of them is written down in these shapes. */
interface AiSdk {
  readonly generateText: (options: object) => Promise<{ readonly steps: readonly unknown[] }>;
  readonly tool: (options: object) => object;
  readonly stepCountIs: (count: number) => unknown;
}

interface AiSdkTest {
  readonly MockLanguageModelV4: new (options: object) => object;
  readonly MockLanguageModelV3: new (options: object) => object;
}

interface Zod {
  readonly z: { object(shape: object): unknown; number(): unknown };
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** Asks for the tool until its last turn, then says it is done. */
function createScript(steps: number): () => Promise<object> {
  let turn = 0;
  return () => {
    turn += 1;
    const isLast = turn >= steps;
    const call = {
      type: "tool-call",
      toolCallId: `call-${turn}`,
      toolName: "add",
      input: JSON.stringify({ a: turn }),
    };
    return Promise.resolve({
      finishReason: { unified: isLast ? "stop" : "tool-calls", raw: undefined },
      usage,
      warnings: [],
      content: [isLast ? { type: "text", text: "done" } : call],
    });
  };
}

/** Microseconds a step. */
export async function aiSdkStep(steps: number): Promise<number> {
  const { generateText, tool, stepCountIs } = await importPeer<AiSdk>("ai");
  const { MockLanguageModelV4 } = await importPeer<AiSdkTest>("ai/test");
  const { z } = await importPeer<Zod>("zod");
  const model = new MockLanguageModelV4({ doGenerate: createScript(steps) });
  const add = tool({
    description: "adds one",
    inputSchema: z.object({ a: z.number() }),
    execute: ({ a }: { a: number }) => Promise.resolve({ b: a + 1 }),
  });
  const startMs = performance.now();
  const result = await generateText({
    model,
    prompt: "go",
    stopWhen: stepCountIs(steps + 1),
    tools: { add },
  });
  const elapsedMs = performance.now() - startMs;
  if (result.steps.length !== steps) throw new Error(`AI SDK made ${result.steps.length} steps`);
  return (elapsedMs * 1000) / steps;
}

interface Mastra {
  readonly Agent: new (options: object) => {
    generate(prompt: string, options: object): Promise<{ readonly steps?: readonly unknown[] }>;
  };
}

interface MastraTools {
  readonly createTool: (options: object) => object;
}

/** Microseconds a step. */
export async function mastraStep(steps: number): Promise<number> {
  const { Agent } = await importPeer<Mastra>("@mastra/core/agent");
  const { createTool } = await importPeer<MastraTools>("@mastra/core/tools");
  const { MockLanguageModelV3 } = await importPeer<AiSdkTest>("ai/test");
  const { z } = await importPeer<Zod>("zod");
  const model = new MockLanguageModelV3({ doGenerate: createScript(steps) });
  const add = createTool({
    id: "add",
    description: "adds one",
    inputSchema: z.object({ a: z.number() }),
    outputSchema: z.object({ b: z.number() }),
    execute: ({ a }: { a: number }) => Promise.resolve({ b: a + 1 }),
  });
  const agent = new Agent({ id: "bench", name: "bench", instructions: "go", model, tools: { add } });
  const startMs = performance.now();
  const result = await agent.generate("go", { maxSteps: steps + 1 });
  const elapsedMs = performance.now() - startMs;
  if (result.steps?.length !== steps) throw new Error(`Mastra made ${result.steps?.length} steps`);
  return (elapsedMs * 1000) / steps;
}

/** A name that the type checker does not follow: peers are not installed when it runs. */
async function importPeer<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
