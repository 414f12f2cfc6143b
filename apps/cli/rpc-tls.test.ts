import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasOpenssl } from "./testing/certificate-authority.ts";
import { runCli } from "./testing/cli-process.ts";
import { createTestNetwork } from "./testing/test-network.ts";

const skip = hasOpenssl() ? false : "the openssl command, which makes the test's certificate, is not here";

test("a node with a certificate answers https to who trusts it, http to its own machine, and keeps its key to itself", {
  skip,
}, async (context) => {
  const network = await createTestNetwork({ validators: 1 });
  context.after(() => network.dispose());
  const [key, certificate] = [join(network.directory, "rpc.key"), join(network.directory, "rpc.crt")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=node", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", ...curve, ...names, ...files], { stdio: "ignore" });
  const flags = ["--rpc-certificate", certificate, "--rpc-key", key];
  chmodSync(key, 0o644);
  await assert.rejects(network.start(0, flags), /rpc\.key can be read by others/);
  chmodSync(key, 0o600);
  await network.start(0, flags);
  const plain = network.urls[0]!;
  const secure = plain.replace("http:", "https:");
  const send = (url: string, environment: Readonly<Record<string, string>>): ReturnType<typeof runCli> =>
    runCli(["send", "--rpc", url, "--to", `0x${"42".repeat(20)}`, "--value", "1"], { environment });
  const trusting = await send(secure, { NODE_EXTRA_CA_CERTS: certificate });
  assert.equal(trusting.code, 0, trusting.stderr);
  assert.match((await send(secure, {})).stderr, /certificate that is not trusted here.*NODE_EXTRA_CA_CERTS/);
  assert.equal((await send(plain, {})).code, 0);
});
