/** Words brought to one form, so that `payments`, `paying` and `paid` meet. Pure. */

const irregular: ReadonlyMap<string, string> = new Map(Object.entries({ paid: "pay", sent: "send", bought: "buy", made: "mak", wrote: "writ", told: "tell", gave: "giv", given: "giv" })); // prettier-ignore

export const irregularForms: ReadonlySet<string> = new Set(irregular.keys());

/** English endings off: enough to make `payments`, `paying` and `paid` meet. */
export function stem(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length > 5 && word.endsWith("ing")) return undouble(word.slice(0, -3));
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && word.endsWith("ed")) return undouble(word.slice(0, -2));
  if (word.length > 4 && /(?:s|x|z|ch|sh)es$/.test(word)) return dropE(word.slice(0, -2));
  if (word.length > 3 && word.endsWith("s") && !word.endsWith("ss")) return dropE(word.slice(0, -1));
  return dropE(word);
}

function undouble(word: string): string {
  return dropE(/([bdgmnprt])\1$/.test(word) ? word.slice(0, -1) : word);
}

function dropE(word: string): string {
  return word.length > 3 && word.endsWith("e") ? word.slice(0, -1) : word;
}
