import { expect, test } from "vitest";
import { boxShapes } from "./box-shapes.ts";

const size = { width: 456, height: 400, nodeWidth: 190, nodeHeight: 52 };
const node = (id: string, x: number, y: number) => ({
  ...{ id, kind: "tool", label: id, detail: null, state: null, times: null, x, y },
});
const nodes = [node("a", 20, 100), node("b", 20, 206), node("c", 246, 100)];

test("a box holds its nodes, and one around another has more room", () => {
  const boxes = [
    { id: "inner", label: "", nodes: ["b"] },
    { id: "outer", label: "", nodes: ["a", "b"] },
  ];
  const [outer, inner] = boxShapes({ boxes, nodes, size });
  expect(outer).toEqual({ id: "outer", x: 7, y: 76, width: 216, height: 195 });
  expect(inner).toEqual({ id: "inner", x: 11, y: 186, width: 208, height: 81 });
});

test("boxes side by side do not touch, and one without nodes is not drawn", () => {
  const boxes = [
    { id: "left", label: "", nodes: ["a", "b"] },
    { id: "right", label: "", nodes: ["c"] },
    { id: "none", label: "", nodes: ["gone"] },
  ];
  const [left, right, ...others] = boxShapes({ boxes, nodes, size });
  expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThan(right?.x ?? 0);
  expect(others).toEqual([]);
});
