import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { createHttpGetTool, createHttpRequestTool } from "./http-fetch.ts";
import { createTestPlace, perform } from "./testing-context.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** A server for `site.invalid` with a certificate made for this test. */
async function createSecureSite(listener: RequestListener): Promise<{ port: number; certificate: string }> {
  const { outside } = await createTestPlace();
  const [key, cert] = [join(outside, "key.pem"), join(outside, "cert.pem")];
  const subject = ["-subj", "/CN=site.invalid", "-addext", "subjectAltName=DNS:site.invalid"];
  const form = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...form, "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, certificate: readFileSync(cert, "utf8") };
}

test.skipIf(!hasOpenssl)(
  "https is verified against the name, and never downgraded by a redirect",
  async () => {
    const site = await createSecureSite((request, response) => {
      if (request.url === "/down") response.writeHead(302, { location: "http://site.invalid/" }).end();
      else response.end(`hello ${request.headers.host}`);
    });
    const deps = {
      allowedHosts: ["*"],
      allowPrivate: [`127.0.0.1:${site.port}`],
      isOwnListener: () => false,
      resolveHost: async () => ["127.0.0.1"],
    };
    const { context } = await createTestPlace();
    const get = createHttpGetTool(deps);
    const url = `https://site.invalid:${site.port}`;

    await expect(perform(get, { url }, context)).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { transient: false, didNotHappen: true },
    });
    // Refused in the handshake: the server has not seen the request, so nothing is in doubt.
    await expect(perform(createHttpRequestTool(deps), { url }, context)).rejects.toMatchObject({
      data: { transient: false, didNotHappen: true },
    });

    const trusted = getCACertificates();
    setDefaultCACertificates([...trusted, site.certificate]);
    onTestFinished(() => setDefaultCACertificates(trusted));
    const { output } = await perform(get, { url, as: "text" }, context);
    expect(output).toMatchObject({ body: `hello site.invalid:${site.port}` });
    await expect(perform(get, { url: `${url}/down` }, context)).rejects.toMatchObject({
      code: "ACTION_DENIED",
    });
    await expect(
      perform(get, { url: url.replace("site.invalid", "other.invalid") }, context),
    ).rejects.toMatchObject({ data: { errno: "ERR_TLS_CERT_ALTNAME_INVALID" } });
  },
);
