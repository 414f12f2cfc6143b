import { type Bytes, Epoch, type Hash, Height, hex, must, View } from "@ostrom/base";
import {
  type ConsensusDomain,
  consensusDomain,
  encodeBlock,
  encodeCertificate,
  encodeSealProof,
  encodeStateCertificate,
  executedSigningBytes,
  type OrderedBlock,
  orderDigest,
  type StateCertificate,
  ValidatorIndex,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, keccak256, writeSigners } from "@ostrom/crypto";
import {
  EMPTY_PAYLOAD,
  encodePayload,
  epochOfHeight,
  type Genesis,
  genesisHash,
  lastHeight,
  type SignedTransaction,
} from "@ostrom/execution";
import {
  createMemoryStore,
  type Store,
  sealProofOperation,
  stateCertificateOperations,
} from "@ostrom/storage";
import type { OrderedInput } from "../execution-port.ts";
import { Executor } from "../executor.ts";
import { consensusSet } from "../validator-sets.ts";
import { executedOf } from "./ordered-chain.ts";
import { simulatedGenesis, simulatedTransfer, validatorSecret } from "./simulated-genesis.ts";

const VALIDATORS = 2;
const CLIENTS = 4;
const INTERVAL_MS = 1_000;

/** A chain of several epochs on a store: executed, final, certified and sealed, signed with real keys; one set throughout. */
export class CertifiedChain {
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly store: Store = createMemoryStore();
  readonly inputs: OrderedInput[] = [];
  readonly hashes: Hash[] = [];
  #executor: Executor | undefined;
  #parent: { readonly digest: Hash; readonly view: number };
  #certificate: StateCertificate | undefined;

  constructor(options: { readonly epochLength: number }) {
    const base = simulatedGenesis({
      validators: VALIDATORS,
      clients: CLIENTS,
      epochLength: options.epochLength,
    });
    const checkpointKeys = base.validatorSet.validators.map(({ consensusKey }) => keccak256(consensusKey));
    this.genesis = { ...base, checkpointKeys };
    const { rules, validatorSet } = base;
    this.domain = consensusDomain(genesisHash(this.genesis), rules.hashId, validatorSet.schemeId);
    this.#parent = { digest: this.domain.genesisHash, view: 0 };
  }

  get height(): number {
    return this.inputs.length;
  }

  /** Executes and certifies the next block. */
  async append(transactions: readonly SignedTransaction[], isCertified = true): Promise<void> {
    this.#executor ??= await Executor.open(this.store, this.genesis, HISTORY_BLOCKS);
    const height = this.height + 1;
    const epoch = epochOfHeight(this.genesis, height);
    const block: OrderedBlock = {
      epoch: Epoch(epoch),
      view: View(this.#parent.view + 1),
      height: Height(height),
      parent: this.#parent.digest,
      parentView: View(this.#parent.view),
      timestampMs: this.genesis.timestampMs + height * INTERVAL_MS,
      proposer: ValidatorIndex(height % VALIDATORS),
      stateCertificate: this.#certificate,
      payload: transactions.length === 0 ? EMPTY_PAYLOAD : encodePayload(transactions.map(({ raw }) => raw)),
    };
    const digest = orderDigest(this.domain, block);
    const set = consensusSet(this.genesis.validatorSet, epoch);
    const finalization = {
      kind: "finalization" as const,
      schemeId: set.schemeId,
      epoch: block.epoch,
      view: block.view,
      digest,
      ...this.#sign(
        voteSigningBytes(this.domain, { kind: "finalize", epoch: block.epoch, view: block.view, digest }),
      ),
    };
    const input: OrderedInput = {
      height,
      view: block.view,
      epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: must(set.validators[block.proposer], "the proposer is a validator").address,
      senders: new Uint8Array(0),
      orderedBlock: encodeBlock(block),
      finalization: encodeCertificate(finalization),
    };
    const report = await this.#executor.execute(input);
    const executed = executedOf(report);
    const isLast = height === lastHeight(this.genesis, epoch);
    const certificate: StateCertificate = {
      schemeId: set.schemeId,
      executed,
      ...this.#sign(executedSigningBytes(this.domain, executed)),
    };
    if (isLast)
      await this.store.write([sealProofOperation(epoch, encodeSealProof({ sealing: [], finalization }))], {
        sync: true,
      });
    if (isCertified) {
      this.#certificate = certificate;
      const bytes = encodeStateCertificate(certificate);
      await this.store.write(stateCertificateOperations(this.store, height, bytes), { sync: true });
    }
    this.inputs.push(input);
    this.hashes.push(report.executedHash);
    this.#parent = { digest, view: isLast ? 0 : block.view };
  }

  /** Blocks with transfers, to so many accounts, and contracts with a few slots each, now and then one with many. */
  async grow(blocks: number, perBlock = 3, recipients: number = Number.MAX_SAFE_INTEGER): Promise<void> {
    for (let made = 0; made < blocks; made++) {
      const transactions: SignedTransaction[] = [];
      for (let index = 0; index < perBlock; index++) {
        const client = index % CLIENTS;
        const nonce = this.#nonces[client]!;
        this.#nonces[client] = nonce + 1;
        const seed = this.height * perBlock + index;
        transactions.push(
          index === 0
            ? simulatedTransfer(client, nonce, {
                to: undefined,
                data: contract(seed),
                gasLimit: 3_000_000n,
                value: 0n,
              })
            : simulatedTransfer(client, nonce, { to: newAddress(seed % recipients) }),
        );
      }
      await this.append(transactions);
    }
  }

  readonly #nonces: number[] = new Array<number>(CLIENTS).fill(0);

  #sign(message: Bytes): { readonly signers: Bytes; readonly signature: Bytes } {
    const indices = Array.from({ length: VALIDATORS }, (_, index) => index);
    const signatures = indices.map((index) => bls().sign(validatorSecret(index), message));
    return {
      signers: writeSigners(indices.length, indices),
      signature: must(bls().aggregate(signatures), "signatures add up"),
    };
  }
}

const HISTORY_BLOCKS = 64;
const MANY_SLOTS = 100;

/** Writes slots, and has code of a few bytes that depend on the seed. */
function contract(seed: number): Bytes {
  const slots = seed % 7 === 0 ? MANY_SLOTS : seed % 4;
  const writes = Array.from({ length: slots }, (_, slot) => `61${u16(seed + 1)}61${u16(slot)}55`).join("");
  return hex(`${writes}61${u16(seed % 5)}6000526020600060003960206000f3`);
}

function u16(value: number): string {
  return (value % 65_536).toString(16).padStart(4, "0");
}

function newAddress(seed: number): NonNullable<SignedTransaction["to"]> {
  const address = new Uint8Array(20).fill(0x77);
  new DataView(address.buffer).setUint32(4, seed);
  return address as NonNullable<SignedTransaction["to"]>;
}
