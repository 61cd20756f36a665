import { describe, expect, test } from "vitest";
import { computesNothing, hidesSubstitution } from "./shell-hidden.ts";
import { parseShell } from "./shell.ts";

/** Whether something runs that cannot be known from the text. */
function hasUnknown(text: string): boolean {
  const result = parseShell(text);
  if (result.kind === "unparsable") throw new Error(result.reason);
  return result.commands.some(({ argv }) => argv.length === 1 && argv[0] === null);
}

describe("a substitution in a subscript", () => {
  test.each([
    "a[$(x)]", "a[`x`]", "a[${x}]", "a[0+$(x)]", "a[b[1]+$(x)]", "x=a[b[$(x)]]", "a['$(x)']", 'a["]"$(x)]', "a[\\]$(x)]", "a[[$(x)]]", "a[$(x",
  ])("%j runs", (text) => expect(hidesSubstitution(text)).toBe(true)); // prettier-ignore

  test.each([
    "", "a", "$(x)", "[$(x)]", " [ $(x) ]", "a[1]$(x)", "a[$x]", "a[$]", "a[$", "a[1]", "a[b[1]]`x`", "a[1] b[2] $(x)", "a[i]++ ; c += $(NF-1)",
  ])("%j does not", (text) => expect(hidesSubstitution(text)).toBe(false)); // prettier-ignore

  test.each([
    "[[ -v 'a[$(x)]' ]]",
    "for i in 'a[$(x)]'; do ((i)); done",
    "x='a[$(y)]'",
    "x=(1 'a[$(y)]')",
    "read 'a[$(x)]' <<< 1",
    "read i <<< 'a[$(x)]'",
    "read i <<'E'\na[$(x)]\nE",
    "mapfile -t i <<'E'\na[$(x)]\nE",
    "while read -r i; do ((i)); done <<'E'\na[$(x)]\nE",
    "{ read i; } <<< 'a[$(x)]'",
    "((\"a[\\$(x)]\"))",
    "a['$(x)']=1",
    "echo ${a['$(x)']}",
    "echo ${b:'a[$(x)]'}",
    "echo ${b:'$(x)'} ${b:0:1}",
    "b=(['$(x)']=1)",
    "declare -a 'b=([0]=$(x))'",
    "command local -a b='(`x`)'",
    "b=([\"\\$(x)\"]=1)",
    'let "a[0+\\$(x)]" "$y"',
    "echo \"a[\\$(x)]$y\"",
  ])("%j is told", (text) => expect(hasUnknown(text)).toBe(true)); // prettier-ignore

  test.each([
    "awk '{ a[$(NF)]++ }' f",
    "sed 's/a[$(]/b/' f",
    "bash -c 'echo \"${a[$i]}\"'",
    "cat <<'E' > x.sh\necho ${a[$(x)]}\nE",
    "a[$i]=1; echo ${a[$i]} ${a['key']} ${x:-'a b'}",
    "((a[\"1\"] = 2))",
    "[[ -v a[1] ]]; declare a[1]; x[1]y z",
    "read i <<'E'\na[1]\nE",
    "jobs; jobs -l",
    "declare -a b=(1 2) c='(x)' d='$(x)'",
  ])("%j is not one", (text) => expect(hasUnknown(text)).toBe(false)); // prettier-ignore

  test.each(["((a[\\$(x)]))", "a[\\`x\\`]=1", "echo ${b:\\$(x)}", "echo ${b:"])(
    "%j is read in two ways",
    (text) => {
      expect(parseShell(text)).toMatchObject({ kind: "unparsable", reason: /escaped expansion/ });
    },
  );

  test("a number that ends with a backslash is not closed", () => {
    expect(parseShell("((1 \\")).toMatchObject({ kind: "unparsable", reason: /not closed/ });
  });

  test("nothing is computed by programs with languages of their own", () => {
    expect(computesNothing(["/usr/bin/awk"])).toBe(true);
    expect([computesNothing(["echo"]), computesNothing([null])]).toEqual([false, false]);
  });
});

describe("words as far as they are known", () => {
  test("stand beside the words, with what is not known between two signs", () => {
    const [command] = parseShell("A=x$y ls a\"$b\"${c}$(d)e *.txt > /etc/$f <<< \"$g\"").commands;
    expect(command).toMatchObject({
      argv: ["ls", null, null],
      texts: ["ls", "a\0b\0\0c\0\0\0e", "*.txt"],
      assignments: [{ name: "A", value: null, text: "x\0y\0" }],
      redirections: [{ operator: ">", target: null, text: "/etc/\0f\0" }, { operator: "<<<", text: "\0g\0" }],
    });
  }); // prettier-ignore

  test("and so do those of commands in commands", () => {
    const texts = (text: string) => parseShell(text).commands.map((command) => command.texts);
    expect(texts("xargs -I{} cp {} a/{}.b").at(-1)).toEqual(["cp", "\0\0", "a/\0\0.b", "\0\0"]);
    expect(texts("find . -exec cp {} $x \\;").at(-1)).toEqual(["cp", "\0\0", "\0x\0"]);
    expect(texts("jobs -x ls $x").at(-1)).toEqual(["ls", "\0x\0"]);
    expect(parseShell("for x in a; do :; done").commands[0]).toMatchObject({
      argv: [],
      assignments: [{ name: "x", value: null }],
    });
  });
});
