/** Reads values out of an address' query; what does not fit is left out, so an old link shows the default view. */

type Search = Readonly<Record<string, unknown>>;

export function readChoice<Name extends string, Choice extends string>(
  search: Search,
  name: Name,
  choices: readonly Choice[],
): { readonly [key in Name]?: Choice } {
  const value = choices.find((choice) => choice === search[name]);
  return value === undefined ? {} : wrap(name, value);
}

/** Numbers count as text: a router turns `?id=42` into a number. */
export function readText<Name extends string>(
  search: Search,
  name: Name,
): { readonly [key in Name]?: string } {
  const value = search[name];
  if (typeof value === "number") return wrap(name, String(value));
  return typeof value === "string" && value !== "" ? wrap(name, value) : {};
}

/** Whole numbers from 0. */
export function readNumber<Name extends string>(
  search: Search,
  name: Name,
): { readonly [key in Name]?: number } {
  const value = Number(search[name]);
  const isGiven = search[name] !== undefined && search[name] !== "";
  return isGiven && Number.isSafeInteger(value) && value >= 0 ? wrap(name, value) : {};
}

/** A computed key loses its literal type; this puts it back. */
function wrap<Name extends string, Value>(name: Name, value: Value): { readonly [key in Name]?: Value } {
  return { [name]: value } as { readonly [key in Name]?: Value };
}
