/** Moments for people: relative in lists, exact on demand. */
import type { Time } from "../api/contract.ts";

export function millisOf(time: Time | null): number | null {
  if (time === null) return null;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : ms;
}

/** `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `yesterday`, else the date. */
export function formatAgo(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  if (hours < 48) return "yesterday";
  return formatDate(atMs);
}

/** `21 Nov`, with the year when it is not this one is left to the exact form. */
export function formatDate(atMs: number): string {
  return new Date(atMs).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** `21 Nov 2026, 14:03:22` in local time, for reading. */
export function formatSecond(atMs: number): string {
  return `${formatDate(atMs)}, ${new Date(atMs).toLocaleTimeString("en-GB")}`;
}

/** `21 Nov 2026, 14:03:22.417` in local time, for titles and tables that must be exact. */
export function formatExact(atMs: number): string {
  const ms = String(new Date(atMs).getMilliseconds()).padStart(3, "0");
  return `${formatSecond(atMs)}.${ms}`;
}

/** `14:03:22.417` in local time. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
