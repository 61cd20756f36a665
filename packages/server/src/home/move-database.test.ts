import { expect, test } from "vitest";
import { parseDatabase } from "./move-database.ts";

test("a database is PostgreSQL, the data folder's own file, or a file by its whole path", () => {
  expect(parseDatabase("postgres://h/d", "/home")).toEqual({ kind: "postgres", url: "postgres://h/d" });
  expect(parseDatabase("sqlite:", "/home")).toEqual({ kind: "sqlite", path: "/home/state.db" });
  for (const text of ["sqlite:/a/b.db", "sqlite:///a/b.db"])
    expect(parseDatabase(text, "/home")).toEqual({ kind: "sqlite", path: "/a/b.db" });
});

test.each(["sqlite:state.db", "sqlite:./state.db", "sqlite:~/state.db", "mysql://h/d", ""])(
  "%j is refused before anything is moved",
  (text) => {
    expect(() => parseDatabase(text, "/home")).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
  },
);
