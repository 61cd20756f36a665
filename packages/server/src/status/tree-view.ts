/** The supervision tree as the API shows it. */
import { z } from "zod";
import type { TreeNode } from "../supervision/part.ts";

export interface TreeView {
  name: string;
  kind: "supervisor" | "part" | "actor" | "run";
  state: "starting" | "running" | "restarting" | "failed" | "stopped";
  health: { kind: "ok" | "degraded" | "failed"; detail?: string | undefined };
  restarts: number;
  lastError: string | null;
  uptimeMs: number | null;
  strategy: "one-for-one" | "all-for-one" | "rest-for-one" | null;
  mailbox: null | {
    length: number;
    capacity: number;
    overflow: "reject" | "drop-oldest" | "drop-newest";
    accepted: number;
    dropped: number;
    rejected: number;
    longest: number;
  };
  children: TreeView[];
}

export const treeSchema: z.ZodType<TreeView> = z
  .object({
    name: z.string(),
    kind: z.enum(["supervisor", "part", "actor", "run"]),
    state: z.enum(["starting", "running", "restarting", "failed", "stopped"]),
    health: z.object({ kind: z.enum(["ok", "degraded", "failed"]), detail: z.string().optional() }),
    restarts: z.number().int(),
    lastError: z.string().nullable(),
    uptimeMs: z.number().nullable(),
    strategy: z.enum(["one-for-one", "all-for-one", "rest-for-one"]).nullable(),
    mailbox: z
      .object({
        length: z.number().int(),
        capacity: z.number().int(),
        overflow: z.enum(["reject", "drop-oldest", "drop-newest"]),
        accepted: z.number().int(),
        dropped: z.number().int(),
        rejected: z.number().int(),
        longest: z.number().int(),
      })
      .nullable(),
    get children() {
      return z.array(treeSchema);
    },
  })
  .meta({ id: "SupervisionTree", description: "What runs below what, and how it is" });

export function viewTree(node: TreeNode): TreeView {
  const { health, mailbox, children, ...rest } = node;
  const detail = health.detail === undefined ? {} : { detail: health.detail };
  return {
    ...rest,
    health: { kind: health.kind, ...detail },
    mailbox: mailbox === null ? null : { ...mailbox },
    children: children.map(viewTree),
  };
}
