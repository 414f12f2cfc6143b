import { Epoch, equalBytes } from "@ostrom/base";
import {
  type CheckpointSet,
  type CheckpointStatement,
  type CheckpointTrust,
  decodeCheckpointCertificate,
  decodeCheckpointSet,
  extendCheckpointTrust,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { decodeHeader, type Header, hashHeader, parseGenesis } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import { chainOfGenesis, type LightChain } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { accept, attempt, attemptNow, type LightResult, refuse } from "./failure.ts";
import { readData, readFields, readText } from "./read-json.ts";
import { httpServer, type LightServer } from "./server.ts";
import { askOne } from "./servers.ts";

/** Epochs asked for in one request. */
const EPOCHS_AT_ONCE = 16;
/** So many epochs in a row without a checkpoint are searched for the next one. */
const MAX_GAP = 64;
const MAX_STATUS_CHARACTERS = 16;

/** A checkpoint that is proved from genesis by post-quantum signatures alone. */
export type ProvedCheckpoint = CheckpointStatement & {
  /** Of the epoch's last block; its state root proves whatever was in state then. */
  readonly header: Header;
};

/** What a chain of checkpoints proves. */
export type CheckpointChain = {
  readonly chain: LightChain;
  readonly trust: CheckpointTrust;
  /** From the oldest on. */
  readonly proved: readonly ProvedCheckpoint[];
  /** Ended epochs without one, below the newest that is proved. */
  readonly missing: readonly number[];
};

/** Begins with genesis. Errors: `light/wrong-chain` (unreadable, mined, or a chain without checkpoints). */
export function checkpointsOfGenesis(json: unknown): LightResult<CheckpointChain> {
  return attemptNow(() => {
    const known = chainOfGenesis(json);
    const genesis = parseGenesis(json);
    if (!known.ok || !genesis.ok)
      return refuse("light/wrong-chain", known.ok ? "no genesis" : known.error.message);
    const { checkpointKeys, validatorSet } = genesis.value;
    if (checkpointKeys === undefined)
      return refuse(
        "light/wrong-chain",
        "the genesis names no checkpoint keys: this chain has no checkpoints",
      );
    const members = validatorSet.validators.map(({ consensusKey, weight }, index) => ({
      consensusKeyHash: keccak256(consensusKey),
      weight,
      keyHash: checkpointKeys[index],
    }));
    const set: CheckpointSet = { epoch: Epoch(0), members };
    return { chain: known.value.chain, trust: { set, newest: undefined }, proved: [], missing: [] };
  });
}

/** Verifies what ostrom_getEpochCheckpoint answered for an epoch, and goes on by it: no signature of an elliptic curve is looked at.
 * @returns the same chain if the epoch has no checkpoint. Errors: `light/malformed`, `light/wrong-header`, `checkpoint/...`. */
export function takeCheckpoint(known: CheckpointChain, answer: unknown): LightResult<CheckpointChain> {
  return attemptNow(() => {
    const fields = readFields(answer, "epoch checkpoint");
    readText(fields.status, "status", MAX_STATUS_CHARACTERS);
    if (fields.certificate === null) return known;
    const { chain, trust } = known;
    const certificate = decodeCheckpointCertificate(readData(fields.certificate, "checkpoint certificate"));
    const nextSet = decodeCheckpointSet(readData(fields.nextSet, "next checkpoint set"));
    const header = decodeHeader(readData(fields.header, "checkpoint header"));
    if (!certificate.ok) return refuse("light/malformed", certificate.error.message);
    if (!nextSet.ok) return refuse("light/malformed", nextSet.error.message);
    if (!header.ok) return refuse("light/malformed", header.error.message);
    const { epochLength } = chain.epochs;
    const extended = accept(
      extendCheckpointTrust(chain.domain, trust, certificate.value, nextSet.value, epochLength),
    );
    const { statement } = certificate.value;
    if (!equalBytes(hashHeader(header.value, chain.rules.hashId), statement.executedHash))
      refuse("light/wrong-header", `the header is not that of block ${statement.height}`);
    const expected = trust.newest === undefined ? 0 : trust.newest.epoch + 1;
    const skipped = Array.from({ length: statement.epoch - expected }, (_, index) => expected + index);
    return {
      chain,
      trust: extended,
      proved: [...known.proved, { ...statement, header: header.value }],
      missing: [...known.missing, ...skipped],
    };
  });
}

/** Proves a chain's history from its genesis up to the newest checkpoint that a server has, by ML-DSA signatures and hashes alone: it holds on the day
 * elliptic curves break, as far as two thirds of each set's weight kept their checkpoint keys to themselves. What comes after the newest
 * checkpoint it does not prove; a server may hide newer ones, so ask several.
 * @param genesis the value of genesis.json. Errors: those of `takeCheckpoint` and of asking. */
export function verifyCheckpoints(
  genesis: unknown,
  server: string | LightServer,
): Promise<LightResult<CheckpointChain>> {
  const from = typeof server === "string" ? httpServer(server) : server;
  return attempt(async () => {
    let known = accept(checkpointsOfGenesis(genesis));
    for (let next = 0, gap = 0; gap < MAX_GAP; ) {
      const asked = Array.from({ length: EPOCHS_AT_ONCE }, (_, index) => next + index);
      const answers = await askOne(
        from,
        asked.map((epoch) => ({
          method: "ostrom_getEpochCheckpoint",
          params: [quantity(epoch)],
        })),
      );
      for (const index of asked.keys()) {
        const answer = answers.at(index) ?? null;
        if (answer === null) return known;
        const before = known;
        known = accept(takeCheckpoint(known, answer));
        gap = known === before ? gap + 1 : 0;
      }
      next += EPOCHS_AT_ONCE;
    }
    return known;
  });
}

/** Where a light client may begin: the newest proved block, with the set that validates after it.
 * @returns undefined while nothing is proved but genesis. */
export function checkpointToStart({ chain, trust }: CheckpointChain): Checkpoint | undefined {
  const { newest } = trust;
  if (newest === undefined) return undefined;
  const { height, executedHash, nextSetHash } = newest;
  return { genesisHash: chain.genesisHash, height, hash: executedHash, setHash: nextSetHash };
}
