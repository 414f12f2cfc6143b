import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch, type Hash, Height, toHex, unwrap } from "@ostrom/base";
import {
  type CheckpointSet,
  type CheckpointStatement,
  checkpointKeyHash,
  checkpointSetHash,
  checkpointSigningBytes,
  encodeCheckpointCertificate,
  encodeCheckpointSet,
  formCheckpointCertificate,
} from "@ostrom/consensus";
import { bls, SCHEME_ML_DSA_44, validatorScheme } from "@ostrom/crypto";
import { createGenesis, encodeHeader, formatGenesis, genesisBlock, hashHeader } from "@ostrom/execution";
import {
  checkpointsOfGenesis,
  checkpointToStart,
  type LightServer,
  takeCheckpoint,
  verifyCheckpoints,
} from "./index.ts";

const VALIDATORS = 4;
const EPOCH_LENGTH = 10;
const scheme = validatorScheme(SCHEME_ML_DSA_44)!;
const secretOf = (seed: number): Bytes => new Uint8Array(32).fill(seed);
const hash = (byte: number): Hash => new Uint8Array(32).fill(byte) as Hash;

/** A genesis whose validators have checkpoint keys, and what honest or other servers would say of its epochs. */
const GENESIS = createGenesis({
  profile: "dev",
  chainId: 5n,
  timestampMs: 1_700_000_000_000,
  epochLength: EPOCH_LENGTH,
  accounts: [],
  checkpointKeys: Array.from({ length: VALIDATORS }, (_, index) =>
    checkpointKeyHash(scheme.publicKey(secretOf(1 + index))),
  ),
  validators: Array.from({ length: VALIDATORS }, (_, index) => ({
    name: `validator-${index}`,
    address: new Uint8Array(20).fill(index + 1) as never,
    weight: 1 as never,
    consensusKey: bls().publicKey(hash(index + 1)),
    proofOfPossession: bls().provePossession(hash(index + 1)),
    transportKey: hash(index + 1),
    host: "127.0.0.1",
    port: 30_000 + index,
  })),
});
const JSON_TEXT: unknown = JSON.parse(JSON.stringify(formatGenesis(GENESIS)));
const start = unwrap(checkpointsOfGenesis(JSON_TEXT));
const { domain, rules } = start.chain;
const genesisHeader = genesisBlock(GENESIS, hash(1)).header;

type Claim = {
  readonly keys?: readonly number[];
  readonly signer?: CheckpointSet;
  readonly next?: CheckpointSet;
};

const setOf = (epoch: number): CheckpointSet => ({ ...start.trust.set, epoch: Epoch(epoch) });

/** @param keys whose secrets sign. @param signer the set that certifies. @param next the set that is shown. */
function answer(epoch: number, { keys = [1, 2, 3], signer = setOf(epoch), next }: Claim = {}) {
  const height = (epoch + 1) * EPOCH_LENGTH;
  const header = { ...genesisHeader, number: height };
  const statement: CheckpointStatement = {
    epoch: Epoch(epoch),
    height: Height(height),
    executedHash: hashHeader(header, rules.hashId),
    nextSetHash: hash(8),
    nextCheckpointSetHash: checkpointSetHash(domain, setOf(epoch + 1)),
  };
  const signatures = keys.map((seed) => ({
    publicKey: scheme.publicKey(secretOf(seed)),
    signature: scheme.sign(secretOf(seed), checkpointSigningBytes(domain, statement)),
  }));
  const certificate = formCheckpointCertificate(signer, statement, signatures);
  return {
    status: "certified",
    certificate: certificate === undefined ? null : toHex(encodeCheckpointCertificate(certificate)),
    nextSet: toHex(encodeCheckpointSet(next ?? setOf(epoch + 1))),
    header: toHex(encodeHeader(header)),
  };
}

const NONE = { status: "missing", certificate: null, nextSet: null, header: null };

const serverOf = (answers: readonly unknown[]): LightServer => ({
  name: "a server of the test",
  ask: (calls) =>
    Promise.resolve(
      calls.map(({ params: [epoch] }) => ({ ok: true, value: answers[Number(epoch)] ?? null }) as const),
    ),
});

const codeOf = (result: { readonly ok: boolean; readonly error?: { readonly code: string } }): string =>
  result.ok ? "" : (result.error?.code ?? "?");

test("checkpoints lead from genesis to the newest, past epochs that have none, and a client may begin there", async () => {
  const answers = [answer(0), answer(1), NONE, answer(3, { signer: setOf(2) }), answer(4)];
  const known = unwrap(await verifyCheckpoints(JSON_TEXT, serverOf(answers)));
  assert.deepEqual(
    known.proved.map(({ epoch }) => epoch),
    [0, 1, 3, 4],
  );
  assert.deepEqual(known.missing, [2]);
  assert.equal(known.proved.at(-1)!.header.number, 50);
  const begin = checkpointToStart(known)!;
  assert.deepEqual([begin.height, begin.setHash], [50, hash(8)]);
});

test("a genesis without checkpoint keys has nothing to verify", () => {
  const { checkpointKeys: _keys, ...older } = JSON_TEXT as Record<string, unknown>;
  assert.equal(codeOf(checkpointsOfGenesis(older)), "light/wrong-chain");
});

test("what a server forges is refused, each by its code", () => {
  const good = answer(0);
  const code = (claim: unknown): string => codeOf(takeCheckpoint(start, claim));
  assert.equal(code(good), "");
  assert.equal(code({ ...good, header: answer(1).header }), "light/wrong-header");
  assert.equal(code({ ...good, nextSet: answer(1).nextSet }), "checkpoint/set");
  assert.equal(code({ ...good, certificate: `${good.certificate}00` }), "light/malformed");
  assert.equal(code(answer(1)), "checkpoint/epoch", "by a set that nothing has named");
  const thieves: CheckpointSet = {
    epoch: Epoch(0),
    members: start.trust.set.members.map((member, index) => ({
      ...member,
      keyHash: checkpointKeyHash(scheme.publicKey(secretOf(20 + index))),
    })),
  };
  assert.equal(code(answer(0, { keys: [20, 21, 22], signer: thieves })), "checkpoint/key");
  const light: CheckpointSet = { epoch: Epoch(0), members: start.trust.set.members.slice(0, 2) };
  assert.equal(code(answer(0, { keys: [1, 2], signer: light })), "checkpoint/weight");
  const first = unwrap(takeCheckpoint(start, good));
  assert.equal(codeOf(takeCheckpoint(first, good)), "checkpoint/epoch", "the same again");
});
