import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Height, type Result, unwrap, View, ZERO_HASH } from "@ostrom/base";
import {
  decodeEvidence,
  type Evidence,
  encodeMessage,
  executedSigningBytes,
  type Message,
  ValidatorIndex,
  type Vote,
  verifyEvidence,
  voteSigningBytes,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { createMethods } from "@ostrom/rpc";
import { simulatedSign } from "../../core/consensus/testing/signatures.ts";
import type { RequestContext } from "../rpc/method.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { consensusKeyOf, EpochNetwork, peerIdOf } from "./testing/epoch-network.ts";
import { endOfTurn } from "./testing/manual-clock.ts";
import { createValidatorReads } from "./validator-reads.ts";
import { consensusSet } from "./validator-sets.ts";

installNativeCrypto();

const A = keccak256(Uint8Array.of(1));
const B = keccak256(Uint8Array.of(2));
const EPOCH_LENGTH = 6;

/** Four validators, of which 0 hears what the test lets 3 say; 3 and 2 change places from epoch 1 on. */
async function setUp() {
  const setOf = (epoch: number) => (epoch === 0 ? [0, 1, 2, 3] : [0, 1, 3, 2]).map((node) => ({ node }));
  const network = new EpochNetwork({ nodes: 4, epochLength: EPOCH_LENGTH, epochLead: 3, setOf });
  await network.start(0, 1, 2);
  const { store } = network.nodes[0]!;
  const hear = async (...messages: readonly Message[]): Promise<void> => {
    for (const message of messages)
      network.nodes[0]!.core!.handlers.onFrame(peerIdOf(3), "consensus", encodeMessage(message));
    await endOfTurn();
  };
  const sign = (bytes: Uint8Array): Uint8Array => simulatedSign(consensusKeyOf(3), bytes);
  const vote = (kind: Vote["kind"], view: number, digest = ZERO_HASH, epoch = 0): Message => {
    const said: Vote = { kind, epoch: Epoch(epoch), view: View(view), digest };
    const signature = sign(voteSigningBytes(network.domain, said));
    return { kind: "vote", vote: { vote: said, signer: ValidatorIndex(epoch === 0 ? 3 : 2), signature } };
  };
  const result = (height: number, executedHash = A): Message => {
    const executed = {
      epoch: Epoch(0),
      height: Height(height),
      orderDigest: ZERO_HASH,
      executedHash,
      nextSetHash: ZERO_HASH,
    };
    const signature = sign(executedSigningBytes(network.domain, executed));
    return { kind: "executed", executed: { executed, signer: ValidatorIndex(3), signature } };
  };
  const reads = createValidatorReads(store, network.genesis);
  const call = async (name: string, ...parameters: readonly unknown[]): Promise<unknown> => {
    const context = { backend: { validators: reads } } as unknown as RequestContext;
    return createMethods().get(name)!.call(context, parameters);
  };
  return { network, hear, vote, result, call };
}

type Piece = {
  readonly epoch: string;
  readonly validator: string;
  readonly kind: string;
  readonly evidence: string;
};

/** As a third party reads it, who knows the chain and the set of the epoch. */
function verified(network: EpochNetwork, piece: Piece): Result<undefined, { readonly code: string }> {
  const evidence: Evidence = unwrap(decodeEvidence(Buffer.from(piece.evidence.slice(2), "hex")));
  const epoch = Number(piece.epoch);
  return verifyEvidence(network.domain, consensusSet(network.storedSet(epoch), epoch), evidence);
}

test("evidence of both kinds is stored once, told by JSON-RPC, and proves itself to a third party", async () => {
  const { network, hear, vote, result, call } = await setUp();
  assert.deepEqual(await call("ostrom_getEvidence"), []);
  await hear(vote("notarize", 3, A), vote("notarize", 3, B));
  await hear(vote("nullify", 4), vote("finalize", 4, A));
  await hear(result(3, A), result(3, B));
  await hear(result(4, A), result(4, B));
  const pieces = (await call("ostrom_getEvidence")) as readonly Piece[];
  assert.deepEqual(
    pieces.map(({ epoch, validator, kind }) => [epoch, validator, kind]),
    [
      ["0x0", "0x3", "votes"],
      ["0x0", "0x3", "results"],
    ],
  );
  for (const piece of pieces) assert.ok(verified(network, piece).ok);
  const told = network.nodes[0]!.lines.filter(({ message }) => message.startsWith("evidence against"));
  assert.equal(told.length, 2);
});

test("evidence is of an epoch: another set's index does not take the blame", async () => {
  const { network, hear, vote, call } = await setUp();
  await hear(vote("notarize", 3, A), vote("notarize", 3, B));
  assert.ok(await network.until(() => network.height(0) > EPOCH_LENGTH), network.describe());
  const ahead = 20;
  await hear(vote("notarize", ahead, A, 1), vote("notarize", ahead, B, 1));
  const pieces = (await call("ostrom_getEvidence")) as readonly Piece[];
  assert.deepEqual(
    pieces.map(({ epoch, validator }) => [epoch, validator]),
    [
      ["0x0", "0x3"],
      ["0x1", "0x2"],
    ],
  );
  for (const piece of pieces) assert.ok(verified(network, piece).ok);
  const misplaced = verified(network, { ...pieces[1]!, epoch: "0x0" });
  assert.equal(misplaced.ok ? "" : misplaced.error.code, "evidence/epoch");
  assert.equal(((await call("ostrom_getEvidence", 1)) as readonly Piece[]).length, 1, "from an epoch on");
});

test("what proves nothing is not stored: a repeated vote, and one that another has signed", async () => {
  const { hear, vote, call } = await setUp();
  const forged = vote("notarize", 3, B);
  assert.ok(forged.kind === "vote");
  await hear(vote("notarize", 3, A), vote("notarize", 3, A));
  await hear({ kind: "vote", vote: { ...forged.vote, signature: new Uint8Array(16) } });
  assert.deepEqual(await call("ostrom_getEvidence"), []);
});

test("the validators of an epoch are told as soon as they are known", async () => {
  const { network, call } = await setUp();
  type Told = {
    readonly epoch: string;
    readonly lastBlock: string;
    readonly decidedAtBlock: string;
    readonly validators: readonly { readonly name: string; readonly weight: string }[];
  };
  const first = (await call("ostrom_getValidators")) as Told;
  assert.deepEqual([first.epoch, first.lastBlock, first.decidedAtBlock], ["0x0", "0x6", "0x0"]);
  assert.equal(await call("ostrom_getValidators", 1), null);
  assert.ok(await network.until(() => network.height(0) >= 3), network.describe());
  const next = (await call("ostrom_getValidators", 1)) as Told;
  assert.deepEqual(next.decidedAtBlock, "0x3");
  assert.deepEqual(
    next.validators.map(({ name }) => name),
    ["node-0", "node-1", "node-3", "node-2"],
  );
  assert.equal(await call("ostrom_getValidators", 7), null);
});
