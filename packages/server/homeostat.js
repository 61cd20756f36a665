#!/usr/bin/env node
/*
 * The homeostat command, for a clone and for npm alike. These lines run on any Node.js, however old: no syntax after ES5
 * outside of texts. On Node 24 or newer it imports the program; on an older one it starts itself again under the pinned
 * `node` package where that is installed, else it says what to do.
 */
"use strict";
var oldestMajor = 24;
var major = parseInt(process.versions.node, 10);

/* `import()` and `require` each exist on some Node only: the first is a syntax error before version 10, hence a text. */
function load(name) {
  return typeof require === "function" ? { then: function (use) { use(require(name)); } } : eval('import("' + name + '")');
}

function refuse() {
  process.stderr.write(
    "error: Homeostat needs Node.js " + oldestMajor + " or newer; this is " + process.version + " (NODE_TOO_OLD)\n" +
      "  hint: Install Node.js " + oldestMajor + " from https://nodejs.org, or run `npm ci` here: it brings the pinned one along.\n"
  );
  process.exit(1);
}

/* The binary of the package `node`, looked for in every node_modules from this file upwards. */
function findPinnedNode(fs, path, start) {
  for (var folder = path.dirname(start); ; folder = path.dirname(folder)) {
    var binary = path.join(folder, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
    if (fs.existsSync(binary)) return binary;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/*
 * The child gets a session of its own: else a terminal's Ctrl-C would reach it twice, once directly and once from here, and
 * a second signal means "stop at once". Should this process be killed outright, the child sees the channel close and ends.
 */
function startAgain(binary, file, childProcess) {
  var signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  var child = childProcess.spawn(binary, serverOptions().concat(file, process.argv.slice(2)), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    detached: true,
  });
  signals.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on("error", refuse);
  child.on("exit", function (code, signal) {
    if (signal === null) process.exit(code);
    signals.forEach(function (each) {
      process.removeAllListeners(each);
    });
    process.kill(process.pid, signal);
  });
}

/*
 * Of a server's heap V8 lets the part for new objects grow to 128 MB and never gives it back; a quarter of its memory, for no
 * gain that could be measured here. It is bounded when the process begins or not at all.
 */
function serverOptions() {
  return process.argv[2] === "up" ? ["--max-semi-space-size=8"] : [];
}

/* True for a server that has no such bound yet and may begin anew as itself, with the same process id: not on Windows. */
function shouldBeginAnew() {
  var isBounded = (process.env.NODE_OPTIONS || "").indexOf("semi-space") !== -1;
  return (
    serverOptions().length > 0 &&
    !isBounded &&
    process.execArgv.length === 0 &&
    process.send === undefined &&
    process.platform !== "win32" &&
    typeof process.execve === "function"
  );
}

if (major >= oldestMajor) {
  if (shouldBeginAnew()) {
    process.execve(process.execPath, [process.execPath].concat(serverOptions(), process.argv.slice(1)), process.env);
  }
  if (process.send !== undefined) {
    process.once("disconnect", function () {
      process.kill(process.pid, "SIGTERM");
    });
    if (process.channel) process.channel.unref();
  }
  var path = process.getBuiltinModule("node:path");
  var nodeModule = process.getBuiltinModule("node:module");
  /*
   * Not the default place, which lies in the common temporary folder: whoever made that folder first could hand us code.
   * Threads have the cache through the environment alone; without it each loads what strips types, 30 MB.
   */
  nodeModule.enableCompileCache(
    process.env.NODE_COMPILE_CACHE || path.join(process.getBuiltinModule("node:os").homedir(), ".cache", "homeostat")
  );
  if (nodeModule.getCompileCacheDir()) process.env.NODE_COMPILE_CACHE = path.dirname(nodeModule.getCompileCacheDir());
  var fileSystem = process.getBuiltinModule("node:fs");
  var here = path.dirname(fileSystem.realpathSync(process.argv[1]));
  /* A clone runs its sources; the published package holds compiled ones, for Node strips no types below node_modules. */
  load(fileSystem.existsSync(here + "/src/main.ts") ? "./src/main.ts" : "./dist/main.js").then(function (program) {
    return program.main(process.argv.slice(2));
  });
} else {
  load("fs").then(function (fs) {
    load("path").then(function (path) {
      load("child_process").then(function (childProcess) {
        var file = fs.realpathSync(process.argv[1]);
        var binary = findPinnedNode(fs.default || fs, path.default || path, file);
        if (binary === undefined) refuse();
        else startAgain(binary, file, childProcess);
      });
    });
  });
}
