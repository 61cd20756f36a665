import { describe, expect, test } from "vitest";
import { quoteShellWord } from "./shell-names.ts";
import { parseShell } from "./shell.ts";
import type { Dialect } from "./shell.ts";

type Argv = readonly (string | null)[];

function argvs(text: string, dialect: Dialect = "bash"): readonly Argv[] {
  const result = parseShell(text, { dialect });
  if (result.kind === "unparsable") throw new Error(`${result.line}:${result.column}: ${result.reason}`);
  return result.commands.map(({ argv }) => argv);
}

function problem(text: string, dialect: Dialect = "bash"): string {
  const result = parseShell(text, { dialect });
  return result.kind === "unparsable" ? result.reason : "";
}

describe("here-documents", () => {
  test.each<[text: string, body: string | null, ...more: Argv[]]>([
    ["cat <<E\n`rm x`\nE\n", null, ["rm", "x"]],
    ["cat <<E\na\\$b \\q \\\\ \\`\nE\n", "a$b \\q \\ `\n"],
    ["cat <<E\na\\\nb\nE\n", "ab\n"],
    ["cat <<E\nE\n", ""],
    ["cat <<\\E\n$x\nE\n", "$x\n"],
    ['cat <<"E"\n$(a)\nE\n', "$(a)\n"],
    ["cat <<E\\\nF\nx\nEF\n", "x\n"],
    ["sh <<E\n$x\nE\n", null, [null]],
    ["sh <<E\nrm x\nE\n", "rm x\n", ["rm", "x"]],
  ])("%j", (text, body, ...more) => {
    expect(argvs(text).slice(1)).toEqual(more);
    expect(parseShell(text).commands[0]?.redirections[0]?.target).toBe(body);
  });

  test.each([
    ["cat <<$x\n", /end mark .* holds an expansion/],
    ["cat <<`x`\n", /end mark .* holds an expansion/],
    ["cat <<'E\nx", /a quote is not closed/],
    ["cat <<'a$b'\nx", /not one simple line/],
    ["cat <<E\\", /has no end/],
    ["cat <<E\na\\", /no end mark `E`/],
    ['cat <<E\n${x:-"q"}\nE\n', /a double quote inside/],
    ["echo $(cat <<E)\nx\nE\n", /not closed inside its substitution/],
    ["cat <<E $(b\n)\nx\nE", /begins inside a substitution/],
    ["cat <<E; a=(1\n2)\nE\n", /begins inside a list/],
    ["cat <<E; [[ a\n]]\nE\n", /begins inside `\[\[`/],
  ])("%j cannot be read", (text, reason) => expect(problem(text)).toMatch(reason));
});

describe("quotes and expansions", () => {
  test.each<[text: string, ...words: Argv]>([
    ['echo "a\\\nb"', "ab"],
    ['echo $"a"', "a"],
    ["echo $", "$"],
    ["echo a\\", "a\\"],
    ["echo a~ a:~ b/~c", "a~", null, "b/~c"],
    ["echo $((\"1 + (2)\")) $((\\x)) $((1 + \"$x\"))", null, null, null],
    ["echo ${x'a'} ${x#'a'} ${?}", null, null, null],
    ["echo \"${x:-'a'}\" \"${!x}\" ${#x} ${!} ${@} ${x[1]}", null, null, null, null, null, null],
    ["echo $'\\cA' $'\\0' $'\\xff' $'\\U110000' $'\\q' $'\\'' $'\\u00e9'", null, null, null, null, "\\q", "'", "é"],
    ["echo $((\"'\" + 1))", null],
    ["echo [a]=1 1a=2 a]b=1 x]=1", null, "1a=2", "a]b=1", "x]=1"],
  ])("%j", (text, ...words) => expect(argvs(text)).toEqual([["echo", ...words]])); // prettier-ignore

  test("backticks take the backslashes away that their text does not see", () => {
    expect(argvs('echo `a \\" \\\\ \\$x`').at(-1)).toEqual(["a", '"', null]);
    expect(argvs('echo "`a \\"b\\"`"').at(-1)).toEqual(["a", "b"]);
    expect(argvs("echo `a \\q`").at(-1)).toEqual(["a", "q"]);
  });

  test.each([
    ['echo "a\\', /double quote is not closed/],
    ["(a) b", /`b` is unexpected/],
    ["[[ a #b\n]]", /`#` inside `\[\[` is read in two ways/],
    ["echo $[1+1]", /`\$\[` is not read/],
    ["echo $((1 \\( 2))", /not even/],
    ["echo $((1 \\) 2))", /not even/],
    ["echo $((\"1)\" + \"(2\"))", /not even/],
    ["echo $(('1'))", /single quote in arithmetic/],
    ["echo \"${x%'a'}\"", /single quote inside/],
    ["echo ${", /are not read/],
    ["echo ${!", /is not closed/],
    ["echo ${x<(a)}", /process substitution inside/],
    ["echo $'a\\", /single quote is not closed/],
    ["a[1 2]x", /subscript with blanks/],
    ["a[1", /subscript is not closed/],
    ["a[$'x']=1", /`\$` before a quote in a subscript/],
    ["a=(1 2", /list of values is not closed/],
    ["a ) ", /`\)` is unexpected/],
    ["a &&\n", /missing behind `&&`/],
    ["a < ", /`<` has no target/],
    ["a < ; b", /`<` has no target/],
    ["(a) 2<(b)", /`<` is unexpected/],
    ["function ) x", /`\)` is unexpected/],
    ["case a in\n;; esac", /unexpected/],
    ["case a in x|\n) b;; esac", /the line ends too early/],
  ])("%j cannot be read", (text, reason) => expect(problem(text)).toMatch(reason)); // prettier-ignore

  test("a function may have a name that looks like a pattern", () => {
    expect(argvs("a@() { rm x; }")).toEqual([["rm", "x"]]);
  });

  test("a process substitution inside a pattern is a command", () => {
    expect(argvs("echo @(a|<(b))")).toContainEqual([null]);
  });

  test.each([
    ["case x in a) b;;& esac", /bash's alone/],
    ["diff <(a) b", /process substitution/],
    ["echo $'a'", /`\$` before a quote/],
    ["a=(b) c", /a list as a value/],
  ])("%j means different things in different shells", (text, reason) => {
    expect(problem(text)).toBe("");
    expect(problem(text, "posix")).toMatch(reason);
  });

  test("a text of more than a mebibyte is not read, nor are texts in texts without end", () => {
    expect(problem("a".repeat(1_048_577))).toMatch(/longer than 1 MiB/);
    let nested = "b".repeat(150_000);
    for (let level = 0; level < 5; level++) nested = `eval ${quoteShellWord(nested)}`;
    expect(problem(nested)).toMatch(/nested in texts too often/);
  });
});

describe("options of commands that run others", () => {
  test.each<[text: string, ...inner: Argv[]]>([
    // `-` is an option of `env`, and never the command itself.
    ["env - rm x", ["rm", "x"]],
    ["env - A=1 rm x", ["rm", "x"]],
    ["runuser bob -c 'rm x'", ["rm", "x"], ["bob", "-c", "rm x"]],
    ["runuser - bob -c 'rm x'", ["rm", "x"], ["bob", "-c", "rm x"]],
    ["runuser -u bob rm x", ["rm", "x"]],
    ["ssh host -- rm x", [null], ["--", "rm", "x"]],
    ["env --split-string='rm x'", ["rm", "x"]],
    ["env --split-string 'rm x'", ["rm", "x"]],
    ["env --split-string", [null]],
    ["env --unset X rm x", ["rm", "x"]],
    ["env --unset=X rm x", ["rm", "x"]],
    ["env --help rm x"],
    ["timeout $x rm y", [null], ["rm", "y"]],
    ["sudo $x y", [null, "y"]],
    ["sudo -u", [null]],
    ["sudo -l rm x"],
    ["nice -y rm x", [null], ["rm", "x"]],
    ["xargs -i rm {}", ["rm", null, null]],
    ["xargs -I% rm %", ["rm", null, null]],
    ["xargs -I", [null]],
    ["xargs -e rm", ["rm", null]],
    ["flock f -c", [null]],
    ["flock f -c 'rm x'", ["rm", "x"]],
    ["su bob -c 'rm x'", ["rm", "x"]],
    ["eval"],
    ["eval -- rm x", ["rm", "x"]],
    ["sh --version x"],
    ["bash --rcfile x", [null]],
    ["bash --posix -c a", ["a"]],
    ["bash -posix -c ./a <<< b", [null]],
    ["bash --odd -c a", [null]],
    ["bash -s -c a <<< b", ["a"]],
    ["bash -i a <<< b", [null]],
    ["bash -s a <<< b", ["b"]],
    ["zsh -oextendedglob -c a", [null]],
    ["fish -Ca -c b", [null]],
    ["script -c a out -cb --command=c", ["a"], ["b"], ["c"]],
    ["bash -c"],
    ["bash -", [null]],
    ["bash $x", [null]],
    ["trap"],
    ["trap -p EXIT"],
    ["trap -- 'rm x' EXIT", ["rm", "x"]],
    ["trap \"$x\" EXIT", [null]],
    ["alias x"],
    ["alias \"$x\"", [null]],
    ["mapfile -tC 'rm x' a", ["rm", "x"]],
    ["mapfile -C'rm x' a", [null]],
    ["mapfile -C", [null]],
    ["mapfile \"$x\"", [null]],
    ["mapfile a"],
    ["timeout --foreground 5 rm x", ["rm", "x"]],
    ["timeout --odd 5 rm x", [null], ["rm", "x"]],
    ["find . -exec"],
    ["find . -exec ';'"],
    ["find $x -exec rm {} ;", ["rm", null]],
  ])("%j", (text, ...inner) => expect(argvs(text).slice(1)).toEqual(inner)); // prettier-ignore
});
