/** The views of the system page besides its overview. */
export const systemTabs = ["workers", "limits", "settings"] as const;
export type SystemTab = (typeof systemTabs)[number];
