/** The pages of the dashboard in the order of the navigation, and the views within them that can be gone to by name. */
import type { IconName } from "../ui/icon.tsx";

export interface PageEntry {
  readonly to:
    | "/"
    | "/approvals"
    | "/workflows"
    | "/artifacts"
    | "/queue"
    | "/schedules"
    | "/policy"
    | "/secrets"
    | "/ledger"
    | "/system";
  readonly label: string;
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
  /** Stays in the bar of a narrow window; the others are behind More. */
  readonly isAlwaysShown: boolean;
}

export const pageEntries: readonly PageEntry[] = [
  { to: "/", label: "Runs", icon: "runs", key: "r", isAlwaysShown: true },
  { to: "/approvals", label: "Approvals", icon: "approvals", key: "a", isAlwaysShown: true },
  { to: "/queue", label: "Queue", icon: "queue", key: "q", isAlwaysShown: true },
  { to: "/artifacts", label: "Artifacts", icon: "artifacts", key: "f", isAlwaysShown: true },
  { to: "/workflows", label: "Workflows", icon: "branch", key: "w", isAlwaysShown: false },
  { to: "/schedules", label: "Schedules", icon: "clock", key: "t", isAlwaysShown: false },
  { to: "/policy", label: "Policy", icon: "policy", key: "p", isAlwaysShown: false },
  { to: "/secrets", label: "Secrets", icon: "key", key: "k", isAlwaysShown: false },
  { to: "/ledger", label: "Ledger", icon: "ledger", key: "l", isAlwaysShown: false },
  { to: "/system", label: "System", icon: "system", key: "s", isAlwaysShown: false },
];

/** Views of a page that have a name of their own in the palette. */
export const viewEntries: readonly {
  readonly to: "/queue" | "/schedules" | "/secrets" | "/system";
  readonly search: {
    readonly tab?: "dead" | "keys" | "workers" | "limits" | "settings";
    readonly view?: "new";
  };
  readonly label: string;
  readonly icon: IconName;
}[] = [
  { to: "/queue", search: { tab: "dead" }, label: "Dead letters", icon: "queue" },
  { to: "/schedules", search: { view: "new" }, label: "New schedule", icon: "clock" },
  { to: "/secrets", search: { tab: "keys" }, label: "API keys", icon: "key" },
  { to: "/system", search: { tab: "workers" }, label: "Workers", icon: "system" },
  { to: "/system", search: { tab: "limits" }, label: "Limits", icon: "system" },
  { to: "/system", search: { tab: "settings" }, label: "Configuration", icon: "system" },
];
