/** A response body as text, JSON value or base64, by its Content-Type or as asked. Pure. */
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import { parseJson } from "./parse-json.ts";

export interface DecodedBody {
  readonly encoding: "text" | "json" | "base64";
  readonly body: JsonValue;
}

/** Throws HTTP_FAILED when the body was asked for as JSON and is not. `auto` falls back to text, then to base64. */
export function decodeBody(
  bytes: Buffer,
  contentType: string | undefined,
  as: "auto" | "text" | "json" | "base64",
): DecodedBody {
  const type = (contentType ?? "").toLowerCase();
  const wanted = as === "auto" ? formOf(type) : as;
  if (wanted === "base64") return { encoding: "base64", body: bytes.toString("base64") };
  const text = decodeText(bytes, type, as === "text");
  if (text === undefined && as === "json") throw notJson(type, undefined);
  if (text === undefined) return { encoding: "base64", body: bytes.toString("base64") };
  if (wanted === "text" || (as === "auto" && text === "")) return { encoding: "text", body: text };
  try {
    return { encoding: "json", body: parseJson(text) };
  } catch (error) {
    if (as === "auto") return { encoding: "text", body: text };
    throw new HomeostatError(
      "HTTP_FAILED",
      "The answer is not JSON",
      { contentType: type },
      { cause: error },
    );
  }
}

function formOf(type: string): "text" | "json" | "base64" {
  if (/^[^;]*[/+]json\b/.test(type)) return "json";
  return /^(text\/|[^;]*[/+](xml|javascript|yaml|x-www-form-urlencoded|x-ndjson)\b)/.test(type)
    ? "text"
    : "base64";
}

/** Undefined when the bytes are not text of the named character set and no text was insisted on. */
function decodeText(bytes: Buffer, type: string, isForced: boolean): string | undefined {
  const charset = /charset="?([^\s";]+)/.exec(type)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: !isForced }).decode(bytes);
  } catch {
    // An unknown character set, or bytes that are not in it.
    return isForced ? bytes.toString("utf8") : undefined;
  }
}

function notJson(contentType: string, cause: unknown): HomeostatError {
  return new HomeostatError(
    "HTTP_FAILED",
    "The answer is not JSON",
    { contentType, transient: false },
    { cause },
  );
}
