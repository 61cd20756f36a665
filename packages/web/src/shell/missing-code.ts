/** Tells a page whose code could not be fetched from one that is faulty, and keeps reloading from going round in circles. */

/** The three engines and Vite's own preloading each say it in their words. */
const signs = [
  "Unable to preload CSS",
  "Failed to fetch dynamically imported module",
  "error loading dynamically imported module",
  "Importing a module script failed",
];

export function isMissingCode(error: unknown): boolean {
  return error instanceof Error && signs.some((sign) => error.message.includes(sign));
}

/** One reload helps after an outage or an upgrade; if it did not, the file is gone for good. */
const reloadPauseMs = 20_000;

export function mayReload(lastReloadMs: number, nowMs: number): boolean {
  return nowMs - lastReloadMs > reloadPauseMs;
}
