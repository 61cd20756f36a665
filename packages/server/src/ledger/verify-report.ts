/** What a verification says, as the API and the command line show it. */
import { z } from "zod";

const findingSchema = z.object({ what: z.string(), where: z.string(), detail: z.string() });

export const verifyReportSchema = z
  .object({
    verdict: z.enum(["intact", "broken"]),
    text: z.string().describe("The verdict in one line"),
    size: z.number().int(),
    root: z.string(),
    pending: z.number().int().describe("Facts that wait for the publisher"),
    erased: z.number().int().describe("Bodies deleted on purpose; their digests still prove them"),
    witnessedTo: z.number().int().nullable(),
    checks: z.array(
      z.object({ name: z.string(), ok: z.boolean(), count: z.number().int(), detail: z.string() }),
    ),
    findings: z.array(findingSchema),
    durationMs: z.number(),
  })
  .meta({ id: "VerifyReport" });

export type VerifyReport = z.output<typeof verifyReportSchema>;
