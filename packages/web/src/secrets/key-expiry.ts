/** For how long a new API key is good, as people choose it. Pure. */

export const keyLives = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "A year" },
  { days: 0, label: "Until it is revoked" },
] as const;
export type KeyLifeDays = (typeof keyLives)[number]["days"];

const dayMs = 86_400_000;

/** ISO 8601; undefined for a key that does not end by itself. */
export function expiryOf(days: KeyLifeDays, nowMs: number): string | undefined {
  return days === 0 ? undefined : new Date(nowMs + days * dayMs).toISOString();
}

/** How a key stands: `soon` is within a week. */
export function keyState(
  { expiresAt }: { readonly expiresAt: string | null },
  nowMs: number,
): "good" | "soon" | "over" {
  if (expiresAt === null) return "good";
  const leftMs = Date.parse(expiresAt) - nowMs;
  if (leftMs <= 0) return "over";
  return leftMs < 7 * dayMs ? "soon" : "good";
}
