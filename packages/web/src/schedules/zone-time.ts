/** Moments in a time zone of one's choice. */

/** The zone of whoever looks. */
export function viewerZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** `Mon, 23 Nov 2026, 09:00` on the wall clock of `zone` (IANA), with seconds only where they are not 0. */
export function formatInZone(atMs: number, zone: string): string {
  const hasSeconds = Math.floor(atMs / 1000) % 60 !== 0;
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    ...{ weekday: "short", day: "numeric", month: "short", year: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", ...(hasSeconds ? { second: "2-digit" } : {}) },
  }).format(atMs);
}

/** `in 40 s`, `in 5 min`, `in 3 h`, `in 12 d`; `any moment` for what is due. */
export function formatUntil(atMs: number, nowMs: number): string {
  const seconds = Math.round((atMs - nowMs) / 1000);
  if (seconds <= 0) return "any moment";
  if (seconds < 60) return `in ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `in ${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `in ${hours} h` : `in ${Math.round(hours / 24)} d`;
}

export function knownZones(): readonly string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
}
