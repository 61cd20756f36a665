/** The tree as a flat list of places, and what is different between two of them: what a live view has to be told. */
import type { TreeNode } from "./part.ts";

/** `path` is the names from the root down, joined by `/`; times are left to the reader, else everything would always change. */
export type PlaceChange =
  | (Omit<TreeNode, "children" | "uptimeMs"> & { readonly path: string })
  | { readonly path: string; readonly name: string; readonly state: "gone" };

export type Places = ReadonlyMap<string, PlaceChange>;

export function placesOf(root: TreeNode): Places {
  const places = new Map<string, PlaceChange>();
  const visit = ({ children, uptimeMs: _uptimeMs, ...rest }: TreeNode, above: string): void => {
    const path = above === "" ? rest.name : `${above}/${rest.name}`;
    places.set(path, { path, ...rest });
    for (const child of children) visit(child, path);
  };
  visit(root, "");
  return places;
}

/** New and different places as they are now, then those that are no more. */
export function changesBetween(before: Places, after: Places): readonly PlaceChange[] {
  const changed = [...after.values()].filter(
    (place) => JSON.stringify(before.get(place.path)) !== JSON.stringify(place),
  );
  const gone = [...before.values()]
    .filter(({ path }) => !after.has(path))
    .map(({ path, name }) => ({ path, name, state: "gone" as const }));
  return [...changed, ...gone];
}

/** Places that are no supervisors and not below a part: what /readyz asks one by one. */
export function partsOf(root: TreeNode): readonly TreeNode[] {
  return root.children.flatMap((node) => (node.kind === "supervisor" ? partsOf(node) : [node]));
}
