import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TRANSPORT_KINDS } from "@ostrom/execution";
import { createIdentity, IDENTITY_KINDS, shortPeerId } from "@ostrom/network";
import { isBootstrapAddress, parseBootstrap } from "./discovery-configuration.ts";
import { createLog } from "./log.ts";
import {
  CONSENSUS_KEY_FILE,
  KEYS_FOLDER,
  readSecrets,
  TRANSPORT_IDENTITY_FILE,
  writeSecret,
} from "./node-keys.ts";
import { validatorSecret } from "./testing/simulated-genesis.ts";

test("identities: genesis names the kinds that links have", () => {
  assert.deepEqual([...TRANSPORT_KINDS].sort(), [...IDENTITY_KINDS].sort());
});

for (const kind of IDENTITY_KINDS) {
  const identity = createIdentity(kind);

  test(`identities of ${kind}: a node whose key is of another kind than genesis names does not start`, (context) => {
    const folder = mkdtempSync(join(tmpdir(), "ostrom-identities-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const keys = join(folder, KEYS_FOLDER);
    mkdirSync(keys);
    writeSecret(join(keys, TRANSPORT_IDENTITY_FILE), identity.privateKeyPem + identity.certificatePem);
    writeSecret(join(keys, CONSENSUS_KEY_FILE), Buffer.from(validatorSecret(1)).toString("hex"));
    for (const asked of IDENTITY_KINDS) {
      const read = readSecrets(folder, asked);
      assert.equal(read.ok, asked === kind);
      if (!read.ok) assert.match(read.error.message, new RegExp(`transport.pem: expected a key of ${asked}`));
    }
  });

  test(`identities of ${kind}: peers are named by them where a node begins to look for others, and in logs`, () => {
    const text = `${identity.peerId}@[2a00::1]:30310`;
    assert.ok(isBootstrapAddress(text));
    assert.deepEqual(parseBootstrap([text]), [{ host: "2a00::1", port: 30_310, peerId: identity.peerId }]);
    const lines: string[] = [];
    const log = createLog(
      (line) => lines.push(line),
      "node",
      { logLevel: "info", logFormat: "json" },
      () => 0,
    );
    log("info", "link up", { peerId: identity.peerId });
    assert.equal(JSON.parse(lines[0]!).fields.peerId, shortPeerId(identity.peerId));
    assert.ok(lines[0]!.length < 300);
  });
}
