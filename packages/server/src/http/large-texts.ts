/** Leaves long base64 texts of a JSON body where they are: read with the rest they would be in memory several times over. */

export interface Parted {
  /** The body with a short name in place of each text that was left out. */
  readonly json: Uint8Array;
  /** By name: the text, a view of the body. */
  readonly texts: ReadonlyMap<string, Buffer>;
}

/** Shorter ones cost little, and most bodies have none. */
export const largeTextBytes: number = 64 * 1024;

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const pieceBytes = 64 * 1024;

/**
 * Only values that are valid base64 without escapes are left out; anything else stays, for the parser to judge. The names are valid
 * base64 too, so that schemas take them. `nonce` is 32 signs that the sender cannot know. Linear in the size.
 */
export function partLargeTexts(body: Buffer, nonce: string): Parted {
  const texts = new Map<string, Buffer>();
  const kept: Uint8Array[] = [];
  let keptUpTo = 0;
  for (let open = body.indexOf(quote); open >= 0;) {
    const close = endOfText(body, open + 1);
    if (close < 0) break;
    const text = body.subarray(open + 1, close);
    if (text.length >= largeTextBytes && !isKey(body, close + 1) && isBase64(text)) {
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

function isKey(body: Buffer, from: number): boolean {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0a || body[at] === 0x0d) at += 1;
  return body[at] === colon;
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
