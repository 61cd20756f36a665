/** Programs that run what a file, their input or their arguments say in a language of their own, which nobody has read. */

/** Languages, build tools and test runners, debuggers, and commands that start others and whose options are not known here. */
const names: ReadonlySet<string> = new Set([
  // Macro processors and languages beside those policy names.
  "m4", "gm4", "ipython", "ipython3", "jython", "micropython", "wish", "Rscript", "R", "octave", "octave-cli", "julia", "runghc", "runhaskell", "ghci",
  "scala", "groovy", "kotlin", "java", "jshell", "guile", "racket", "sbcl", "clisp", "ecl", "gst", "elixir", "iex", "erl", "escript", "ocaml", "swift",
  "crystal", "nim", "dotnet", "mono", "pwsh", "powershell", "osascript", "qjs", "deno", "bun", "bunx", "tsx", "ts-node", "luajit", "gnuplot", "maxima",
  "blender", "gimp", "mongo", "mongosh", "gawk-csv", "original-awk", "bwk", "goawk",
  // Shells whose languages differ too much to be read here.
  "csh", "tcsh", "xonsh", "nu", "elvish", "rc", "es", "yash", "posh", "lksh", "osh", "ysh", "sash", "git-shell",
  // A Makefile is a program, and so are its kind.
  "make", "gmake", "bmake", "cmake", "ctest", "ninja", "meson", "just", "task", "rake", "ant", "mvn", "mvnw", "gradle", "gradlew", "sbt", "scons", "waf", "tox",
  "nox", "pytest", "py.test", "invoke", "doit", "fab", "bazel", "bazelisk", "buck", "bundle", "poetry", "pipenv", "conda", "mamba", "hatch", "direnv", "asdf", "mise",
  // Debuggers and loaders.
  "lldb", "gdbserver", "rr", "perf", "ld.so", "catchsegv",
  // Commands that start others.
  "setarch", "linux32", "linux64", "i386", "x86_64", "setpriv", "capsh", "firejail", "bwrap", "proot", "fakechroot", "faketime", "dbus-run-session",
  "dbus-launch", "systemd-run", "systemd-inhibit", "systemd-cat", "start-stop-daemon", "run-parts", "runcon", "sg", "newgrp", "pkexec", "gosu",
  "su-exec", "chpst", "tini", "dumb-init", "cgexec", "numactl", "rlwrap", "rlfe", "unbuffer", "screen", "tmux", "byobu", "dtach", "abduco", "daemon",
  "daemonize", "entr", "incrontab", "logsave", "hyperfine", "ccache", "distcc", "nix", "nix-shell", "guix", "flatpak", "vagrant", "ansible",
  "ansible-playbook", "terraform", "puppet", "chef-client", "salt", "salt-call", "cpulimit", "chronic", "ifne", "pee", "vidir", "vipe", "logrotate",
  "dhclient", "openvpn", "wg-quick", "ssh-agent", "xdg-open", "run-mailcap", "see", "sensible-editor", "sensible-pager", "sensible-browser", "editor",
  "pager", "latexmk", "fc", "bind", "ex", "choom", "uclampset", "coresched", "scriptlive", "debconf", "gpg-agent", "ld-linux", "ldd",
  // Modules, test files and expressions in the languages they are written in.
  "json_pp", "prove", "perldoc", "rename", "prename", "file-rename", "pydoc", "pydoc3", "pdb", "pdb3", "idle", "idle3", "cpan", "perldb", "enc2xs", "xsubpp",
]); // prettier-ignore

/** With versions in their names. */
const versioned =
  /^(?:perl|ruby|php|lua|tclsh|wish|guile|erl|pydoc|pdb|idle|prove|json_pp|perldoc)-?\d[\d.]*$|^ld-(?:linux|musl)[a-z0-9_.-]*$/;

/** Whether the command runs a program that is not in the text. `words`: behind the name, as in `SimpleCommand.texts`. */
export function runsUnread(name: string, words: readonly string[]): boolean {
  if (startsByOption(name, words)) return true;
  if (!names.has(name) && !versioned.test(name)) return false;
  // Asking what it is runs nothing; `fc -l` lists.
  const isLookup = /^(?:--?version|--?help|-V)$/.test(words[0] ?? "") && words.length === 1;
  return !isLookup && !(name === "fc" && /^-[nr]*l/.test(words[0] ?? ""));
}

const compilers =
  /^(?:[a-z0-9_]+-){0,4}(?:gcc|g\+\+|cc|c\+\+|cpp|clang|clang\+\+|clang-cpp|c89|c99|gfortran|gdc|gccgo)(?:-\d[\d.]*)?$/;
const linkers =
  /^(?:[a-z0-9_]+-){0,4}(?:ld(?:\.\w+)?|nm|ar|ranlib|objdump|size|strip|strings|addr2line)(?:-\d[\d.]*)?$/;

/** Compilers and linkers for any machine and of any version, and what starts a program only when it is told to. */
function startsByOption(name: string, words: readonly string[]): boolean {
  if (compilers.test(name)) {
    return words.some((word) => /^(?:-wrapper|-fplugin|--?specs|-B|@|-Xclang|-load)/.test(word));
  }
  // A plugin is code that is loaded.
  if (linkers.test(name)) return words.some((word) => /^(?:--?plugin|@)/.test(word));
  if (name === "dpkg-architecture") return words.some((word) => /^(?:-[a-z]*c|--c)/.test(word));
  if (name !== "strace") return false;
  // A trace that begins with one of these signs is given to a program.
  return words.some(
    (word, index) =>
      /^(?:-[A-Za-z]*o|--o[a-z]*=)[|!]/.test(word) ||
      (/^[|!\0]/.test(word) && /^(?:-[A-Za-z]*o|--o[a-z]*)$/.test(words[index - 1] ?? "")),
  );
}
