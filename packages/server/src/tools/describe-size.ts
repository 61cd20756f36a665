/** Sizes as people read them in approvals. */

/** `12 KB`, `1.4 MB`; decimal units as file managers show them. */
export function describeSize(sizeBytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
