/** Parses a JSON body and refuses what no journal can keep or only attacks send: broken UTF-8, half surrogates, NUL, bottomless nesting. */
import { HomeostatError } from "../base/error.ts";

/** Deeper than any document we take; bounds the recursion of every later walk. */
const maxDepth = 64;

/** Undefined for an empty body. Throws REQUEST_MALFORMED (not UTF-8, not JSON) and REQUEST_HOSTILE. Linear in the size. */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return undefined;
  const value = parse(decode(bytes));
  refuseHostile(value);
  return value;
}

/** True for text no honest request has in an address or a header value: control characters, NUL above all. */
export function hasControlCharacter(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- looking for them is the purpose
  return /[\u0000-\u001f\u007f]/.test(text);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new HomeostatError("REQUEST_MALFORMED", "The body is not valid UTF-8", {}, { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "unreadable";
    throw new HomeostatError(
      "REQUEST_MALFORMED",
      `The body is not valid JSON: ${detail}`,
      {},
      { cause: error },
    );
  }
}

/** An explicit stack: a recursive walk over hostile nesting would overflow ours. */
function refuseHostile(root: unknown): void {
  refuseScalar(root, "");
  const open: { readonly value: unknown; readonly pointer: string; readonly depth: number }[] = [
    { value: root, pointer: "", depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, pointer, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth >= maxDepth) throw hostile(pointer, `nesting deeper than ${maxDepth} levels`);
    for (const [key, member] of Object.entries(value)) {
      const child = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (isPollution(key, member)) throw hostile(child, `the key ${key}`);
      const keyFault = textFault(key);
      if (keyFault !== undefined) throw hostile(printable(child), `${keyFault} in a key`);
      refuseScalar(member, child);
      if (typeof member === "object") open.push({ value: member, pointer: child, depth: depth + 1 });
    }
  }
}

function refuseScalar(value: unknown, pointer: string): void {
  const fault = typeof value === "string" ? textFault(value) : undefined;
  if (fault !== undefined) throw hostile(pointer, fault);
  // `1e999` is JSON too; canonical JSON has no infinity.
  if (typeof value === "number" && !Number.isFinite(value))
    throw hostile(pointer, "a number too large to be kept");
}

/** Journal, ledger and database hold UTF-8, which has no half surrogates (`"\ud800"` is JSON all the same); PostgreSQL takes no NUL. */
function textFault(text: string): string | undefined {
  if (text.includes("\0")) return "a NUL character";
  return text.isWellFormed() ? undefined : "half a surrogate pair";
}

function printable(pointer: string): string {
  return pointer.toWellFormed().replaceAll("\0", "\\u0000");
}

/** The two ways to reach Object.prototype through a careless merge: `__proto__`, and `constructor` with `prototype` in it. */
function isPollution(key: string, member: unknown): boolean {
  if (key === "__proto__") return true;
  return (
    key === "constructor" &&
    typeof member === "object" &&
    member !== null &&
    Object.hasOwn(member, "prototype")
  );
}

function hostile(pointer: string, what: string): HomeostatError {
  const shown = pointer.slice(0, 200);
  return new HomeostatError(
    "REQUEST_HOSTILE",
    `The body holds ${what} at ${shown === "" ? "its top" : shown}`,
    {},
    {
      details: [{ pointer: shown, detail: what }],
    },
  );
}
