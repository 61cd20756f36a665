/** The languages as data: what the source file is called, how it is run, and what must be visible inside the sandbox. */
import { nodePreload } from "./javascript-api.ts";
import type { LanguageId, SandboxTier } from "./sandbox.ts";

/** A file put into the sandbox read-only by its content, never by a host path. */
export interface ProgramFile {
  /** Absolute path inside. */
  readonly path: string;
  readonly content: string;
}

/** A host file shown read-only inside. */
export interface ReadOnlyMount {
  readonly from: string;
  readonly to: string;
}

/**
 * One language. Argument lists are executed as they are, without a shell; the program's own arguments are appended to
 * `run`. A compiled language adds `compile`, which runs first in a sandbox of its own with the same work folder.
 */
export interface Language {
  readonly id: LanguageId;
  readonly aliases: readonly string[];
  /** Absolute path inside of the file that holds the request's source. */
  readonly sourceFile: string;
  readonly compile?: readonly string[];
  readonly run: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly ProgramFile[];
  readonly mounts: readonly ReadOnlyMount[];
  /** Memory the runtime reserves as data without using it; hosts without control groups allow it on top. */
  readonly reservedBytes: number;
  /** Prints one line with a version number; run inside the sandbox, so that it proves what programs will find. */
  readonly versionProbe: readonly string[];
  readonly tiers: readonly SandboxTier[];
}

/** Where the runtime's own Node binary appears inside. */
export const nodeInside = "/opt/homeostat/node";

const preload: ProgramFile = { path: "/program/preload.cjs", content: nodePreload };

/** `nodeBinary` is the real host path of a Node 24; JavaScript never depends on a Node of the system. */
export function createLanguages(nodeBinary: string): readonly Language[] {
  const node = {
    environment: {},
    files: [preload],
    mounts: [{ from: nodeBinary, to: nodeInside }],
    // Measured: Node 24 does not start with 512 MiB of RLIMIT_DATA and does with 640, mostly V8's range for machine code.
    reservedBytes: 1024 * 1024 * 1024,
    versionProbe: [nodeInside, "--version"],
  };
  return [
    python,
    {
      ...node,
      id: "javascript",
      aliases: ["js", "node"],
      // Without a package.json Node decides by the syntax whether this is an ES module.
      sourceFile: "/program/main.js",
      run: [nodeInside, "--require", preload.path, "/program/main.js"],
      tiers: ["bubblewrap", "quickjs"],
    },
    {
      ...node,
      id: "typescript",
      aliases: ["ts"],
      sourceFile: "/program/main.ts",
      run: [
        ...[nodeInside, "--disable-warning=ExperimentalWarning"],
        ...["--require", preload.path, "/program/main.ts"],
      ],
      tiers: ["bubblewrap"],
    },
    bash,
  ];
}

const python: Language = {
  id: "python",
  aliases: ["py", "python3"],
  sourceFile: "/program/main.py",
  // The system's own: version managers keep theirs below a home folder, which is not visible inside.
  run: ["/usr/bin/python3", "/program/main.py"],
  environment: {
    // Modules of the work folder can be imported, and leave no compiled copies behind as outputs.
    PYTHONPATH: "/box",
    PYTHONDONTWRITEBYTECODE: "1",
    // What was printed before a limit struck should be seen.
    PYTHONUNBUFFERED: "1",
  },
  files: [],
  mounts: [],
  reservedBytes: 0,
  versionProbe: ["/usr/bin/python3", "--version"],
  tiers: ["bubblewrap"],
};

const bash: Language = {
  id: "bash",
  aliases: ["sh", "shell"],
  sourceFile: "/program/main.sh",
  run: ["/usr/bin/bash", "/program/main.sh"],
  environment: {},
  files: [],
  mounts: [],
  reservedBytes: 0,
  versionProbe: ["/usr/bin/bash", "--version"],
  tiers: ["bubblewrap"],
};
