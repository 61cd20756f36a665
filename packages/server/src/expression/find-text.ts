/** Finds a text inside a text in linear time, whatever the two hold. */

/**
 * V8's own search is used for short patterns only: its fall-back costs pattern x text steps, and `aaa...` inside
 * `aaaa...` of 1 MB took minutes. Longer patterns take Knuth, Morris and Pratt's algorithm (1977).
 */
const shortPattern = 32;

/** Offsets of `pattern` in `text`, left to right, not overlapping, at most `most`. `pattern` is not empty. */
export function findAll(text: string, pattern: string, most: number = Infinity): readonly number[] {
  const found: number[] = [];
  if (pattern.length > shortPattern) return findLong(text, pattern, most);
  for (
    let at = text.indexOf(pattern);
    at >= 0 && found.length < most;
    at = text.indexOf(pattern, at + pattern.length)
  ) {
    found.push(at);
  }
  return found;
}

function findLong(text: string, pattern: string, most: number): readonly number[] {
  const borders = borderLengths(pattern);
  const found: number[] = [];
  let matched = 0;
  for (let index = 0; index < text.length && found.length < most; index++) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1]!;
    if (pattern.charCodeAt(matched) === unit) matched++;
    if (matched < pattern.length) continue;
    found.push(index - pattern.length + 1);
    matched = 0;
  }
  return found;
}

/** For each prefix the length of its longest proper prefix that is also its suffix. */
function borderLengths(pattern: string): Int32Array {
  const borders = new Int32Array(pattern.length);
  let length = 0;
  for (let index = 1; index < pattern.length; index++) {
    while (length > 0 && pattern.charCodeAt(index) !== pattern.charCodeAt(length))
      length = borders[length - 1]!;
    if (pattern.charCodeAt(index) === pattern.charCodeAt(length)) length++;
    borders[index] = length;
  }
  return borders;
}
