import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyAt, placeAt } from "./yaml-place.ts";

/** The place of the `|` in the text. */
const at = (marked: string) => placeAt(marked.replace("|", ""), marked.indexOf("|"));
const brief = (marked: string) => {
  const place = at(marked);
  return place && `${place.kind} ${place.path.join(".")} ${place.prefix}`;
};

describe("where a caret stands", () => {
  test("at the keys of the file, of a rule, and of a map in a rule", () => {
    expect(brief("ver|")).toBe("key  ver");
    expect(brief("version: 1\nrules:\n  - na|")).toBe("key rules.[] na");
    expect(brief("rules:\n  - name: a\n    ef|")).toBe("key rules.[] ef");
    expect(brief("rules:\n- name: a\n  ef|")).toBe("key rules.[] ef");
    expect(brief("rules:\n  - name: a\n    approval:\n      |")).toBe("key rules.[].approval ");
    expect(brief("rules:\n  - name: a\n    where:\n      - arg: x\n        o|")).toBe(
      "key rules.[].where.[] o",
    );
  });

  test("at the value of a key, also in brackets", () => {
    expect(brief("rules:\n  - effect: a|")).toBe("value rules.[].effect a");
    expect(brief("rules:\n  - action: [file_ops.read, |")).toBe("value rules.[].action.[] ");
    expect(brief("rules:\n  - approval: { by: [ad|")).toBe("value rules.[].approval.by.[] ad");
    expect(brief("rules:\n  - approval: { by: [admin], ex|")).toBe("key rules.[].approval ex");
    expect(brief("rules:\n  - where:\n      - { arg: path, op: un|")).toBe("value rules.[].where.[].op un");
  });

  test("an indentation further to the left leaves the map", () => {
    expect(brief("rules:\n  - name: a\n    approval: { by: [admin] }\n  |")).toBe("key rules ");
    expect(brief("rules:\n  - name: a\nse|")).toBe("key  se");
  });

  test("keys of the same map are known, those of others are not", () => {
    expect(
      at(
        "rules:\n  - name: a\n    action: x\n    |\n    effect: ask\n  - name: b\n    risk: low",
      )?.taken.toSorted(),
    ).toEqual(["action", "effect", "name"]);
    expect(at("rules:\n  - x: { by: [a], quorum: 1, |")?.taken).toEqual(["by", "quorum"]);
  });

  test("comments and block texts are no places", () => {
    expect(at("# vers|")).toBeUndefined();
    expect(placeAt("rules:\n  - description: |\n      effect: \n", 39)).toBeUndefined();
  });

  test("the key under the pointer is found with its path", () => {
    const text = "rules:\n  - name: a\n    approval: { by: [admin], expires: 2h }\n";
    expect(keyAt(text, text.indexOf("name") + 2)).toEqual(["rules", "[]", "name"]);
    expect(keyAt(text, text.indexOf("expires") + 1)).toEqual(["rules", "[]", "approval", "expires"]);
    expect(keyAt(text, text.indexOf("admin") + 1)).toBeUndefined();
  });

  test("any text and any place is answered", () => {
    const piece = fc.constantFrom(
      "rules:",
      "- ",
      "  ",
      "\n",
      "name: a",
      "[",
      "]",
      "{ by: ",
      ",",
      "#",
      "'",
      "|",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece), fc.nat(), (pieces, offset) => {
        const text = pieces.join("");
        const where = offset % (text.length + 1);
        const place = placeAt(text, where);
        if (place !== undefined) expect(text.slice(place.from, where)).toBe(place.prefix);
      }),
    );
  });
});
