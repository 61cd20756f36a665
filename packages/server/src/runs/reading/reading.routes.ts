/** A route that shows what an agent would be shown of a text. */
import { z } from "zod";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { CompiledPolicy } from "../../policy/rules/compile.ts";
import { originLabels } from "../../policy/file/read-matchers.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import { readAsAgent } from "../../gate/reading.ts";

export interface ReadingDeps {
  readonly policy: { current(): CompiledPolicy };
  /** Names of the tools an agent may have. */
  readonly tools: readonly string[];
}

export function readingRoutes({ policy, tools }: ReadingDeps): readonly Route[] {
  return [
    route({
      tags: ["policy"],
      access: "viewer",
      method: "POST",
      path: "/v1/policy/reading",
      operationId: "policy.reading",
      summary: "What an agent would be shown of a text, and which passages read as instructions",
      bodyLimitBytes: 2 * 1_048_576,
      body: z.strictObject({
        text: z.string().max(1_048_576),
        label: z.enum(originLabels as [OriginLabel]).describe("Where the text comes from"),
        task: z.string().max(16_384).optional().describe("The task the agent is at, in the user's words"),
      }),
      response: z.object({
        shown: z.string(),
        isChanged: z.boolean(),
        from: z
          .number()
          .int()
          .nullable()
          .describe("The policy's `untrusted.from`; null: all is shown as it is"),
        passages: z.array(
          z.object({
            start: z.number().int(),
            end: z.number().int(),
            score: z.number(),
            reasons: z.array(z.string()),
          }),
        ),
      }),
      handle: ({ body }) => {
        const { untrusted } = policy.current();
        const { passages, ...reading } = readAsAgent({ ...body, tools }, untrusted);
        const told = passages.map((passage) => ({ ...passage, reasons: [...passage.reasons] }));
        return { ...reading, from: untrusted?.from ?? null, passages: told };
      },
    }),
  ];
}
