/** Names of backups that the server makes by itself: they tell their time, so that nothing else needs to remember it. Pure. */

/** `homeostat-20261121T075500Z`; sorts by time. */
export function backupName(atMs: number): string {
  return `homeostat-${new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** Milliseconds since 1970, or undefined for a name that is not ours. */
export function timeOfBackup(name: string): number | undefined {
  const match = /^homeostat-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match as unknown as string[];
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(atMs) || backupName(atMs) !== name ? undefined : atMs;
}

/** What of these names is too old to keep, oldest first. Names that are not ours are nobody's to delete. */
export function surplusBackups(names: readonly string[], keep: number): readonly string[] {
  const ours = names.filter((name) => timeOfBackup(name) !== undefined).sort();
  return ours.slice(0, Math.max(0, ours.length - keep));
}

/** When the next one is due: at once when there is none, or when the clock was set back behind the newest. */
export function nextBackupAt(names: readonly string[], everyMs: number, nowMs: number): number {
  const newest = Math.max(-Infinity, ...names.map((name) => timeOfBackup(name) ?? -Infinity));
  return newest === -Infinity || newest > nowMs ? nowMs : newest + everyMs;
}
