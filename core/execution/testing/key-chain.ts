import {
  Address,
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  type Hash,
  hex,
  must,
  toHex,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { keccak256, SCHEME_SECP256K1, signatureEngine } from "@ostrom/crypto";
import type { GenesisAccount } from "@ostrom/state";
import {
  type Abi,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  parseAbi,
  parseAbiParameters,
} from "viem";
import { transactionContext } from "../account-keys.ts";
import type { GenesisKeys } from "../genesis-keys.ts";
import { KEY_SETS_ADDRESS } from "../key-addresses.ts";
import { type KeyRecord, readKeyRecord } from "../key-sets.ts";
import { simulateCall } from "../simulate.ts";
import { signAgileTransaction, signTransaction, type TransactionFields } from "../transaction.ts";
import type { AccountKey, AgileFields, ChainRules, Receipt, SignedTransaction, Skipped } from "../types.ts";
import { funded, GENESIS_TIME_MS, TEST_CHAIN_ID, TestChain, testGenesis } from "./test-chain.ts";

/** A key of a test's account. */
export type HeldKey = AccountKey & { readonly secretKey: Bytes };

export const KEY_SETS_ABI: Abi = parseAbi([
  "struct Key { uint8 schemeId; bytes publicKey; }",
  "struct NewSet { uint8 threshold; Key[] keys; uint32 timelock; Key guardian; }",
  "struct Authorization { uint8 keyIndex; bytes signature; }",
  "function enroll(NewSet set, bytes[] signatures)",
  "function propose(NewSet set, bytes[] signatures, bytes approval)",
  "function cancel()",
  "function cancelByGuardian(address owner, bytes signature)",
  "function applyProposal(address owner)",
  "function protect(bytes32 commitment)",
  "function changeProtection(address owner, bytes32 commitment, Key committed, bytes signature)",
  "function declareBroken(uint64 since, Authorization[] signatures)",
  "function governingVersion(address owner) view returns (uint32)",
  "function isAuthorized(address owner, bytes32 hash, bytes signature) view returns (bool)",
  "function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)",
  "function isBroken() view returns (bool)",
]);

const NO_GUARDIAN = { schemeId: 0, publicKey: "0x" } as const;
const AUTHORIZATIONS = parseAbiParameters(["(uint8 keyIndex, bytes signature)[]"]);
const SET = parseAbiParameters([
  "(uint8 threshold, (uint8 schemeId, bytes publicKey)[] keys, uint32 timelock, (uint8 schemeId, bytes publicKey) guardian)",
]);
const DIGEST = parseAbiParameters("bytes32, uint256, address, uint32, bytes32");
const BREAK_DIGEST = parseAbiParameters("bytes32, uint256, uint64");
const KEY_SET_CONTEXT = utf8("ostrom/keyset");
const MAX_FEE = 10n ** 12n;
const CONTRACT_GAS = 8_000_000n;

/** A key that every test may derive. */
export function heldKey(schemeId: number, seed: number): HeldKey {
  const engine = must(signatureEngine(schemeId), "a test's scheme must have an engine");
  const length = schemeId === 9 || schemeId === 10 ? 48 : 32;
  const stretched = concatBytes(
    keccak256(wordToBytes(BigInt(seed))),
    keccak256(wordToBytes(BigInt(seed) + 1n)),
  );
  const secretKey = stretched.slice(0, length);
  return { schemeId, secretKey, publicKey: engine.publicKey(secretKey) };
}

export type KeySetRequest = {
  readonly threshold: number;
  readonly keys: readonly HeldKey[];
  readonly timelock?: number;
  readonly guardian?: AccountKey;
};

type AbiSet = {
  readonly threshold: number;
  readonly keys: readonly { readonly schemeId: number; readonly publicKey: `0x${string}` }[];
  readonly timelock: number;
  readonly guardian: { readonly schemeId: number; readonly publicKey: `0x${string}` };
};

export function abiKey({ schemeId, publicKey }: AccountKey): AbiSet["keys"][number] {
  return { schemeId, publicKey: toHex(publicKey) as `0x${string}` };
}

export function abiSet({ threshold, keys, timelock = 100, guardian }: KeySetRequest): AbiSet {
  return {
    threshold,
    keys: keys.map(abiKey),
    timelock,
    guardian: guardian === undefined ? NO_GUARDIAN : abiKey(guardian),
  };
}

/** What KeySets hashes for a purpose. */
export function digest(purpose: string, owner: Address, number: number, hash: Bytes): Hash {
  const values = [text(keccak256(utf8(purpose))), TEST_CHAIN_ID, text(owner), number, text(hash)] as const;
  return keccak256(hex(encodeAbiParameters(DIGEST, values)));
}

export function breakDigest(since: bigint): Hash {
  const tag = text(keccak256(utf8("ostrom/elliptic-curves-broken/1")));
  return keccak256(hex(encodeAbiParameters(BREAK_DIGEST, [tag, TEST_CHAIN_ID, since])));
}

export function hashOfSet(request: KeySetRequest): Hash {
  return keccak256(hex(encodeAbiParameters(SET, [abiSet(request)])));
}

/** A signature as KeySets asks for it. */
export function signForKeySets(key: HeldKey, message: Hash): Bytes {
  const context = transactionContext(key.schemeId).length > 0 ? KEY_SET_CONTEXT : EMPTY_BYTES;
  return must(signatureEngine(key.schemeId), "it has an engine").sign(key.secretKey, message, context);
}

export function possessions(owner: Address, version: number, request: KeySetRequest): readonly string[] {
  const message = digest("ostrom/keyset/1", owner, version, hashOfSet(request));
  return request.keys.map((key) => toHex(signForKeySets(key, message)));
}

export function encodeAuthorizations(
  entries: readonly { readonly keyIndex: number; readonly signature: Bytes }[],
): Bytes {
  const values = entries.map(({ keyIndex, signature }) => ({ keyIndex, signature: text(signature) }));
  return hex(encodeAbiParameters(AUTHORIZATIONS, [values]));
}

export function callData(functionName: string, args: readonly unknown[]): Bytes {
  return hex(encodeFunctionData({ abi: KEY_SETS_ABI, functionName, args: args as unknown[] }));
}

export type Ran = { readonly receipt: Receipt | undefined; readonly skipped: Skipped | undefined };

/** How an account signs. */
export type Signer =
  | { readonly kind: "ethereum"; readonly secretKey: Bytes }
  | {
      readonly kind: "keys";
      readonly sender: Address;
      readonly version: number;
      readonly keys: readonly (readonly [keyIndex: number, key: HeldKey])[];
    }
  | {
      readonly kind: "inline";
      readonly sender: Address;
      readonly threshold: number;
      readonly keys: readonly HeldKey[];
      /** Indices of those that sign; all, unless said. */
      readonly signs?: readonly number[];
    };

/** A chain whose accounts have key sets. */
export class KeyChain {
  readonly chain: TestChain;
  #elapsedMs = 1_000;

  constructor(
    accounts: readonly Address[],
    keys: Partial<GenesisKeys> = {},
    rules: Partial<ChainRules> = {},
    contracts: readonly GenesisAccount[] = [],
  ) {
    const genesis = testGenesis({
      accounts: [...accounts.map((address) => funded(address)), ...contracts],
      keys: { timelockMinimum: 10, breakers: [], breakThreshold: 0, ...keys },
      rules,
    });
    this.chain = new TestChain(genesis);
  }

  /** Of the newest block. */
  get timestamp(): number {
    return this.chain.head.header.timestamp;
  }

  nonce(address: Address): bigint {
    return this.chain.state.account(address)?.nonce ?? 0n;
  }

  code(address: Address): Bytes {
    const account = this.chain.state.account(address);
    return account === undefined ? EMPTY_BYTES : this.chain.state.code(account.codeHash);
  }

  record(address: Address): KeyRecord {
    return readKeyRecord(this.chain.state, address);
  }

  /** The next block comes so many seconds after the newest. */
  wait(seconds: number): void {
    this.#elapsedMs = (this.timestamp + seconds) * 1000 - GENESIS_TIME_MS;
  }

  /** Executes one block. */
  block(raws: readonly Bytes[]): ReturnType<TestChain["execute"]> {
    const height = this.chain.head.header.number + 1;
    const least = (this.timestamp + 1) * 1000 - GENESIS_TIME_MS;
    const elapsed = Math.max(this.#elapsedMs, least);
    return this.chain.execute(raws, elapsed / height);
  }

  run(transaction: SignedTransaction): Ran {
    const { receipts, skipped } = this.block([transaction.raw]);
    return { receipt: receipts[0], skipped: skipped[0] };
  }

  sign(signer: Signer, fields: Partial<TransactionFields> = {}): SignedTransaction {
    return signAs(signer, { nonce: this.nonce(senderOf(signer)), ...fields });
  }

  send(signer: Signer, fields: Partial<TransactionFields> = {}): Ran {
    return this.run(this.sign(signer, fields));
  }

  /** Calls KeySets. */
  call(signer: Signer, functionName: string, args: readonly unknown[]): Ran {
    const data = callData(functionName, args);
    return this.send(signer, { to: KEY_SETS_ADDRESS, data, gasLimit: CONTRACT_GAS });
  }

  read(to: Address, functionName: string, args: readonly unknown[]): unknown {
    const outcome = simulateCall({
      rules: this.chain.genesis.rules,
      header: this.chain.head.header,
      state: this.chain.state,
      blockHash: this.chain.blockHash,
      request: { to, data: callData(functionName, args) },
      gasCap: 30_000_000n,
    });
    if (!outcome.ok || outcome.value.status !== "success" || outcome.value.output.length === 0)
      return undefined;
    return decodeFunctionResult({ abi: KEY_SETS_ABI, functionName, data: text(outcome.value.output) });
  }

  enroll(signer: Signer, request: KeySetRequest): Ran {
    const owner = senderOf(signer);
    const version = this.record(owner).version + 1;
    return this.call(signer, "enroll", [abiSet(request), possessions(owner, version, request)]);
  }

  propose(signer: Signer, request: KeySetRequest, approval: Bytes = EMPTY_BYTES): Ran {
    const owner = senderOf(signer);
    const version = this.record(owner).version + 1;
    return this.call(signer, "propose", [
      abiSet(request),
      possessions(owner, version, request),
      text(approval),
    ]);
  }

  declareBroken(signer: Signer, since: bigint, breakers: readonly HeldKey[]): Ran {
    const message = breakDigest(since);
    const signatures = breakers.map((key, keyIndex) => ({
      keyIndex,
      signature: text(signForKeySets(key, message)),
    }));
    return this.call(signer, "declareBroken", [since, signatures]);
  }
}

export function senderOf(signer: Signer): Address {
  return signer.kind === "ethereum" ? addressOfEthereumKey(signer.secretKey) : signer.sender;
}

export function signAs(signer: Signer, fields: Partial<TransactionFields>): SignedTransaction {
  const complete = { chainId: TEST_CHAIN_ID, gasLimit: 1_000_000n, maxFeePerGas: MAX_FEE, ...fields };
  switch (signer.kind) {
    case "ethereum":
      return signTransaction(complete, signer.secretKey);
    case "keys": {
      const agile = agileOf(signer.sender, { keySetVersion: signer.version });
      const signers = signer.keys.map(([keyIndex, key]) => ({ keyIndex, ...key }));
      return signAgileTransaction(complete, agile, signers);
    }
    case "inline": {
      const inlineKeys = signer.keys.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
      const agile = agileOf(signer.sender, { threshold: signer.threshold, inlineKeys });
      const signers = (signer.signs ?? signer.keys.map((_, index) => index)).map((keyIndex) => ({
        keyIndex,
        ...must(signer.keys[keyIndex], "a signer must have the key"),
      }));
      return signAgileTransaction(complete, agile, signers);
    }
    default:
      return signer satisfies never;
  }
}

export function agileOf(sender: Address, fields: Partial<AgileFields>): Omit<AgileFields, "authorizations"> {
  return { sender, keySetVersion: 0, validUntil: 0n, threshold: 0, inlineKeys: [], ...fields };
}

function addressOfEthereumKey(secretKey: Bytes): Address {
  const engine = must(signatureEngine(SCHEME_SECP256K1), "secp256k1 has an engine");
  return Address(keccak256(engine.publicKey(secretKey)).slice(12));
}

function text(bytes: Bytes): `0x${string}` {
  return toHex(bytes) as `0x${string}`;
}
