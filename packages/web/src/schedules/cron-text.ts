/** Reads a cron expression aloud: `At 09:00, Monday to Friday`. Pure; it describes, the library decides. */

type Field =
  | { readonly kind: "any" }
  | { readonly kind: "step"; readonly every: number }
  | { readonly kind: "values"; readonly values: readonly number[]; readonly isRange: boolean };

const nicknames: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);
const monthNames =
  "January February March April May June July August September October November December".split(" ");
const dayNames = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const mostTimes = 6;

/** Null for what has no simple reading (last days, nth weekdays, odd steps) or is no expression at all. */
export function describeCron(expression: string): string | null {
  const text = expression.trim().toLowerCase();
  const parts = (nicknames.get(text) ?? text).split(/\s+/);
  const [seconds, minutes, hours, days, months, weekdays] = parts.length === 5 ? ["0", ...parts] : parts;
  if (parts.length < 5 || parts.length > 6) return null;
  const second = readField(seconds, { min: 0, max: 59 });
  const minute = readField(minutes, { min: 0, max: 59 });
  const hour = readField(hours, { min: 0, max: 23 });
  const day = readField(days, { min: 1, max: 31 });
  const month = readField(months, { min: 1, max: 12, names: monthNames });
  const weekday = readField(weekdays, { min: 0, max: 7, names: dayNames });
  if (!second || !minute || !hour || !day || !month || !weekday) return null;
  const time = timeText(second, minute, hour);
  const date = dateText(day, month, weekday);
  return time === null || date === null ? null : `${time}${date}`;
}

function timeText(second: Field, minute: Field, hour: Field): string | null {
  if (second.kind !== "values" || second.values.length > 1) {
    if (minute.kind !== "any" || hour.kind !== "any") return null;
    return second.kind === "any"
      ? "Every second"
      : second.kind === "step"
        ? `Every ${second.every} seconds`
        : null;
  }
  const atSecond = second.values[0] ?? 0;
  if (atSecond !== 0 && !(minute.kind === "values" && hour.kind === "values")) return null;
  if (minute.kind === "values" && hour.kind === "values" && !(hour.isRange && hour.values.length > 2))
    return clockTimes(minute.values, hour.values, atSecond);
  const within = hoursText(hour);
  if (within === null) return null;
  if (minute.kind === "any") return `Every minute${within}`;
  if (minute.kind === "step") return `Every ${minute.every} minutes${within}`;
  return minuteText(minute.values, hour);
}

function clockTimes(minutes: readonly number[], hours: readonly number[], second: number): string | null {
  const times = hours.flatMap((hour) => minutes.map((minute) => clock(hour, minute, second)));
  return times.length > mostTimes ? null : `At ${listed(times)}`;
}

/** Given minutes of many hours. */
function minuteText(minutes: readonly number[], hour: Field): string | null {
  const isFull = minutes.length === 1 && minutes[0] === 0;
  const where = isFull
    ? ""
    : ` at ${minutes.length === 1 ? "minute" : "minutes"} ${listed(minutes.map(String))}`;
  if (hour.kind === "any") return isFull ? "Every full hour" : `Every hour${where}`;
  if (hour.kind === "step") return `Every ${hour.every} hours${where}`;
  const from = clock(hour.values[0] ?? 0, minutes[0] ?? 0, 0);
  const to = clock(hour.values.at(-1) ?? 0, minutes.at(-1) ?? 0, 0);
  return hour.isRange ? `Every hour${where} from ${from} to ${to}` : null;
}

function hoursText(hour: Field): string | null {
  if (hour.kind === "any") return "";
  if (hour.kind === "step") return ` of every ${ordinal(hour.every)} hour`;
  if (!hour.isRange && hour.values.length > 1) return null;
  return ` from ${clock(hour.values[0] ?? 0, 0, 0)} to ${clock(hour.values.at(-1) ?? 0, 59, 0)}`;
}

function dateText(day: Field, month: Field, weekday: Field): string | null {
  if (day.kind === "step" || month.kind === "step" || weekday.kind === "step") return null;
  const days: string[] = [];
  if (day.kind === "values") days.push(`on the ${spanned(day, ordinal)}`);
  if (weekday.kind === "values") days.push(spanned(weekday, (each) => dayNames[each % 7] ?? ""));
  const inMonths =
    month.kind === "values" ? ` in ${spanned(month, (each) => monthNames[each - 1] ?? "")}` : "";
  // With both, cron means either.
  if (days.length === 0) return inMonths === "" ? "" : `, every day${inMonths}`;
  return `, ${days.join(" and on every ")}${inMonths}`;
}

function spanned(field: Extract<Field, { kind: "values" }>, name: (value: number) => string): string {
  const { values, isRange } = field;
  if (isRange && values.length > 2) return `${name(values[0] ?? 0)} to ${name(values.at(-1) ?? 0)}`;
  return listed(values.map(name));
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Of which the first three letters may be written. */
  readonly names?: readonly string[];
}

function readField(text: string | undefined, bounds: Bounds): Field | null {
  if (text === undefined) return null;
  if (text === "*" || text === "?") return { kind: "any" };
  const step = /^\*\/(\d+)$/.exec(text);
  if (step !== null) {
    const every = Number(step[1]);
    // One that does not divide its cycle has an odd step at the end, which "every" would hide.
    if (every < 1 || (bounds.max + 1 - bounds.min) % every !== 0) return null;
    return every === 1 ? { kind: "any" } : { kind: "step", every };
  }
  const values: number[] = [];
  for (const part of text.split(",")) {
    const ends = part.split("-").map((each) => readValue(each, bounds));
    const from = ends[0];
    const to = ends.at(-1);
    if (from === undefined || to === undefined || from > to || ends.length > 2) return null;
    for (let value = from; value <= to; value += 1) values.push(value);
  }
  return {
    kind: "values",
    values: [...new Set(values)].toSorted((a, b) => a - b),
    isRange: /^[^,]+-[^,]+$/.test(text),
  };
}

function readValue(text: string, { min, max, names = [] }: Bounds): number | undefined {
  const named = names.findIndex((name) => name.slice(0, 3).toLowerCase() === text);
  const value = named === -1 ? (/^\d+$/.test(text) ? Number(text) : Number.NaN) : named + min;
  return value >= min && value <= max ? value : undefined;
}

function clock(hour: number, minute: number, second: number): string {
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${pad(hour)}:${pad(minute)}${second === 0 ? "" : `:${pad(second)}`}`;
}

function ordinal(value: number): string {
  const tens = value % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
