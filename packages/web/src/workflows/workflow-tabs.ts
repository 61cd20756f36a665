/** The views of a registered workflow, by the name they have in the address. */

export const workflowTabs = ["run", "graph", "text", "edit", "runs"] as const;
export type WorkflowTab = (typeof workflowTabs)[number];
