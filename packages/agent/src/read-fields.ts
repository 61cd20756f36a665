/** Reads members of unknown data and collects what is wrong with them, with their place. */

export interface ManifestFinding {
  /** For example `permissions.files[1].mode`; empty for the whole. */
  readonly path: string;
  /** What is wrong, with the actual value. */
  readonly detail: string;
  /** What to do. */
  readonly hint: string;
}

/** After a finding each function returns an empty value of its type, so that one pass finds everything. */
export interface FieldReader {
  member(name: string): unknown;
  report(name: string, detail: string, hint: string): void;
  /** Reports members that are not listed, with the nearest known name. */
  only(names: readonly string[]): void;
  matching(name: string, form: RegExp, expected: string): string;
  optionalText(name: string, maxLength: number): string | undefined;
  optionalNumber(name: string): number | undefined;
  choice<const T extends string>(name: string, choices: readonly [T, ...T[]]): T;
  /** Absent: an empty list. */
  texts(name: string, form: RegExp, expected: string): readonly string[];
  object(name: string): FieldReader;
  /** Absent: as if it were empty. */
  optionalObject(name: string): FieldReader;
  /** A list of objects; absent: empty. */
  list(name: string): readonly FieldReader[];
}

export function createReader(value: unknown, path: string, findings: ManifestFinding[]): FieldReader {
  const { members, member, place, report } = membersOf(value, path, findings);
  const isMissing = members === undefined;
  const list = (name: string): readonly unknown[] => {
    const found = member(name) ?? [];
    if (Array.isArray(found)) return found;
    report(name, `must be a list, not ${describe(found)}`, "write one `- item` a line");
    return [];
  };
  return {
    member,
    report: (name, detail, hint) => isMissing || report(name, detail, hint),
    only: (names) => reportUnknown(Object.keys(members ?? {}), names, report),
    matching: (name, form, expected) => {
      const found = member(name);
      if (typeof found === "string" && found.length <= 1000 && form.test(found)) return found;
      if (!isMissing)
        report(name, found === undefined ? "is missing" : `is ${describe(found)}`, `give ${expected}`);
      return "";
    },
    optionalText: (name, maxLength) => {
      const found = member(name);
      if (found === undefined || (typeof found === "string" && found.length <= maxLength)) return found;
      report(name, `is ${describe(found)}`, `give a text of at most ${maxLength} characters`);
      return undefined;
    },
    optionalNumber: (name) => {
      const found = member(name);
      if (found === undefined || (typeof found === "number" && Number.isFinite(found) && found > 0))
        return found;
      report(name, `is ${describe(found)}`, "give a number above 0");
      return undefined;
    },
    choice: (name, choices) => {
      const found = choices.find((candidate) => candidate === member(name));
      if (found === undefined && !isMissing)
        report(name, `is ${describe(member(name))}`, `give one of ${choices.join(", ")}`);
      return found ?? choices[0];
    },
    texts: (name, form, expected) =>
      list(name).filter((item, index): item is string => {
        if (typeof item === "string" && item.length <= 1000 && form.test(item)) return true;
        report(`${name}[${index}]`, `is ${describe(item)}`, `give ${expected}`);
        return false;
      }),
    object: (name) => createReader(member(name), place(name), findings),
    optionalObject: (name) => createReader(member(name) ?? {}, place(name), findings),
    list: (name) => list(name).map((item, index) => createReader(item, `${place(name)}[${index}]`, findings)),
  };
}

type Report = (name: string, detail: string, hint: string) => void;

interface Members {
  /** Undefined, and reported, when the value is no object. */
  readonly members: Readonly<Record<string, unknown>> | undefined;
  readonly member: (name: string) => unknown;
  readonly place: (name: string) => string;
  readonly report: Report;
}

function membersOf(value: unknown, path: string, findings: ManifestFinding[]): Members {
  const members = isObject(value) ? value : undefined;
  const place = (name: string): string => (path === "" || name === "" ? path + name : `${path}.${name}`);
  const report: Report = (name, detail, hint) => {
    findings.push({ path: place(name), detail, hint });
  };
  if (members === undefined)
    report("", `must be an object, not ${describe(value)}`, "write `name: value` lines");
  return {
    members,
    member: (name) => (members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined),
    place,
    report,
  };
}

function reportUnknown(given: readonly string[], names: readonly string[], report: Report): void {
  for (const name of given) {
    if (names.includes(name)) continue;
    const near = names.find((known) => isNear(known, name));
    report(
      name,
      "is not known here",
      near === undefined ? `known are ${names.join(", ")}` : `did you mean \`${near}\`?`,
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** For messages: texts are quoted and shortened, everything else is named by its type. */
function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (typeof value === "string") return `\`${value.length > 80 ? `${value.slice(0, 80)}...` : value}\``;
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}

/** The same letters apart from case, `_` and `-`, or one letter more, fewer or different. */
function isNear(known: string, given: string): boolean {
  const [a, b] = [known, given].map((name) => name.toLowerCase().replaceAll(/[_-]/g, "")) as [string, string];
  if (a === b) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end += 1;
  return Math.max(a.length, b.length) - start - end <= 1;
}
