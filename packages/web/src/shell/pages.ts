/** The pages of the dashboard in the order of the navigation. */
import type { IconName } from "../ui/icon.tsx";

export interface PageEntry {
  readonly to: "/" | "/approvals" | "/artifacts" | "/ledger" | "/policy" | "/system";
  readonly label: string;
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
}

export const pageEntries: readonly PageEntry[] = [
  { to: "/", label: "Runs", icon: "runs", key: "r" },
  { to: "/approvals", label: "Approvals", icon: "approvals", key: "a" },
  { to: "/artifacts", label: "Artifacts", icon: "artifacts", key: "f" },
  { to: "/ledger", label: "Ledger", icon: "ledger", key: "l" },
  { to: "/policy", label: "Policy", icon: "policy", key: "p" },
  { to: "/system", label: "System", icon: "system", key: "s" },
];
