import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteShellWord } from "./shell-names.ts";
import { parseShell } from "./shell.ts";
import type { Dialect } from "./shell.ts";

/** The words of every command; throws where the text is unparsable. */
function argvs(text: string, dialect: Dialect = "bash"): readonly (readonly (string | null)[])[] {
  const result = parseShell(text, { dialect });
  if (result.kind === "unparsable") throw new Error(`${result.line}:${result.column}: ${result.reason}`);
  return result.commands.map(({ argv }) => argv);
}

describe("simple commands", () => {
  test.each<[text: string, ...argvs: (readonly (string | null)[])[]]>([
    ["", ...[]],
    ["# nothing", ...[]],
    ["rm -rf /", ["rm", "-rf", "/"]],
    [`echo 'a b' "c d" e\\ f 'g'"h"i`, ["echo", "a b", "c d", "e f", "ghi"]],
    [`echo $'\\x72\\155\\n' "\\$x \\q"`, ["echo", "rm\n", "$x \\q"]],
    ["\\rm x", ["rm", "x"]],
    ["r\\\nm x \\\n y", ["rm", "x", "y"]],
    ["echo $x ${y:-1} *.txt ~ {a,b} a#b # c", ["echo", null, null, null, null, null, "a#b"]],
    ["a;b&c&&d||e|f|&g\nh", ["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"], ["h"]],
    ["a=(b\n$(c)\n) d", ["d"], ["c"]],
    ["a &\\\n& b |\\\n c", ["a"], ["b"], ["c"]],
    ["! a; { b; }; (c; (d))", ["a"], ["b"], ["c"], ["d"]],
    ["if a; then b; elif c; then d; else e; fi", ["a"], ["b"], ["c"], ["d"], ["e"]],
    ["while a; do b; done; until c\ndo d\ndone", ["a"], ["b"], ["c"], ["d"]],
    ["for i in 1 $(a); do b; done; for ((i=0;i<$(c);i++)) { d; }", [], ["a"], ["b"], ["c"], ["d"], [null]],
    ["case $(a) in x|y) b;; (*) c;& z) d\nesac", ["a"], ["b"], ["c"], ["d"]],
    ["f() { a; }; function g { b; }; h() (c)", ["a"], ["b"], ["c"]],
    ["echo `a \\`b\\`` $(c $(d)) \"$(e)\" $((1+$(f)))", ["echo", null, null, null, null], ["a", null], ["b"], ["c", null], ["d"], ["e"], ["f"], [null]],
    ["[[ -f $(a) && x =~ ^(b|c)$ ]] && (( $(d) > 1 ))", ["a"], ["d"], [null]],
    ["diff <(a) >(b)", ["diff", null, null], ["a"], ["b"]],
    ["echo ${x:-$(a)} ${y[$(b)]} ${z@P}", ["echo", null, null, null], ["a"], ["b"], [null], [null]],
    ["$x a; $(b) c", [null, "a"], [null, "c"], ["b"]],
    ["echo a | time b", ["echo", "a"], ["time", "b"], ["b"]],
    ["time -p a", ["a"]],
  ])("%j", (text, ...expected) => {
    expect(argvs(text)).toEqual(expected);
  }); // prettier-ignore

  test("assignments, redirections and places are told", () => {
    const result = parseShell("true\n  A=1 B+=x c[1 + 1]=2 run >out 2>&1 <in {fd}>>log &>all\n");
    expect(result).toMatchObject({
      kind: "commands",
      commands: [
        { argv: ["true"], place: { line: 1, column: 1 } },
        {
          argv: ["run"],
          place: { line: 2, column: 3 },
          assignments: [
            { name: "A", value: "1" },
            { name: "B", value: "x" },
            { name: "c", value: "2" },
          ],
          redirections: [
            { operator: ">", target: "out" },
            { operator: ">&", target: "1" },
            { operator: "<", target: "in" },
            { operator: ">>", target: "log" },
            { operator: "&>", target: "all" },
          ],
        },
      ],
    });
  });

  test("a file name pattern is told apart from other unknown words", () => {
    const result = parseShell("rm -r build/* $x/*");
    expect(result.commands[0]).toMatchObject({
      argv: ["rm", "-r", null, null],
      patterns: [null, null, "build/*", null],
    });
  });

  test("here-documents are data, and their substitutions are commands", () => {
    expect(argvs("cat <<E <<-'F' | a\nrm x $(b)\nE\n\trm $(c)\n\tF\nd")).toEqual([
      ["cat"],
      ["a"],
      ["b"],
      ["d"],
    ]);
    expect(parseShell("cat <<'E'\na $x\nE\n").commands[0]?.redirections).toEqual([
      { operator: "<<", target: "a $x\n", text: null },
    ]);
  });
});

describe("commands inside commands", () => {
  test.each<[text: string, ...inner: (readonly (string | null)[])[]]>([
    ["bash -c 'a; b' x", ["a"], ["b"]],
    ["sh -ec 'a' && sh -o errexit -c 'b'", ["a"], ["sh", "-o", "errexit", "-c", "b"], ["b"]],
    ["bash -c \"$x\"", [null]],
    ["bash script.sh", [null]],
    ["cat x | sh", ["sh"], [null]],
    ["sh <<E\nrm x\nE", ["rm", "x"]],
    ["bash <<< 'rm x'", ["rm", "x"]],
    ["eval rm '-r x'", ["rm", "-r", "x"]],
    ["eval \"$x\"", [null]],
    ["source lib", [null]],
    [". lib", [null]],
    ["bash -s <<< 'rm x'", ["rm", "x"]],
    ["bash -i", [null]],
    ["sh -sc 'rm x'", ["rm", "x"]],
    ["trap 'rm x' EXIT", ["rm", "x"]],
    ["alias l='rm x'", ["rm", "x", null]],
    ["alias l='sh -c'", ["sh", "-c", null], [null]],
    ["env -i -u X A=1 rm x", ["rm", "x"]],
    ["env -S 'rm x'", ["rm", "x"]],
    ["sudo -u root -- rm x", ["rm", "x"]],
    ["timeout -s KILL 5 nice -n 3 rm x", ["nice", "-n", "3", "rm", "x"], ["rm", "x"]],
    ["xargs -0 -I {} -n 1 rm a{}", ["rm", null, null]],
    ["find . -exec rm {} + -o -execdir sh -c 'ls x' \\;", ["rm", null], ["sh", "-c", "ls x"], ["ls", "x"]],
    ["ssh -p 22 host rm x", ["rm", "x"]],
    ["flock -n l -c 'rm x'", ["rm", "x"]],
    ["sudo --unknown rm x", [null], ["rm", "x"]],
    ["nohup $x", [null]],
    ["exec -a n rm x; command -v rm; builtin cd", ["rm", "x"], ["command", "-v", "rm"], ["builtin", "cd"], ["cd"]],
    ["test -v 'a[$(rm x)]'", [null]],
  ])("%j", (text, ...expected) => {
    expect(argvs(text).slice(1)).toEqual(expected);
  }); // prettier-ignore
});

describe("what cannot be read is said to be", () => {
  test.each<[text: string, reason: RegExp, line: number, column: number]>([
    ["a\necho 'b", /single quote is not closed/, 2, 6],
    ['echo "', /double quote is not closed/, 1, 6],
    ["a $(b", /not closed/, 1, 6],
    ["if a; then b", /`fi` is missing|`elif` is missing|missing at the end/, 1, 13],
    ["a ) b", /`\)` is unexpected/, 1, 3],
    ["a && ; b", /`;` is unexpected/, 1, 6],
    ["done", /`done` is unexpected/, 1, 1],
    ["cat <<E\nx", /no end mark `E`/, 2, 2],
    ["((a); (b))", /put a blank between/, 1, 4],
    ["a\0b", /NUL/, 1, 2],
    ["echo $((rm x; $(a[)]=1 :)))", /bash may read it as commands/, 1, 26],
    ["case a in b", /missing/, 1, 12],
    ["echo ${ rm x; }", /not read/, 1, 8],
  ])("%j", (text, reason, line, column) => {
    const result = parseShell(text);
    expect(result).toMatchObject({ kind: "unparsable", line, column });
    expect(result.kind === "unparsable" && result.reason).toMatch(reason);
  });

  test("what a shell runs before the error is told all the same", () => {
    expect(parseShell("rm x\n)").commands.map(({ argv }) => argv)).toEqual([["rm", "x"]]);
  });

  test("a text for any shell does not use what bash alone reads so", () => {
    const texts = [
      "[[ a || rm x ]]",
      "((rm x))",
      "a &> b",
      "$'rm' x",
      "a <<< b",
      "cat <(b)",
      "function f { a; }",
      "a=(b)",
    ];
    for (const text of texts) {
      expect([text, parseShell(text, { dialect: "posix" }).kind]).toEqual([text, "unparsable"]);
      expect([text, parseShell(text).kind]).toEqual([text, "commands"]);
    }
    expect(parseShell("sh -c '((rm x))'").kind).toBe("unparsable");
  });

  test("nesting, texts in texts and numbers of commands are bounded", () => {
    const texts = [
      "(".repeat(500),
      "$(".repeat(500),
      `${"eval ".repeat(20)}a`,
      "a;".repeat(30_000),
      `${"sudo ".repeat(20)}a`,
    ];
    for (const text of texts) expect(parseShell(text).kind).toBe("unparsable");
  });
});

describe("whatever the text", () => {
  const piece = fc.constantFrom(
    "a", "rm", " ", "\n", ";", "&&", "|", "(", ")", "{ ", "}", "$(", "${", "`", "'", '"', "\\", "$((", "((", "[[ ", "]]",
    "<<E\n", "E\n", "<(", ">f", "2>", "if ", "then ", "fi", "for ", "in ", "do ", "done", "case ", "esac", "eval ", "sh -c ",
    "x=", "x=(", "a[", "]", "#", "*", "@(", "$'", "\0", "é", "\u{1f600}", "xargs ", "!", "&", "time ",
  ); // prettier-ignore
  const text = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );

  test("the parser answers and never throws", () => {
    fc.assert(
      fc.property(text, (given) => ["commands", "unparsable"].includes(parseShell(given).kind)),
      { numRuns: 3_000 },
    );
  });

  test("commands joined from known words come back exactly", () => {
    const word = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("-rf", "/", "a b", "it's", "$x", "`a`", "*", "\n", "if"))
      .map((each) => each.replace(/[\0[]/g, "")); // prettier-ignore
    const command = fc.tuple(fc.constantFrom("rm", "cp", "grep", "make"), fc.array(word, { maxLength: 4 })).map(([name, rest]) => [name, ...rest]); // prettier-ignore
    const joint = fc.constantFrom("; ", " && ", " || ", " | ", "\n", " & ", " \\\n && \n# comment\n");
    const frame = fc.constantFrom(
      (each: string) => each,
      (each: string) => `( ${each} )`,
      (each: string) => `{ ${each}\n}`,
      (each: string) => `if ${each}\nthen :; fi`,
      (each: string) => `x=$(${each}\n)`,
      (each: string) => `f() { ${each}\n}`,
      (each: string) => `bash -c ${quoteShellWord(each)}`,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(command, joint), { minLength: 1, maxLength: 6 }), frame, (list, put) => {
        const joined = list.map(([words, by], index) => words.map(quoteShellWord).join(" ") + (index < list.length - 1 ? by : "")).join(""); // prettier-ignore
        const found = argvs(put(joined)).filter(
          ([name]) => name !== ":" && name !== "bash" && name !== undefined,
        );
        expect(found).toEqual(list.map(([words]) => words));
      }),
      { numRuns: 500 },
    );
  });

  const hostile = [
    "(", "$(", "$((", "`", "\\`", "${", '"$(', "'", '"', "\\\n", "a;", "eval ", "sudo ", "xargs ", "a[", "<<E\n", "~:", "a-=",
    "cat <<E\n$(cat <<F\n", "bash -c 'eval ", "@(", "{a,", "if a; then ", "case a in ", "sh <<E\necho $(sh <<F\n", "\\\\\n", "1>",
    "find -exec find -exec ", "env -S 'env -S ", "&\\\n", "x=1 ", "trap 'trap ",
  ]; // prettier-ignore
  test.each(hostile)("256 KB of %j take at most 250 ms of CPU", (part) => {
    const given = part.repeat(Math.ceil(262_144 / part.length));
    const before = process.cpuUsage();
    parseShell(given);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(250);
  });
});

describe("against bash", () => {
  const corpus = [
    "for f in *.txt; do mv -- \"$f\" \"${f%.txt}.md\"; done",
    "while IFS=, read -r a b; do printf '%s\\n' \"$a\"; done < in.csv > out",
    "case \"$1\" in start|stop) echo \"$1\" ;; *) exit 2 ;; esac",
    "set -euo pipefail\nreadonly HERE=$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\n",
    "arr=(a \"b c\" $(ls)); echo \"${#arr[@]} ${arr[*]:1:2}\"",
    "declare -A m=([x]=1 [y]=2); m[z]+=3; for k in \"${!m[@]}\"; do :; done",
    "if [[ $a == *.png && ! -e ${b:-/x} || $c =~ ^[0-9]+$ ]]; then :; fi",
    "coproc cat; exec 3<&0 4>&-; { echo a; echo b; } 2>&1 | tee log",
    "f() { local x=\"${1:?need \\\"x\\\"}\"; return $((x * 2)); }; f 2 || true",
    "cat <<-\"END\" > x\n\t$not expanded\n\tEND\necho \"${x//a/b}\" \"${y^^}\" \"${z@Q}\"",
    "select x in a b; do break; done; until false; do sleep 1; done &",
    "echo $(( (1 + 2) * 3 )) $((16#ff)) ; ((i++)) ; let 'i += 1'",
    "time -p { a | b; } ; ! c ; function g() ( d )",
    "echo \"nested $(echo \"inner $(echo 'deep')\")\" `echo \\`x\\``",
    "[ -z \"$x\" ] && echo 'it'\\''s' $'tab\\t' # done",
    "mapfile -t lines < <(sort -u names); printf '%s\\n' \"${lines[@]}\" |& head -n 1 >| out",
    "if a\nthen b; fi >x 2>y; while :; do break; done <<< \"$z\"",
    "trap 'rm -f \"$t\"' EXIT; t=$(mktemp); x=1 y=2 env; \\\n echo joined",
  ]; // prettier-ignore

  test("every program of a corpus that bash accepts is parsed", () => {
    for (const program of corpus) {
      expect([program, spawnSync("bash", ["-n"], { input: program }).status]).toEqual([program, 0]);
      expect([program, parseShell(program)]).toEqual([
        program,
        expect.objectContaining({ kind: "commands" }),
      ]);
    }
  });

  test("halves of programs are parsed only where bash accepts them, or found before the error", () => {
    const cuts = corpus.flatMap((program) =>
      [0.3, 0.6, 0.85].map((part) => program.slice(0, program.length * part)),
    );
    for (const cut of cuts) {
      if (spawnSync("bash", ["-n"], { input: cut }).status === 0) continue;
      expect([cut, parseShell(cut).kind]).toEqual([cut, "unparsable"]);
    }
  });
});
