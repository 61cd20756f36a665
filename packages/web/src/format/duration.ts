/** Durations for people: short, stable in width, never two units more than needed. */

/** `840 ms`, `3.4 s`, `2 min 05 s`, `1 h 04 min`, `3 d 4 h`. Negative counts as 0. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time somebody wrote down: `1 min`, `90 s`, `1 h`, `1 d`; only the largest unit that loses nothing. */
export function formatSpan(spanMs: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ] as const;
  const unit = units.find(([, sizeMs]) => spanMs >= sizeMs && spanMs % sizeMs === 0);
  return unit === undefined ? formatDuration(spanMs) : `${spanMs / unit[1]} ${unit[0]}`;
}

/** Whole-second form for something that ticks: `0:07`, `12:40`, `1:02:09`. Rounds up, so it reaches 0:00 only at the end. */
export function formatCountdown(durationMs: number): string {
  const seconds = Math.ceil(Math.max(0, durationMs) / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}

/** Label of a time axis: `0`, `250 ms`, `1.5 s`, `2 min`, `2:30`. */
export function formatTick(offsetMs: number): string {
  if (offsetMs === 0) return "0";
  if (offsetMs < 1000) return `${Math.round(offsetMs)} ms`;
  if (offsetMs < 60_000) return `${Number((offsetMs / 1000).toFixed(2))} s`;
  const seconds = Math.round(offsetMs / 1000);
  if (seconds < 3600) {
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
