/** Values that stand for a secret without being one: marks, variables, handles, `null`. */
import { markLengthAt } from "./marks.ts";

const words =
  " null undefined true false none nil string number boolean required optional redacted hidden masked empty missing " +
  "invalid valid expired unknown object array ";

/** True when the value from `start` to `end` holds nothing to protect. Looks at no more than the value. */
export function isPlaceholder(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || markLengthAt(text, start) >= length) return true;
  if (text.startsWith("secret://", start) || text.startsWith("process.env", start)) return true;
  if (length <= 12 && words.includes(` ${text.slice(start, end).toLowerCase()} `)) return true;
  const first = text.charCodeAt(start);
  const last = text.charCodeAt(end - 1);
  // Unquoted values begin with no `<`: of the others the bracket that closes it is a part.
  if (first === 60) return last === 62;
  if (first === 36) return isVariable(text, start + 1, end);
  if (first === 123) return text.startsWith("{{", start) && (last === 125 || text.charCodeAt(end) === 125);
  return isFiller(text, start, end);
}

/** `${NAME}`, `$(command)`, `$NAME`: the shell puts the value in later. */
function isVariable(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  const last = text.charCodeAt(end - 1);
  // The closing bracket may have ended the value.
  if (first === 123) return last === 125 || text.charCodeAt(end) === 125;
  if (first === 40) return last === 41 || text.charCodeAt(end) === 41;
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (!((code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57))) return false;
  }
  return end > start;
}

/** `****`, `••••`, `....`, `xxxx`. */
function isFiller(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  if (end - start < 3) return false;
  if (first !== 42 && first !== 0x2022 && first !== 46 && (first | 32) !== 120) return false;
  for (let index = start; index < end; index += 1) if (text.charCodeAt(index) !== first) return false;
  return true;
}
