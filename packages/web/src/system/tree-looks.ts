/** How a node of the supervision tree stands, and what is worth saying about it. Pure. */
import type { SupervisionTree } from "../api/operations-calls.ts";
import { healthLooks, type StateLook } from "../ui/state.ts";

/** A node that is moving between states looks like that; one that runs looks like its health. */
export function nodeLook({ state, health }: Pick<SupervisionTree, "state" | "health">): StateLook {
  switch (state) {
    case "running":
      return healthLooks[health.kind];
    case "starting":
      return { label: "Starting", tone: "moving", glyph: "arc" };
    case "restarting":
      return { label: "Made anew", tone: "waiting", glyph: "turning" };
    case "failed":
      return { label: "Failed", tone: "failed", glyph: "octagon" };
    case "stopped":
      return { label: "Stopped", tone: "idle", glyph: "slash" };
  }
}

const strategies: Readonly<Record<NonNullable<SupervisionTree["strategy"]>, string>> = {
  "one-for-one": "each is made anew by itself",
  "all-for-one": "all are made anew when one breaks down",
  "rest-for-one": "those started later are made anew with it",
};

export function strategyText(strategy: SupervisionTree["strategy"]): string | null {
  return strategy === null ? null : strategies[strategy];
}

const overflows: Readonly<Record<NonNullable<SupervisionTree["mailbox"]>["overflow"], string>> = {
  reject: "refuses when full",
  "drop-oldest": "drops the oldest when full",
  "drop-newest": "drops the newest when full",
};

/** `3 of 64 messages, longest 12; 2 dropped; refuses when full`. */
export function mailboxText(mailbox: NonNullable<SupervisionTree["mailbox"]>): string {
  const lost = [
    [mailbox.dropped, "dropped"],
    [mailbox.rejected, "refused"],
  ] as const;
  return [
    mailbox.length === 0
      ? `mailbox empty, room for ${mailbox.capacity}`
      : `${mailbox.length} of ${mailbox.capacity} messages, longest ${mailbox.longest}`,
    ...lost.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`),
    overflows[mailbox.overflow],
  ].join("; ");
}

/** Every node below and including this one. */
export function flattenTree(tree: SupervisionTree): readonly SupervisionTree[] {
  return [tree, ...tree.children.flatMap(flattenTree)];
}
