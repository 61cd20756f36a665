/** Answers of the fake server that do not change: status, configuration, policy, ledger. */
import type {
  ConfigRow,
  LedgerRow,
  LedgerState,
  PolicyView,
  RuleEffect,
  RunState,
  SystemStatus,
  VerifyReport,
} from "../src/api/contract.ts";
import { iso, sha256, type FakeRun } from "./fake-run.ts";
import { revision } from "./fake-script.ts";
import { policyText } from "./fake-texts.ts";

const startedMs = Date.now() - 5 * 3_600_000;

export function ledgerEntries(runs: readonly FakeRun[]): LedgerRow["entry"][] {
  return runs
    .flatMap((run) =>
      run.events.map((event) => ({
        v: 1,
        key: `${run.detail.id}/${event.seq}`,
        at: event.at,
        type: event.kind,
        tenant: "default",
        actor: event.kind.startsWith("run.created")
          ? { kind: "user", id: run.detail.requester }
          : { kind: "agent", id: "workflow:brand-audit" },
        labels: [],
        run: { id: run.detail.id, seq: event.seq, digest: event.digest },
        salt: sha256(event.digest).slice(0, 32),
        data: event.step === null ? {} : { step: event.step },
      })),
    )
    .sort((a, b) => a.at.localeCompare(b.at));
}

export function ledgerState(size: number): LedgerState {
  const root = sha256(`root ${size}`);
  const signature = Buffer.from(sha256(`signed ${size}`) + sha256(root), "hex").toString("base64");
  return {
    size,
    root,
    checkpoint: `homeostat/ledger\n${size}\n${Buffer.from(root, "hex").toString("base64")}\n\n\u2014 homeostat/ledger ${signature}\n`,
    verifierKey: `homeostat/ledger+9f2c41aa+${Buffer.from(sha256("key"), "hex").toString("base64")}`,
    pending: 0,
    witnessedTo: null,
    lastCheckpointAt: iso(Date.now() - 12_000),
  };
}

export function verifyReport(size: number, run: FakeRun | undefined, isBroken: boolean): VerifyReport {
  const events = run?.events.length ?? size;
  return {
    verdict: isBroken ? "broken" : "intact",
    text: isBroken ? "broken at segment 0, entry 214" : "intact; never witnessed",
    size,
    root: sha256(`root ${size}`),
    pending: 0,
    erased: 0,
    witnessedTo: null,
    checks: [
      {
        name: "Segments",
        ok: !isBroken,
        count: 3,
        detail: isBroken ? "the digest of entry 214 differs" : "every entry parses and hashes to its leaf",
      },
      { name: "Merkle tree", ok: !isBroken, count: size, detail: "the root is the signed one" },
      {
        name: "Checkpoints",
        ok: true,
        count: 41,
        detail: "each is signed by the key and consistent with the next",
      },
      {
        name: "Journals",
        ok: true,
        count: events,
        detail: "each event's digest follows from the one before; each head is in the ledger",
      },
      {
        name: "Artifacts",
        ok: true,
        count: run?.detail.artifacts.length ?? 18,
        detail: "each file on disk has its registered digest",
      },
    ],
    findings: isBroken
      ? [
          {
            what: "entry changed",
            where: "ledger/segments/00000.log, byte 48213",
            detail: "expected leaf 5c1e77d0…, found 91ab04e2…",
          },
        ]
      : [],
    durationMs: 184,
  };
}

function rule(
  name: string,
  effect: RuleEffect,
  line: number,
  actions: readonly string[],
  description: string | null,
): PolicyView["rules"][number] {
  const risk = ({ allow: "low", ask: "high", deny: "high" } as const)[effect];
  return {
    name,
    effect,
    line,
    actions,
    description,
    resources: ["workspace/**"],
    risk,
    file: null,
    section: null,
  };
}

export const policy: PolicyView = {
  revision,
  text: policyText,
  files: [],
  path: "/root/.local/share/homeostat/policy.yaml",
  rules: [
    rule(
      "read-workspace",
      "allow",
      5,
      ["file_ops.read", "file_ops.list"],
      "Reading and listing inside the workspace is always fine.",
    ),
    rule(
      "write-workspace",
      "allow",
      11,
      ["file_ops.write", "file_ops.move", "artifact.register"],
      "Writing inside the workspace; every change is in the journal.",
    ),
    rule(
      "sandboxed-code",
      "allow",
      17,
      ["code_exec.run"],
      "Programs run, but only with real isolation and for at most a minute.",
    ),
    rule("deletes-ask", "ask", 25, ["file_ops.delete"], null),
    rule(
      "web-from-untrusted",
      "deny",
      30,
      ["http.*"],
      "Once a run has read from the web, it may not send anything out.",
    ),
    rule("known-hosts", "allow", 36, ["http.request"], null),
  ],
  findings: [
    {
      severity: "warning",
      line: 36,
      column: 5,
      path: "rules[5]",
      message:
        "known-hosts never decides alone: web-from-untrusted is stricter for every run that has read from the web",
    },
  ],
};

export function systemStatus(runs: readonly FakeRun[], size: number): SystemStatus {
  const queue: Partial<Record<RunState, number>> = {};
  for (const run of runs) queue[run.detail.state] = (queue[run.detail.state] ?? 0) + 1;
  const ok = (detail: string) => ({ kind: "ok", detail }) as const;
  return {
    version: "0.1.0",
    startedAt: iso(startedMs),
    uptimeMs: Date.now() - startedMs,
    home: "/root/.local/share/homeostat",
    tree: {
      name: "homeostat",
      kind: "supervisor",
      state: "running",
      health: ok("every part is well"),
      restarts: 0,
      lastError: null,
      uptimeMs: null,
      strategy: "one-for-one",
      mailbox: null,
      children: [],
    },
    parts: [
      { name: "store", health: ok("state.db, 214 commits in the last minute") },
      { name: "ledger", health: ok("signed 12 s ago") },
      { name: "queue", health: ok("2 runs claimed") },
      { name: "worker", health: ok("2 of 4 slots busy") },
      { name: "policy", health: ok("revision 5f2c9e0d41") },
      {
        name: "sandbox",
        health: { kind: "degraded", detail: "standard: no writable cgroup, limits by rlimit and watchdog" },
      },
      { name: "http", health: ok("127.0.0.1:7717") },
    ],
    sandbox: {
      level: "standard",
      tiers: ["bubblewrap", "quickjs"],
      cgroup: "none",
      checks: [
        { name: "bubblewrap", ok: true, detail: "0.8.0 at /usr/bin/bwrap" },
        { name: "user namespaces", ok: true, detail: "a new user namespace could be made" },
        { name: "seccomp", ok: true, detail: "the filter was accepted; ptrace, mount and bpf are refused" },
        { name: "network", ok: true, detail: "no interface but loopback inside, and nothing listens there" },
        { name: "control groups", ok: false, detail: "/sys/fs/cgroup is read-only here" },
      ],
      remedy: "systemd-run --user --scope -p Delegate=yes npx homeostat up",
      languages: [
        { id: "python", available: true, version: "3.11.2", tiers: ["bubblewrap"] },
        { id: "javascript", available: true, version: "24.21.0", tiers: ["bubblewrap", "quickjs"] },
        { id: "typescript", available: true, version: "24.21.0", tiers: ["bubblewrap"] },
        { id: "bash", available: true, version: "5.2.15", tiers: ["bubblewrap"] },
      ],
    },
    queue: { counts: queue },
    ledger: ledgerState(size),
    policy: { revision, rules: policy.rules.length },
  };
}

export const config: readonly ConfigRow[] = [
  {
    key: "home",
    value: "/root/.local/share/homeostat",
    origin: "default",
    description: "Where everything is kept.",
    env: "HOMEOSTAT_HOME",
  },
  {
    key: "http.host",
    value: "127.0.0.1",
    origin: "default",
    description: "Address to listen on.",
    env: "HOMEOSTAT_HTTP_HOST",
  },
  {
    key: "http.port",
    value: 7717,
    origin: "environment",
    description: "Port to listen on.",
    env: "HOMEOSTAT_PORT",
  },
  {
    key: "http.bodyLimitBytes",
    value: 16_777_216,
    origin: "default",
    description: "Largest request body.",
    env: "HOMEOSTAT_HTTP_BODY_LIMIT_BYTES",
  },
  {
    key: "token",
    value: "********",
    origin: "file",
    description: "Admin token; empty makes one.",
    env: "HOMEOSTAT_TOKEN",
  },
  {
    key: "worker.slots",
    value: 4,
    origin: "homeostat.yaml:8",
    description: "Runs worked on at the same time.",
    env: "HOMEOSTAT_WORKER_SLOTS",
  },
  {
    key: "roots",
    value: ["workspace"],
    origin: "default",
    description: "Named folders that policy may grant.",
    env: "HOMEOSTAT_ROOTS",
  },
];
