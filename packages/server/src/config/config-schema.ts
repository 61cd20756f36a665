/** Every configuration key in one place: its default, unit and reason. docs/reference/config.md is made from it. */
import { z } from "zod";
import { limitsSettings } from "./limits-settings.ts";
import { queueSettings } from "./queue-settings.ts";
import { secretsSettings } from "./secrets-settings.ts";
import { choice, integer, optionalText, record, text, texts } from "./setting.ts";
import type { Setting } from "./setting.ts";

const hostForm = /^[^\s/,]+$/;

export const settings = {
  home: text({
    default: "~/.local/share/homeostat",
    description: "The data folder: database, ledger, keys, blobs, workspaces, token.",
    why: "where XDG puts an application's data; XDG_DATA_HOME is honoured",
    inFile: false,
  }),
  url: optionalText({
    default: undefined,
    description: "Address of the server that commands talk to; http://HOST:PORT by default.",
    why: "commands usually run on the server's own machine",
  }),
  host: text({
    default: "127.0.0.1",
    description: "Address to listen on.",
    why: "only this machine reaches it; other machines need a proxy with https in front",
  }),
  port: integer({
    min: 0,
    max: 65_535,
    default: 7717,
    description: "Port to listen on; 0 takes a free one.",
    why: "unassigned at IANA and outside the range systems hand out",
  }),
  role: choice({
    of: ["all", "gateway", "worker"],
    default: "all",
    description:
      "Which parts this process runs: gateway (API, dashboard, ledger), worker (drives runs) or both. See docs/scaling.md.",
    why: "one process does everything on one machine",
  }),
  databaseUrl: optionalText({
    pattern: /^postgres(?:ql)?:\/\//,
    form: "a URL such as postgres://user:password@host:5432/database",
    default: undefined,
    description: "A PostgreSQL database (13 or newer) in place of the SQLite file in the data folder.",
    why: "one machine needs no database server",
    secret: true,
  }),
  databaseReadUrl: optionalText({
    pattern: /^postgres(?:ql)?:\/\//,
    form: "a URL such as postgres://user:password@replica:5432/database",
    default: undefined,
    description:
      "A streaming replica of `databaseUrl` for long reads and for lists, used while it shows all that was written before.",
    why: "few databases are large enough to need one",
    secret: true,
  }),
  databaseReadMaxLagMs: integer({
    min: 10,
    max: 60_000,
    default: 250,
    description:
      "Milliseconds: a replica that is further behind serves no lists, and no list waits longer for it to catch up.",
    why: "a replica in the same building is behind by less than 20 ms; a person does not notice a quarter of a second",
  }),
  minFreeMiB: integer({
    min: 0,
    max: 1_048_576,
    default: 64,
    description:
      "MiB: with less room on the data folder's disk (or a volume in it) the process is not ready; whatever the database is.",
    why: "ledger, blobs and workspaces lie there; 64 MiB hold some minutes of a busy server",
  }),
  redisUrl: optionalText({
    pattern: /^rediss?:\/\//,
    form: "a URL such as redis://:password@host:6379/0",
    default: undefined,
    description:
      "A Redis server (6.2 or newer) that wakes workers and holds rate limits across processes. It holds nothing that matters.",
    why: "the database alone wakes workers too; many workers on many machines are woken more sparingly by Redis",
    secret: true,
  }),
  worker: {
    host: text({
      default: "127.0.0.1",
      description: "Address on which a process of role `worker` answers /livez, /readyz and /metrics.",
      why: "only probes of this machine reach it",
    }),
    port: integer({
      min: 0,
      max: 65_535,
      default: 0,
      description: "Port for those probes; 0 takes a free one.",
      why: "several workers share a machine",
    }),
  },
  token: optionalText({
    default: undefined,
    description: "The admin's token, in place of the one in the data folder's file `token`.",
    why: "the file is made at the first start, readable by its owner alone",
    secret: true,
  }),
  log: {
    level: choice({
      of: ["debug", "info", "warn", "error"],
      default: "info",
      description: "The least important lines that are written.",
      why: "one line per request and per step is enough to follow what happens",
    }),
    file: text({
      default: "logs/homeostat.log",
      description: "Where log lines go, relative to the data folder; `none` for standard error alone.",
      why: "the terminal is free for what people need to read",
    }),
    maxBytes: integer({
      min: 65_536,
      max: 1024 ** 4,
      default: 67_108_864,
      unit: "bytes",
      description: "A log file that would grow beyond this is put aside and a new one begun.",
      why: "about 200,000 lines: still opened by any editor",
    }),
    keep: integer({
      min: 0,
      max: 1_000,
      default: 5,
      description: "How many log files that were put aside are kept.",
      why: "with the default size, logs never take more than 400 MB",
    }),
  },
  http: {
    bodyLimitBytes: integer({
      min: 65_536,
      max: 1_073_741_824,
      default: 67_108_864,
      unit: "bytes",
      description:
        "Largest task that may be submitted, its files included (as base64); other requests may have 1 MiB.",
      why: "48 MiB of files, and still well below the memory of a small machine",
    }),
    allowedHosts: texts({
      item: hostForm,
      form: "host names without port",
      default: [],
      description: "Names besides localhost and `host` under which the server answers.",
      why: "a foreign page that points its own name at this machine (DNS rebinding) gets nothing",
    }),
    publicOrigins: texts({
      item: /^https?:\/\/[^\s/,]+$/,
      form: "origins such as https://homeostat.example.org",
      default: [],
      description: "Addresses under which a proxy publishes the dashboard.",
      why: "pages of other origins may change nothing",
    }),
    maxStreams: integer({
      min: 1,
      max: 100_000,
      default: 256,
      description: "Live event streams open at once.",
      why: "each holds a connection and up to 1 MiB for a slow reader",
    }),
    sessionHours: integer({
      min: 1,
      max: 8_760,
      default: 168,
      unit: "hours",
      description: "How long a sign-in of the dashboard lasts.",
      why: "a week; a new token ends all sessions at once",
    }),
    stopSeconds: integer({
      min: 1,
      max: 3_600,
      default: 20,
      unit: "seconds",
      description: "Time for requests and steps to finish when the server is asked to stop.",
      why: "below the 30 s after which most process managers kill",
    }),
  },
  tools: {
    allowedHosts: texts({
      item: hostForm,
      form: "hosts, `*.example.org` or `host:port`",
      default: [],
      description: "Hosts that the HTTP tool may call at all; policy then decides each call.",
      why: "nothing leaves this machine unless somebody listed where to",
    }),
    allowPrivate: texts({
      item: hostForm,
      form: "addresses with port such as 10.0.0.5:8080 or [::1]:8080",
      default: [],
      description: "Private or loopback addresses that the HTTP tool may connect to.",
      why: "a name that leads into the own network is the usual way to attack it",
    }),
  },
  queue: queueSettings,
  runs: {
    maxAttempts: integer({
      min: 1,
      max: 100,
      default: 3,
      description: "Attempts of a run before it waits for a person as a dead letter.",
      why: "two retries outlive most passing faults",
    }),
    concurrency: integer({
      min: 1,
      max: 256,
      default: 4,
      description: "Runs that are worked on at once.",
      why: "steps mostly wait; programs take a processor each",
    }),
    leaseSeconds: integer({
      min: 5,
      max: 600,
      default: 30,
      unit: "seconds",
      description: "After this long without a sign of life another worker takes a run over.",
      why: "renewed every third of it, so that a pause of 20 s costs nothing",
    }),
    maxEvents: integer({
      min: 1_000,
      max: 10_000_000,
      default: 250_000,
      description:
        "Events of one run, about two for an action: at this many it begins no further step and fails with RUN_TOO_LONG; what it did is undone.",
      why: "a run of this length is folded in a few seconds; a loop without an end must not fill the disk",
    }),
  },
  sandbox: {
    install: choice({
      of: ["auto", "never"],
      default: "auto",
      description: "Whether the first start may install Debian's bubblewrap when it is missing.",
      why: "a fresh machine then runs programs without further steps; needs root and apt",
    }),
    minimum: choice({
      of: ["none", "standard", "full"],
      default: "none",
      description: "The weakest isolation for programs, whatever policy says; policy may ask for more.",
      why: "the built-in JavaScript interpreter needs none; the default policy asks `standard` for all other languages",
    }),
  },
  approvals: {
    links: choice({
      of: ["session", "token"],
      default: "session",
      description:
        "What answering by a link from mail or chat takes: the addressee signed in or with their key (session), or the link alone (token). See docs/approvals.md.",
      why: "mails are forwarded and kept in archives; whoever reads one must not be able to answer with it",
    }),
  },
  limits: limitsSettings,
  secrets: secretsSettings,
  blobs: {
    url: optionalText({
      pattern: /^s3:\/\//,
      form: "s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1",
      default: undefined,
      description: "A bucket in place of the folder `blobs`, so that every host reaches the same files.",
      why: "one machine needs no S3 server",
    }),
    accessKeyId: optionalText({
      default: undefined,
      description:
        "For the bucket; without it the standard chain is asked (AWS_ACCESS_KEY_ID, files, the machine's role).",
      why: "machines in a cloud have credentials already",
      secret: true,
    }),
    secretAccessKey: optionalText({
      default: undefined,
      description: "Belongs to `blobs.accessKeyId`.",
      why: "machines in a cloud have credentials already",
      secret: true,
    }),
    masterKey: optionalText({
      default: undefined,
      description:
        "64 hex digits that encrypt the blobs' keys, in place of the file keys/blob-master.key; the same on every host.",
      why: "the file is made at the first start; hosts without a common data folder need the key from elsewhere",
      secret: true,
    }),
  },
  retention: {
    completedDays: days({
      description: "Days after its end until a completed run is erased; 0 keeps it for ever.",
      default: 0,
      why: "nothing is deleted that nobody asked to delete",
    }),
    failedDays: days({
      description: "The same for failed runs.",
      default: 0,
      why: "nothing is deleted that nobody asked to delete",
    }),
    cancelledDays: days({
      description:
        "The same for cancelled runs. Dead letters wait for a person and are never erased by themselves.",
      default: 0,
      why: "nothing is deleted that nobody asked to delete",
    }),
    workspaceDays: days({
      description:
        "Days after a run's end until its folder is removed; its files stay in the blobs. 0 keeps it.",
      default: 30,
      why: "time to look into the folder by hand; artifacts and proofs do not need it",
    }),
  },
  backup: {
    folder: optionalText({
      default: undefined,
      description:
        "Where the server makes backups by itself, each in a folder of its own; best on another disk.",
      why: "a backup beside what it copies survives little",
    }),
    everyHours: integer({
      min: 1,
      max: 8_760,
      default: 24,
      unit: "hours",
      description: "How often, when `backup.folder` is set.",
      why: "one day of work is the most that a lost disk costs then",
    }),
    keep: integer({
      min: 1,
      max: 10_000,
      default: 7,
      description: "How many of these backups are kept; older ones are deleted once a new one is whole.",
      why: "a week to notice what went wrong",
    }),
    passphrase: optionalText({
      default: undefined,
      description: "Seals the keys in backups; at least 12 characters. Without it they are left out.",
      why: "keys in the open would make the encryption of the blobs worthless; keep it where the backups are not",
      secret: true,
    }),
  },
  roots: record({
    name: /^(?!workspace$)[a-z][a-z0-9_-]*$/,
    value: z.strictObject({ path: z.string().min(1), mode: z.enum(["read", "write"]).default("read") }),
    form: "a map of names to { path, mode: read or write }",
    default: {},
    description: "Named folders of this machine that runs may touch; `workspace` is each run's own.",
    why: "agents see no file that was not granted",
  }),
};

function days(facts: {
  readonly default: number;
  readonly description: string;
  readonly why: string;
}): Setting<number> {
  return integer({ min: 0, max: 36_500, unit: "days", ...facts });
}

type Values<Tree> = {
  readonly [Key in keyof Tree]: Tree[Key] extends Setting<infer T> ? T : Values<Tree[Key]>;
};

/** `home`, `log.file` and the paths of `roots` are absolute; `log.file` undefined is standard error alone. */
export type Config = Omit<Values<typeof settings>, "log"> & {
  readonly log: Omit<Values<typeof settings>["log"], "file"> & { readonly file: string | undefined };
};
