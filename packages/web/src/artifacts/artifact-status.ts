/** How an artifact's status looks. */
import type { Artifact } from "../api/contract.ts";
import type { StateLook } from "../ui/state.ts";

export const statusLooks: Readonly<Record<Artifact["status"], StateLook>> = {
  active: { label: "Active", tone: "done", glyph: "check" },
  archived: { label: "Archived", tone: "idle", glyph: "slash" },
  quarantined: { label: "Quarantined", tone: "failed", glyph: "shield" },
};
