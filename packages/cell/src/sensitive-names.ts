/** Which names announce a secret: `password`, `api_key`, `X-Auth-Token`. A name counts by its end, so `tokenCount` does not. */
import { isLetter } from "./characters.ts";
import { keyMark, passwordMark, privateKeyMark, tokenMark } from "./marks.ts";
import type { Mark } from "./marks.ts";

export interface SensitiveName {
  /** Lower-case words; a blank between them stands for `_`, `-`, `.`, a blank or nothing. */
  readonly words: string;
  readonly mark: Mark;
  /** The name must begin here: `auth` counts in `_auth` and `userAuth`, not in `oauth`. */
  readonly isWhole: boolean;
  /** A plain word of prose as well: counts only where `=` or quotes show that a value is assigned. */
  readonly isWeak: boolean;
  /** The value goes on to the end of the line: a cookie header has several. */
  readonly isLine: boolean;
}

/** Sensitive names by their last letter (lower-case code unit), which settles most names at once. */
export type NameTable = ReadonlyMap<number, readonly SensitiveName[]>;

export function createNameTable(): NameTable {
  const table = new Map<number, SensitiveName[]>();
  for (const name of [
    ...names("password,passwd,passphrase,passcode,passwort,password hash", passwordMark),
    ...names("pass,pwd", passwordMark, { isWhole: true, isWeak: true }),
    ...names("token,authorization,session id,homeostat session", tokenMark),
    ...names("cookie", tokenMark, { isWhole: true, isLine: true }),
    ...names("jwt", tokenMark, { isWhole: true }),
    ...names("auth", tokenMark, { isWhole: true, isWeak: true }),
    ...names(
      "secret,api key,access key,secret key,account key,encryption key,signing key,master key",
      keyMark,
    ),
    ...names(
      "auth key,secret access key,secret value,client key,credential,credentials,connection string",
      keyMark,
    ),
    ...names("private key", privateKeyMark),
  ]) {
    const last = name.words.charCodeAt(name.words.length - 1);
    table.set(last, [...(table.get(last) ?? []), name]);
  }
  return table;
}

function names(
  list: string,
  mark: Mark,
  traits: Partial<Pick<SensitiveName, "isWhole" | "isWeak" | "isLine">> = {},
): SensitiveName[] {
  return list
    .split(",")
    .map((words) => ({ words, mark, isWhole: false, isWeak: false, isLine: false, ...traits }));
}

const methods: ReadonlySet<string> = new Set([
  "basic",
  "bearer",
  "digest",
  "negotiate",
  "oauth2",
  "signature",
]);

/** `"auth": "bearer"` says how somebody proves who they are; the proof itself stands elsewhere. */
export function isAuthMethod({ words }: SensitiveName, value: string): boolean {
  return words === "auth" && methods.has(value.toLowerCase());
}

/** The sensitive name that ends before `end`. Looks back at most twice as far as the longest name. */
export function sensitiveNameBefore(text: string, end: number, table: NameTable): SensitiveName | undefined {
  const candidates = table.get(text.charCodeAt(end - 1) | 32);
  if (candidates === undefined) return undefined;
  for (const name of candidates) if (endsWithName(text, end, name)) return name;
  return undefined;
}

function endsWithName(text: string, end: number, { words, isWhole }: SensitiveName): boolean {
  let index = end - 1;
  for (let place = words.length - 1; place >= 0; place -= 1) {
    const wanted = words.charCodeAt(place);
    if (wanted === 32) {
      if (isSeparator(text.charCodeAt(index))) index -= 1;
      continue;
    }
    const code = text.charCodeAt(index);
    if (!isLetter(code) || (code | 32) !== wanted) return false;
    index -= 1;
  }
  return !isWhole || isWordStart(text, index + 1);
}

/** `_`, `-`, `.` or a blank. */
function isSeparator(code: number): boolean {
  return code === 95 || code === 45 || code === 46 || code === 32;
}

/** Nothing alphabetic before it, or a capital after a small letter. */
function isWordStart(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1);
  if (!isLetter(before)) return true;
  return before >= 97 && text.charCodeAt(start) < 97;
}
