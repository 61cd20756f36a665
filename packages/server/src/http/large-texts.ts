/** Leaves long base64 texts of a JSON body where they are: read with the rest they would be in memory several times over. */

export interface Parted {
  /** The body with a short name in place of each text that was left out. */
  readonly json: Uint8Array;
  /** By name: the text, a view of the body. */
  readonly texts: ReadonlyMap<string, Buffer>;
}

/** Where a body may hold long texts: under `key` in the members of its top-level list `list`. */
export interface LargeTextPlace {
  readonly list: string;
  readonly key: string;
}

/** Shorter ones cost little, and most bodies have none. */
export const largeTextBytes: number = 64 * 1024;

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const pieceBytes = 64 * 1024;

/**
 * Only values of `key`, wherever it stands, that are valid base64 without escapes are left out; anything else stays, for the parser
 * to judge. The names are valid base64 too, so that schemas take them. `nonce` is 32 signs that the sender cannot know. Linear in the
 * size.
 */
export function partLargeTexts(
  body: Buffer,
  { key, nonce }: Pick<LargeTextPlace, "key"> & { readonly nonce: string },
): Parted {
  const quotedKey = Buffer.from(JSON.stringify(key));
  const texts = new Map<string, Buffer>();
  const kept: Uint8Array[] = [];
  let keptUpTo = 0;
  for (let open = body.indexOf(quote); open >= 0;) {
    const close = endOfText(body, open + 1);
    if (close < 0) break;
    const text = body.subarray(open + 1, close);
    if (text.length >= largeTextBytes && isValueOf(quotedKey, body, open) && isBase64(text)) {
      const name = `${nonce}${String(texts.size).padStart(12, "0")}`;
      texts.set(name, text);
      kept.push(body.subarray(keptUpTo, open + 1), Buffer.from(name));
      keptUpTo = close;
    }
    open = body.indexOf(quote, close + 1);
  }
  if (texts.size === 0) return { json: body, texts };
  return { json: Buffer.concat([...kept, body.subarray(keptUpTo)]), texts };
}

/** Puts the texts outside of `list` back into the parsed body: nobody there knows that a name stands for one. */
export function putBackOutside(list: string, body: unknown, texts: Parted["texts"]): void {
  if (texts.size === 0 || typeof body !== "object" || body === null) return;
  for (const [name, member] of Object.entries(body)) {
    if (name !== list) putBack(body as Holder, { name, member, texts });
  }
}

type Holder = Record<string, unknown>;

/** As deep as the parser lets a body be. */
function putBack(
  holder: Holder,
  {
    name,
    member,
    texts,
  }: { readonly name: string; readonly member: unknown; readonly texts: Parted["texts"] },
): void {
  if (typeof member === "string") {
    const text = texts.get(member);
    if (text !== undefined) holder[name] = text.toString("latin1");
  } else if (typeof member === "object" && member !== null) {
    for (const [inner, value] of Object.entries(member))
      putBack(member as Holder, { name: inner, member: value, texts });
  }
}

/** What a base64 text stands for, piece by piece; each is valid until the next one is asked for. */
export async function* decodeBase64(text: Buffer): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (let at = 0; at < text.length; at += pieceBytes) {
    const encoded = text.toString("latin1", at, Math.min(at + pieceBytes, text.length));
    yield piece.subarray(0, piece.write(encoded, "base64"));
  }
}

/** The quote that ends it; -1 when there is none. */
function endOfText(body: Buffer, from: number): number {
  for (let at = body.indexOf(quote, from); at >= 0; at = body.indexOf(quote, at + 1)) {
    let before = at;
    while (before > from && body[before - 1] === backslash) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}

/** A key that ends in the same signs after an escaped quote passes too; what it holds is put back, or no schema knows it. */
function isValueOf(quotedKey: Buffer, body: Buffer, open: number): boolean {
  const separator = beforeSpace(body, open);
  if (body[separator - 1] !== colon) return false;
  const end = beforeSpace(body, separator - 1);
  return body.subarray(Math.max(0, end - quotedKey.length), end).equals(quotedKey);
}

function beforeSpace(body: Buffer, end: number): number {
  let at = end;
  while (body[at - 1] === 0x20 || body[at - 1] === 0x09 || body[at - 1] === 0x0a || body[at - 1] === 0x0d)
    at -= 1;
  return at;
}

function isBase64(text: Buffer): boolean {
  if (text.length % 4 !== 0) return false;
  const last = text.length - pieceBytes;
  for (let at = 0; at < text.length; at += pieceBytes) {
    const piece = text.toString("latin1", at, Math.min(at + pieceBytes, text.length));
    if (!(at >= last ? /^[0-9a-zA-Z+/]*={0,2}$/ : /^[0-9a-zA-Z+/]*$/).test(piece)) return false;
  }
  return true;
}
