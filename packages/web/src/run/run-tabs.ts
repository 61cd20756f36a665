/** The views of one run, by the name they have in the address. */

export const runTabs = [
  "timeline",
  "graph",
  "events",
  "artifacts",
  "values",
  "messages",
  "related",
  "proof",
] as const;
export type RunTab = (typeof runTabs)[number];
