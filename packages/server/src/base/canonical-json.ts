/** RFC 8785 (JSON Canonicalization Scheme): one byte string for one JSON value, so that it can be digested. */

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/**
 * Members are sorted by UTF-16 code units (RFC 8785 section 3.2.3); numbers and strings are ECMAScript's own.
 * `undefined` members are left out as JSON.stringify does. Throws TypeError for NaN, infinities and lone surrogates.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON cannot hold ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("canonical JSON cannot hold a lone surrogate");
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => canonicalJson(item)).join(",")}]`;
  const object = value as JsonObject;
  const members: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member !== undefined) members.push(`${canonicalJson(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** A copy in which lone surrogates are U+FFFD, in names too: they can neither be digested nor encoded in UTF-8. */
export function toWellFormedJson(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.toWellFormed();
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => toWellFormedJson(item));
  const entries = Object.entries(value).map(([key, member]) => [
    key.toWellFormed(),
    toWellFormedJson(member!),
  ]);
  return Object.fromEntries(entries) as JsonValue;
}
