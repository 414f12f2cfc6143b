import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Epoch, type Hash, Height, toHexDigits, unwrap } from "@ostrom/base";
import {
  type CheckpointStatement,
  type CheckpointTrust,
  checkpointSigningBytes,
  decodeCheckpointCertificate,
  decodeCheckpointEvidence,
  encodeMessage,
  extendCheckpointTrust,
  type Message,
  verifyCheckpointEvidence,
} from "@ostrom/consensus";
import { SCHEME_BLS12381 } from "@ostrom/crypto";
import {
  readCheckpoint,
  readCheckpointEvidence,
  readHeader,
  readNewestCheckpoint,
  type Store,
} from "@ostrom/storage";
import { CheckpointGuard } from "./checkpoint-guard.ts";
import { writeCheckpointKey } from "./checkpoint-keys.ts";
import { storedCheckpointSet } from "./checkpoint-sets.ts";
import { type ConsensusSecret, createConsensusSecret, formatConsensusSecret } from "./consensus-secret.ts";
import type { ConsensusKey } from "./epoch-sets.ts";
import { replayJournal } from "./journal-records.ts";
import { machineEntropy } from "./machine.ts";
import { remoteCheckpointKeys, useRemoteSigner } from "./remote-signer.ts";
import { type RemoteSignerServer, startRemoteSigner } from "./remote-signer-server.ts";
import {
  checkpointKeyOf,
  checkpointSecretOf,
  EpochNetwork,
  type EpochNetworkOptions,
  peerIdOf,
} from "./testing/epoch-network.ts";

const NODES = 4;
const EPOCH_LENGTH = 6;
const SIGNER_WAIT_MS = 60_000;
const TOKEN = "a token of the test";
const hash = (byte: number): Hash => new Uint8Array(32).fill(byte) as Hash;

function network(options: Partial<EpochNetworkOptions> = {}): EpochNetwork {
  return new EpochNetwork({
    nodes: NODES,
    epochLength: EPOCH_LENGTH,
    epochLead: 2,
    setOf: () => [0, 1, 2, 3].map((node) => ({ node })),
    hasCheckpoints: true,
    ...options,
  });
}

function newest(store: Store): number {
  return readNewestCheckpoint(store) ?? -1;
}

/** Time of the machine passes too: the signer answers over a socket. */
async function until(net: EpochNetwork, isDone: () => boolean): Promise<boolean> {
  const deadline = performance.now() + SIGNER_WAIT_MS;
  while (!isDone() && performance.now() < deadline) {
    await net.until(isDone, 20);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return isDone();
}

type TestSigner = {
  readonly keys: readonly ConsensusKey[];
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly dispose: () => Promise<void>;
};

/** A signer as `ostrom signer` starts it, with one checkpoint key; a node's link to it. */
async function startSigner(secret: ConsensusSecret): Promise<TestSigner> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-signer-"));
  mkdirSync(join(folder, "node", "keys"), { recursive: true });
  mkdirSync(join(folder, "keys"));
  const consensus = createConsensusSecret(SCHEME_BLS12381, machineEntropy.bytes);
  writeFileSync(join(folder, "keys", "consensus.key"), formatConsensusSecret(consensus), { mode: 0o600 });
  writeCheckpointKey(folder, secret);
  let server: RemoteSignerServer;
  let port = 0;
  const start = async (isFirst: boolean): Promise<void> => {
    const place = { folder, host: "127.0.0.1", port, token: TOKEN, isFirst };
    server = unwrap(await startRemoteSigner({ ...place, log: () => undefined }));
    port = server.port;
  };
  await start(true);
  const reached = { url: `http://127.0.0.1:${port}`, token: TOKEN, certificate: "" };
  const settings = unwrap(await useRemoteSigner(join(folder, "node"), reached));
  return {
    keys: remoteCheckpointKeys(settings, () => undefined),
    start: () => start(false),
    stop: () => server.stop(),
    dispose: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Walks the stored certificates from genesis. @returns the epochs that they prove. */
function walk({ domain, nodes }: EpochNetwork, index: number): readonly number[] {
  const { store } = nodes[index]!;
  let trust: CheckpointTrust = { set: storedCheckpointSet(store, 0)!, newest: undefined };
  const epochs: number[] = [];
  for (let epoch = 0; epoch <= newest(store); epoch++) {
    const bytes = readCheckpoint(store, epoch);
    if (bytes === undefined) continue;
    const certificate = unwrap(decodeCheckpointCertificate(bytes));
    const next = storedCheckpointSet(store, epoch + 1)!;
    trust = unwrap(extendCheckpointTrust(domain, trust, certificate, next, EPOCH_LENGTH));
    assert.deepEqual(
      certificate.statement.executedHash,
      readHeader(store, certificate.statement.height)?.hash,
    );
    epochs.push(epoch);
  }
  return epochs;
}

test("each epoch gets a checkpoint, on every node, and together they lead from genesis to the newest", async () => {
  const net = network();
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => net.nodes.every(({ store }) => newest(store) >= 2)), net.describe());
  for (let index = 0; index < NODES; index++) assert.deepEqual(walk(net, index).slice(0, 3), [0, 1, 2]);
});

test("with one third silent epochs go on without checkpoints, loudly; a later one stands for them when it is back", async () => {
  const net = network();
  for (const silent of [2, 3]) net.nodes[silent]!.signsCheckpoints = false;
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => net.height(0) > 3 * EPOCH_LENGTH), net.describe());
  assert.equal(newest(net.nodes[0]!.store), -1, "two of four are no quorum");
  const lines = net.nodes[0]!.lines.map(({ message }) => message);
  assert.ok(lines.includes("an epoch has no checkpoint yet"), "it is said");

  for (const back of [2, 3]) net.nodes[back]!.signsCheckpoints = true;
  assert.ok(await net.until(() => net.nodes.every(({ store }) => newest(store) >= 3)), net.describe());
  const proved = walk(net, 0);
  assert.ok(proved.length > 0 && proved.at(-1)! >= 3, JSON.stringify(proved));
});

test("when half of the validators change keys and register nothing, the set before them certifies on, across a restart", async () => {
  const changed = (epoch: number): boolean => epoch === 2 || epoch === 3;
  const net = network({
    setOf: (epoch) => [0, 1, 2, 3].map((node) => ({ node, key: changed(epoch) && node >= 2 ? 1 : 0 })),
  });
  for (const index of [2, 3]) net.nodes[index]!.keys.push(1);
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => newest(net.nodes[0]!.store) >= 1), net.describe());
  net.stop(0);
  await net.start(0);
  assert.ok(await net.until(() => net.nodes.every(({ store }) => newest(store) >= 5)), net.describe());
  for (let index = 0; index < NODES; index++)
    assert.deepEqual(walk(net, index).slice(0, 6), [0, 1, 2, 3, 4, 5], net.describe());
  const third = unwrap(decodeCheckpointCertificate(readCheckpoint(net.nodes[1]!.store, 3)!));
  assert.equal(third.setEpoch, 1, "the last set that could");
});

test("a chain of suite sm has them too: its blocks and sets are named by SM3, its sets vote by SM2", async () => {
  const net = network({ isSm: true });
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => net.nodes.every(({ store }) => newest(store) >= 2)), net.describe());
  assert.deepEqual(walk(net, 3).slice(0, 3), [0, 1, 2]);
});

test("a key that a remote signer holds signs on a live node, also what waited while the signer was away", async () => {
  const net = network();
  // Without node 1, whose key is elsewhere, the others are no quorum.
  net.nodes[3]!.signsCheckpoints = false;
  const signer = await startSigner(checkpointSecretOf(1));
  net.nodes[1]!.checkpointKeys = signer.keys;
  try {
    await net.start(0, 1, 2, 3);
    assert.ok(await until(net, () => newest(net.nodes[0]!.store) >= 1), net.describe());
    await signer.stop();
    const before = newest(net.nodes[0]!.store);
    const goal = net.height(0) + 3 * EPOCH_LENGTH;
    assert.ok(await net.until(() => net.height(0) > goal), net.describe());
    assert.ok(newest(net.nodes[0]!.store) <= before + 1, "nobody else signs for it");
    await signer.start();
    const isBack = (): boolean => net.nodes.every(({ store }) => newest(store) >= before + 3);
    assert.ok(await until(net, isBack), net.describe());
    assert.equal(walk(net, 2).at(-1), newest(net.nodes[2]!.store));
  } finally {
    for (const index of net.nodes.keys()) net.stop(index);
    await signer.dispose();
  }
});

test("a validator that crashes signs again, the same and nothing else; one that was away fetches what it missed", async () => {
  const net = network();
  const said = new Map<string, Set<string>>();
  net.onSent = (from, _to, message) => {
    if (message.kind !== "checkpoint-votes" || message.votes.signatures.length > 1) return true;
    const name = `${from}:${message.votes.statement.epoch}`;
    const digests = said.get(name) ?? new Set();
    said.set(name, digests.add(toHexDigits(checkpointSigningBytes(net.domain, message.votes.statement))));
    // The first checkpoint is not heard by anybody before the crash.
    return message.votes.statement.epoch !== 0 || net.height(0) > 2 * EPOCH_LENGTH;
  };
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => said.has("1:0")), net.describe());
  net.stop(1);
  assert.ok(replayJournal(net.nodes[1]!.log.durable).checkpoints.size > 0, "what was sent is in the log");
  assert.ok(await net.until(() => net.height(0) > 2 * EPOCH_LENGTH), net.describe());
  await net.start(1);
  assert.ok(await net.until(() => net.nodes.every(({ store }) => newest(store) >= 2)), net.describe());
  for (const [name, digests] of said) assert.equal(digests.size, 1, `${name} said two things`);
  const proved = walk(net, 1);
  assert.ok(proved.length > 0, "its certificates lead from genesis");
});

test("a key never signs a second statement about an epoch, whatever the log has been through", () => {
  const { publicKey } = checkpointKeyOf(0);
  const guard = new CheckpointGuard(new Map());
  const record = guard.promise(publicKey, 7, hash(1));
  assert.ok(record !== undefined);
  assert.equal(guard.promise(publicKey, 7, hash(1)), undefined, "the same may be signed again");
  assert.throws(() => guard.promise(publicKey, 7, hash(2)), { name: "CheckpointRefusal" });
  const again = new CheckpointGuard(
    replayJournal([Uint8Array.of(4), record, ...guard.records()]).checkpoints,
  );
  assert.throws(() => again.promise(publicKey, 7, hash(2)), { name: "CheckpointRefusal" });
  assert.ok(again.promise(checkpointKeyOf(1).publicKey, 7, hash(2)) !== undefined, "another key is free");
  again.promise(publicKey, 5_000, hash(1));
  assert.throws(() => again.promise(publicKey, 7, hash(1)) ?? again.promise(publicKey, 8, hash(1)), {
    name: "CheckpointRefusal",
  });
});

test("a second statement of a validator is stored as evidence; a wrong signature is punished; neither counts", async () => {
  const net = network();
  await net.start(0, 1, 2, 3);
  assert.ok(await net.until(() => newest(net.nodes[0]!.store) >= 0), net.describe());
  const { store, core } = net.nodes[0]!;
  const { statement } = unwrap(decodeCheckpointCertificate(readCheckpoint(store, 0)!));
  const hear = (said: CheckpointStatement, signature?: Uint8Array): void => {
    const key = checkpointKeyOf(3);
    const signed = {
      publicKey: key.publicKey,
      signature: signature ?? key.sign(checkpointSigningBytes(net.domain, said)),
    };
    const message: Message = { kind: "checkpoint-votes", votes: { statement: said, signatures: [signed] } };
    core!.handlers.onFrame(peerIdOf(3), "sync", encodeMessage(message));
  };
  hear(statement);
  hear({ ...statement, executedHash: hash(9) }, new Uint8Array(2420));
  assert.ok(
    await net.until(() => net.nodes[0]!.failures.some(({ code }) => code === "checkpoint/bad-signature")),
  );
  hear({ ...statement, executedHash: hash(9) });
  assert.ok(await net.until(() => readCheckpointEvidence(store, 0).length > 0), net.describe());
  const evidence = unwrap(decodeCheckpointEvidence(readCheckpointEvidence(store, 0)[0]!));
  assert.ok(verifyCheckpointEvidence(net.domain, evidence));
  hear({ ...statement, epoch: Epoch(1_000), height: Height(6_006) });
  assert.ok(await net.until(() => newest(store) >= 2), "blocks and checkpoints go on");
});
