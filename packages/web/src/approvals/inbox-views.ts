/** The views of the approvals page beside what waits, by the name they have in the address. */

export const inboxViews = ["all", "remembered", "delegations"] as const;
export type InboxView = (typeof inboxViews)[number];
