import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRandom, toHex, toHexDigits } from "@ostrom/base";
import { genesisHash } from "@ostrom/execution";
import { readConfiguration } from "./configuration.ts";
import { publicKeyOfSecret } from "./consensus-secret.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { KEYS_FOLDER, readSecrets } from "./node-keys.ts";
import { type NetworkPlan, provisionNetwork, readGenesis } from "./provision.ts";

installNativeCrypto();

function planIn(context: TestContext, count = 2): NetworkPlan & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "ostrom-provision-"));
  context.after(() => rmSync(root, { recursive: true }));
  return {
    root,
    chainId: 77,
    profile: "dev",
    timestampMs: 1_800_000_000_000,
    balances: new Map([["0x00000000000000000000000000000000000000aa", 5n]]),
    validators: Array.from({ length: count }, (_, index) => ({
      name: `validator-${index + 1}`,
      folder: join(root, `validator-${index + 1}`),
      feeRecipient: `0x00000000000000000000000000000000000000b${index}`,
      weight: index + 1,
      link: { host: "127.0.0.1", port: 31_000 + index },
      rpc: { host: "127.0.0.1", port: 9_000 + index },
    })),
    entropy: createRandom(5).bytes,
  };
}

test("each folder is all that its validator needs, and all agree on one genesis", (context) => {
  const plan = planIn(context);
  const made = provisionNetwork(plan);
  assert.ok(made.ok);
  const hashes = plan.validators.map(({ folder, name }, index) => {
    const genesis = readGenesis(folder);
    const secrets = readSecrets(folder);
    const configuration = readConfiguration(folder);
    assert.ok(genesis.ok && secrets.ok && configuration.ok);
    const validator = genesis.value.validatorSet.validators[index]!;
    assert.equal(configuration.value.name, name);
    assert.equal(configuration.value.rpc.port, 9_000 + index);
    assert.equal(validator.weight, index + 1);
    assert.equal(
      toHex(validator.consensusKey),
      toHex(publicKeyOfSecret(secrets.value.consensusSecret!).publicKey),
    );
    assert.equal(toHexDigits(validator.transportKey), secrets.value.identity.peerId);
    return toHex(genesisHash(genesis.value));
  });
  assert.deepEqual(new Set(hashes).size, 1);
  assert.equal(hashes[0], toHex(genesisHash(made.value)));
});

test("keys are readable by their owner alone", {
  skip: process.platform === "win32" && "no such permissions",
}, (context) => {
  const plan = planIn(context, 1);
  assert.ok(provisionNetwork(plan).ok);
  const keys = join(plan.validators[0]!.folder, KEYS_FOLDER);
  assert.equal(statSync(keys).mode & 0o777, 0o700);
  for (const name of readdirSync(keys)) assert.equal(statSync(join(keys, name)).mode & 0o777, 0o600, name);
});

test("what others than the owner can read is no key", {
  skip: process.platform === "win32" && "no such permissions",
}, (context) => {
  const plan = planIn(context, 1);
  assert.ok(provisionNetwork(plan).ok);
  const { folder } = plan.validators[0]!;
  chmodSync(join(folder, KEYS_FOLDER, "consensus.key"), 0o644);
  const read = readSecrets(folder);
  assert.equal(read.ok ? "" : read.error.code, "keys/exposed");
});

test("a folder that holds a node, or a part of one, is never written over", (context) => {
  for (const name of ["node.json", "genesis.json", "keys/consensus.key"]) {
    const plan = planIn(context);
    const { folder } = plan.validators[1]!;
    mkdirSync(join(folder, KEYS_FOLDER), { recursive: true });
    writeFileSync(join(folder, name), "mine");
    const made = provisionNetwork(plan);
    assert.equal(made.ok ? "" : made.error.code, "provision/exists");
    assert.equal(readFileSync(join(folder, name), "utf8"), "mine");
    assert.deepEqual(readdirSync(plan.root), ["validator-2"], "nothing else was made");
  }
});

test("keys that are missing or broken are named, without what they hold", (context) => {
  const plan = planIn(context, 1);
  assert.ok(provisionNetwork(plan).ok);
  const { folder } = plan.validators[0]!;
  const missing = readSecrets(join(folder, "elsewhere"));
  assert.equal(missing.ok ? "" : missing.error.code, "keys/unreadable");
  for (const [name, text] of [
    ["transport.pem", "secret nonsense"],
    ["consensus.key", "0x1234secret"],
    ["consensus.key", "0x1234"],
  ] as const) {
    writeFileSync(join(folder, KEYS_FOLDER, name), text);
    const read = readSecrets(folder);
    assert.ok(!read.ok);
    assert.equal(read.error.code, "keys/invalid");
    assert.match(read.error.message, new RegExp(name));
    assert.doesNotMatch(read.error.message, /1234|nonsense/);
  }
});

test("a genesis.json that is missing or invalid is named", (context) => {
  const plan = planIn(context, 1);
  const { folder } = plan.validators[0]!;
  assert.ok(provisionNetwork(plan).ok);
  const missing = readGenesis(join(folder, "elsewhere"));
  assert.equal(missing.ok ? "" : missing.error.code, "genesis/unreadable");
  writeFileSync(join(folder, "genesis.json"), "{}");
  const invalid = readGenesis(folder);
  assert.ok(!invalid.ok);
  assert.match(invalid.error.message, /genesis\.json/);
});
