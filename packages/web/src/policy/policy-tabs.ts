/** The views of the policy besides the one in force, in the order of their tabs. */
export const policyTabs = ["edit", "explain", "shadow", "coverage", "versions"] as const;
export type PolicyTab = (typeof policyTabs)[number];
