/** What lies in deploy/ fits together and fits the program: every setting exists, every reference has something at its end. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { describeConfig, loadConfig } from "../../packages/server/src/config/config.ts";
import { parsePolicy } from "../../packages/server/src/policy/file/policy-file.ts";
import { renderChart } from "./render-chart.fixture.ts";

const repository = join(import.meta.dirname, "../..");
const deploy = join(repository, "deploy");
const read = (name: string): string => readFileSync(join(deploy, name), "utf8");

/** Names that the program knows; secrets may also come from a file. */
const known = new Set(describeConfig().flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])));

function expectKnown(environment: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(environment).filter((name) => name.startsWith("HOMEOSTAT_"));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
}

const filled: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: "p",
  REDIS_PASSWORD: "r",
  S3_USER: "homeostat",
  S3_PASSWORD: "s",
  HOMEOSTAT_TOKEN: `hst_${"t".repeat(43)}`,
  BACKUP_PASSPHRASE: "correct horse battery",
};

/** As Compose does it: `${NAME:?}` must be given, `${NAME:-default}` need not. */
function substitute(text: string): string {
  return text.replaceAll(
    /(?<!\$)\$\{(\w+):([?-])([^}]*)\}/g,
    (_, name: string, kind: string, other: string) => {
      const value = filled[name] ?? (kind === "-" ? other : undefined);
      if (value === undefined) throw new Error(`${name} is not in compose.env.example`);
      return value;
    },
  );
}

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: object;
}

describe("the Compose file", () => {
  let compose: Compose;
  beforeAll(() => {
    compose = parse(substitute(read("compose.yaml")), { merge: true }) as Compose;
  });

  test.each(["gateway", "worker"])("starts a %s with settings that the program takes", (role) => {
    const service = compose.services[role]!;
    expectKnown(service.environment!);
    const { config } = loadConfig({ role: service.command![2], home: "/data" }, service.environment!);
    expect(service.command).toEqual(["up", "--role", role]);
    expect(config).toMatchObject({ role, databaseUrl: "postgres://homeostat:p@postgres:5432/homeostat" });
    expect(config.blobs.url).toContain("s3://homeostat/blobs");
    expect(service).toMatchObject({ user: "10001:10001", read_only: true, cap_drop: ["ALL"] });
  });

  test("names only services, volumes, networks and files that are there, and images by version", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      const needed = service.depends_on ?? [];
      for (const other of Array.isArray(needed) ? needed : Object.keys(needed))
        expect(compose.services, `${name} needs ${other}`).toHaveProperty(other);
      for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty(network);
      for (const volume of service.volumes ?? []) {
        const [source = ""] = volume.split(":");
        if (source.startsWith("./")) expect(existsSync(join(deploy, source)), source).toBe(true);
        else expect(compose.volumes).toHaveProperty(source);
      }
      expect(service.image, name).toMatch(/:(?!latest).+/);
      for (const port of service.ports ?? []) expect(port, "only this machine").toMatch(/^127\.0\.0\.1:/);
    }
  });

  test("keeps keys and ledger on volumes, and lets nobody but the proxy be reached from outside", () => {
    const { gateway, worker, proxy } = compose.services;
    expect(gateway!.volumes).toContain("ledger:/data/ledger");
    for (const service of [gateway!, worker!]) expect(service.volumes).toContain("keys:/data/keys");
    expect(Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined)).toEqual([
      ["proxy", proxy],
    ]);
    expect(compose.networks).toMatchObject({ back: { internal: true } });
  });

  test("comes with an example of every variable that must be set, and with a policy that is valid", () => {
    const example = read("compose.env.example");
    const wanted = [...read("compose.yaml").matchAll(/\$\{(\w+):\?\}/g)].map(([, name]) => name);
    for (const name of wanted) expect(example).toMatch(new RegExp(`^${name}=`, "m"));
    expect(parsePolicy(read("policy.yaml")).ok).toBe(true);
  });
});

describe("the Dockerfile", () => {
  const text = read("Dockerfile");
  const stages = text.split(/^FROM /m).slice(1);

  test("copies only what is there, and ends as a user without rights", () => {
    for (const [, sources = ""] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(" "))
        expect(existsSync(join(repository, source)), source).toBe(true);
    }
    expect(stages.at(-1)).toMatch(/^USER 10001:10001$/m);
    for (const stage of stages) expect(stage).toMatch(/^node:\d+\.\d+\.\d+-/);
  });

  test("sets only variables that the program knows, and starts the file that is the program", () => {
    const names = [...text.matchAll(/HOMEOSTAT_\w+(?==)/g)].map(([name]) => [name, ""]);
    expectKnown(Object.fromEntries(names));
    const [, program = ""] = /"node", "\/app\/([^"]+)"/.exec(text) ?? [];
    expect(existsSync(join(repository, program))).toBe(true);
    const { node } = (
      JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
        devDependencies: { node: string };
      }
    ).devDependencies;
    expect(stages[0]).toContain(`node:${node}-`);
  });

  test("sends the builder everything that it copies", () => {
    const sent = read("Dockerfile.dockerignore");
    for (const [, sources = ""] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const source of sources.split(" ")) expect(sent).toContain(`!${source.split("/")[0]}`);
  });
});

describe("the systemd unit", () => {
  test("starts the program with settings it knows and more time to stop than it takes", () => {
    const unit = read("homeostat.service");
    const line = /^Environment=(.+)$/m.exec(unit)![1]!;
    const environment = Object.fromEntries(
      line.split(" ").map((each) => each.split("=") as [string, string]),
    );
    expectKnown(environment);
    const { config } = loadConfig({}, environment);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1])).toBeGreaterThan(config.http.stopSeconds);
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \S+packages\/server\/homeostat\.js up$/m);
  });
});

interface Container {
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly args: readonly string[];
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly livenessProbe: { readonly httpGet: { readonly port: string } };
  readonly readinessProbe: { readonly httpGet: { readonly port: string } };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  // Whatever a kind has: these tests look at single fields of many shapes.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly spec: any;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

const secret = {
  databaseUrl: "postgres://homeostat:p@db/homeostat",
  redisUrl: "redis://:r@redis:6379/0",
  token: `hst_${"t".repeat(43)}`,
  masterKey: "0".repeat(64),
  secretsPassphrase: "correct horse battery",
  backupPassphrase: "correct horse battery",
  s3AccessKeyId: "key",
  s3SecretAccessKey: "s",
};
const blobs = { url: "s3://my-bucket/homeostat?region=eu-central-1", useKeys: true };
const variants: Readonly<Record<string, object>> = {
  plain: { secret },
  "with a bucket": { secret, blobs },
  "without Redis and isolation": {
    secret,
    redis: { enabled: false },
    worker: { isolation: "none", autoscaling: { enabled: false } },
  },
  "with everything": {
    existingSecret: "mine",
    blobs,
    backup: { enabled: true, existingClaim: "backups" },
    ingress: { enabled: true, tlsSecret: "tls", className: "nginx", annotations: { a: "b" } },
    persistence: { existingClaim: "theirs", storageClass: "fast" },
    settings: { HOMEOSTAT_RETENTION_COMPLETED_DAYS: "30" },
    image: { pullSecrets: [{ name: "registry" }] },
    gateway: {
      allowedHosts: ["a.example.org"],
      publicOrigins: ["https://a.example.org"],
      podAnnotations: { x: "y" },
      nodeSelector: { z: "1" },
      tolerations: [{ key: "k" }],
    },
    worker: { podAnnotations: { x: "y" }, nodeSelector: { z: "1" }, tolerations: [{ key: "k" }] },
    networkPolicy: { workerEgress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
  },
};

describe.each(Object.entries(variants))("the Helm chart, %s", (name, values) => {
  const chart = join(deploy, "helm/homeostat");
  let documents: readonly Manifest[];
  const find = (kind: string, end = ""): Manifest | undefined =>
    documents.find((each) => each.kind === kind && each.metadata.name.endsWith(end));
  const container = (role: string): Container =>
    find("Deployment", role)!.spec.template.spec.containers[0] as Container;
  beforeAll(() => {
    documents = renderChart({ chart, values }) as readonly Manifest[];
  });

  test.each(["gateway", "worker"])("starts %ss with settings that the program takes", (role) => {
    const { env, args } = container(role);
    const texts = Object.fromEntries(
      env.map(({ name: each, value, valueFrom }) => [
        each,
        value ?? secretValue(valueFrom!.secretKeyRef.key),
      ]),
    );
    expect(new Set(env.map((each) => each.name)).size).toBe(env.length);
    expectKnown(texts);
    const { config } = loadConfig({ role: args[2], home: "/data" }, texts);
    expect(config.role).toBe(role);
    expect(config.blobs.url).toBe(name === "plain" || name.startsWith("without") ? undefined : blobs.url);
  });

  function secretValue(key: string): string {
    const byKey: Readonly<Record<string, string>> = {
      "database-url": secret.databaseUrl,
      "redis-url": secret.redisUrl,
      token: secret.token,
      "master-key": secret.masterKey,
      "secrets-passphrase": secret.secretsPassphrase,
      "backup-passphrase": secret.backupPassphrase,
      "s3-access-key-id": secret.s3AccessKeyId,
      "s3-secret-access-key": secret.s3SecretAccessKey,
    };
    const own = find("Secret");
    if (own !== undefined) expect(own.stringData).toHaveProperty(key);
    return byKey[key]!;
  }

  test.each(["gateway", "worker"])("%ss refer to nothing that is not there", (role) => {
    const { spec } = find("Deployment", role)!;
    const pod = spec.template.spec;
    const { volumeMounts, ports, livenessProbe, readinessProbe, env } = container(role);
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    const volumes = new Map((pod.volumes as { name: string }[]).map((volume) => [volume.name, volume]));
    for (const mount of volumeMounts) expect(volumes.has(mount.name), mount.name).toBe(true);
    for (const volume of volumes.keys())
      expect(
        volumeMounts.some((mount) => mount.name === volume),
        volume,
      ).toBe(true);
    for (const probe of [livenessProbe, readinessProbe])
      expect(ports.map((port) => port.name)).toContain(probe.httpGet.port);
    const claim = (volumes.get("shared") as unknown as { persistentVolumeClaim: { claimName: string } })
      .persistentVolumeClaim.claimName;
    expect(claim).toBe(find("PersistentVolumeClaim")?.metadata.name ?? "theirs");
    for (const { valueFrom } of env)
      if (valueFrom !== undefined)
        expect(valueFrom.secretKeyRef.name).toBe(find("Secret")?.metadata.name ?? "mine");
    expect(find("ConfigMap", "policy")!.data).toHaveProperty("policy.yaml");
    expect(pod.serviceAccountName).toBe(find("ServiceAccount")!.metadata.name);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(
      loadConfig({ home: "/data" }, {}).config.http.stopSeconds,
    );
  });

  test("gives pods no rights, and lets bubblewrap live only in workers that are to have it", () => {
    for (const role of ["gateway", "worker"]) {
      expect(container(role).securityContext).toMatchObject({
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      });
      const pod = find("Deployment", role)!.spec.template.spec;
      const isOpen = role === "worker" && !name.startsWith("without");
      expect(pod.securityContext.seccompProfile.type).toBe(isOpen ? "Unconfined" : "RuntimeDefault");
      expect(pod.hostUsers).toBe(isOpen ? false : undefined);
      expect(pod.automountServiceAccountToken).toBe(false);
    }
  });

  test("its other parts select the pods that are meant", () => {
    const labelsOf = (role: string): object =>
      find("Deployment", role)!.spec.template.metadata.labels as object;
    expect(labelsOf("gateway")).toMatchObject(find("Service")!.spec.selector as object);
    for (const budget of documents.filter(
      ({ kind }) => kind === "PodDisruptionBudget" || kind === "NetworkPolicy",
    )) {
      const role = budget.metadata.name.split("-").at(-1)!;
      const selector = budget.spec.selector ?? budget.spec.podSelector;
      expect(labelsOf(role)).toMatchObject(selector.matchLabels as object);
    }
    const scaler = find("HorizontalPodAutoscaler");
    const worker = find("Deployment", "worker")!;
    if (scaler === undefined) expect(worker.spec.replicas).toBe(2);
    else {
      expect(scaler.spec.scaleTargetRef.name).toBe(worker.metadata.name);
      // Else each upgrade would undo what the scaler did.
      expect(worker.spec.replicas).toBeUndefined();
    }
    const ingress = find("Ingress");
    if (ingress !== undefined) {
      const { host, http } = ingress.spec.rules[0];
      expect(http.paths[0].backend.service.name).toBe(find("Service")!.metadata.name);
      const hosts = container("gateway").env.find(
        (each) => each.name === "HOMEOSTAT_HTTP_ALLOWED_HOSTS",
      )!.value!;
      expect(hosts.split(",")).toEqual(
        expect.arrayContaining([host, "a.example.org", "demo-gateway"]) as string[],
      );
    }
  });
});

describe("the Helm chart's values", () => {
  const chart = join(deploy, "helm/homeostat");
  const schema = JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")) as object;
  // Fastify brings it along.
  const Ajv = createRequire(import.meta.url)("ajv") as new (options: object) => {
    compile(schema: object): (data: unknown) => boolean;
  };
  const accepts = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const defaults = parse(readFileSync(join(chart, "values.yaml"), "utf8")) as Record<string, unknown>;

  test("are taken by their schema, and mistakes are not", () => {
    expect(accepts(defaults)).toBe(true);
    for (const values of Object.values(variants)) expect(accepts(values)).toBe(true);
    for (const wrong of [
      { gatway: {} },
      { worker: { isolation: "docker" } },
      { secret: { masterKey: "short" } },
      { settings: { HOMEOSTAT_PORT: 1 } },
      { settings: { homeostat_port: "1" } },
      { blobs: { url: "http://minio" } },
    ])
      expect(accepts(wrong), JSON.stringify(wrong)).toBe(false);
  });

  test("say what is missing instead of starting half", () => {
    expect(() => renderChart({ chart })).toThrow("secret.databaseUrl or existingSecret must be given");
    expect(() =>
      renderChart({ chart, values: { existingSecret: "mine", backup: { enabled: true } } }),
    ).toThrow("backup.existingClaim");
    expect(parsePolicy(defaults["policy"] as string).ok).toBe(true);
  });
});
