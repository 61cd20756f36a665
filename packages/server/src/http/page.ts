/** Cursor pages: `?limit=&cursor=` in, `{ data, nextCursor }` out. A cursor is opaque to callers and checked on return. */
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";

/** Spread into a route's query schema. `limit` is 1 to 200, 50 by default. */
export const pageQuery: {
  readonly limit: z.ZodDefault<z.ZodCoercedNumber>;
  readonly cursor: z.ZodOptional<z.ZodString>;
} = {
  limit: z.coerce.number().int().min(1).max(200).default(50).describe("How many items at most, 1 to 200"),
  cursor: z.string().min(1).max(512).optional().describe("`nextCursor` of the page before"),
};

export interface Page<Item> {
  readonly data: readonly Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

type PageSchema<Item extends z.ZodType> = z.ZodObject<{
  data: z.ZodArray<Item>;
  nextCursor: z.ZodNullable<z.ZodString>;
}>;

export function pageOf<Item extends z.ZodType>(item: Item): PageSchema<Item> {
  return z.object({ data: z.array(item), nextCursor: z.string().nullable() });
}

/** The sort key of the last item shown, for example `[createdAt, id]`. */
export type CursorKey = readonly (string | number)[];

export function formatCursor(key: CursorKey): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/** Throws REQUEST_INVALID when the cursor was not made by `formatCursor` for a key of this shape. */
export function parseCursor<Key extends z.ZodType<CursorKey>>(cursor: string, shape: Key): z.output<Key> {
  const parsed = shape.safeParse(jsonOf(cursor));
  if (parsed.success && parsed.data.every(isStorable)) return parsed.data;
  throw new HomeostatError(
    "REQUEST_INVALID",
    "The cursor is not one this list gave out",
    {},
    {
      hint: "Start again without `cursor`.",
      details: [{ path: "query.cursor", detail: "unknown cursor" }],
    },
  );
}

/** Cuts `rows` (read with `limit + 1`) to a page and names where the next one starts. */
export function toPage<Item>(
  rows: readonly Item[],
  limit: number,
  keyOf: (item: Item) => CursorKey,
): Page<Item> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last !== undefined ? formatCursor(keyOf(last)) : null };
}

/** No key of a row holds a NUL or half a surrogate pair, and databases do not agree on what to do with one. */
function isStorable(part: string | number): boolean {
  return typeof part === "number" || (part.isWellFormed() && !part.includes("\0"));
}

function jsonOf(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    // Not JSON: the schema refuses `undefined` with the one message callers need.
    return undefined;
  }
}
