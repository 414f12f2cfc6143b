import { type Address, type Bytes, equalBytes, type Hash } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, readRlpBytes, readRlpList, readRlpUint, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { logsBloom, type Receipt } from "@ostrom/execution";
import {
  type Account,
  EMPTY_CODE_HASH,
  emptyTrieRoot,
  type Log,
  orderedTrieRoot,
  type TrieHash,
  verifyAccountProof,
  verifySlotProof,
  verifyTrieProof,
} from "@ostrom/state";
import { accept, attemptNow, type LightResult, refuse } from "./failure.ts";
import {
  readAddress,
  readArray,
  readDataList,
  readFields,
  readHash,
  readQuantity,
  readWord,
} from "./read-json.ts";

/** Nodes on the way to one key: a key has 64 nibbles. */
const MAX_PROOF_NODES = 65;
const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
const MAX_TOPICS = 4;
const MAX_TRANSACTION_TYPE = 4;
const MAX_GAS_BYTES = 8;

/** An account of one state, and some of its slots in the order asked for. */
export type ProvedAccount = {
  /** undefined: there is no such account. */
  readonly account: Account | undefined;
  /** That of no storage where there is no account. */
  readonly storageRoot: Hash;
  readonly slots: readonly bigint[];
  /** As they were given, for who asked by eth_getProof. */
  readonly accountProof: readonly Bytes[];
  readonly slotProofs: readonly (readonly Bytes[])[];
};

/** Checks what eth_getProof answered against a header's state root. All fields that repeat what the proofs show must agree with them.
 * @param hash the chain's.
 * Errors: `light/malformed`, `light/wrong-value` (a field differs from what is proved), `proof/...`. */
export function verifyStateProof(
  stateRoot: Hash,
  address: Address,
  slots: readonly bigint[],
  answer: unknown,
  hash: TrieHash,
): LightResult<ProvedAccount> {
  return attemptNow(() => {
    const fields = readFields(answer, "state proof");
    const accountProof = readDataList(fields.accountProof, "accountProof", MAX_PROOF_NODES);
    const account = accept(verifyAccountProof(stateRoot, address, accountProof, hash));
    const storageRoot = account?.storageRoot ?? emptyTrieRoot(hash);
    const agrees =
      equalBytes(readAddress(fields.address, "address"), address) &&
      readQuantity(fields.balance, "balance") === (account?.balance ?? 0n) &&
      readQuantity(fields.nonce, "nonce") === (account?.nonce ?? 0n) &&
      equalBytes(readHash(fields.codeHash, "codeHash"), account?.codeHash ?? EMPTY_CODE_HASH) &&
      equalBytes(readHash(fields.storageHash, "storageHash"), storageRoot);
    if (!agrees) refuse("light/wrong-value", "an account's fields are not those that its proof shows");
    const entries = readArray(fields.storageProof, "storageProof");
    if (entries.length !== slots.length) refuse("light/malformed", "not as many slots as asked for");
    const proved = slots.map((slot, index) => verifySlot(storageRoot, slot, entries[index], hash));
    return {
      account,
      storageRoot,
      slots: proved.map(({ value }) => value),
      accountProof,
      slotProofs: proved.map(({ proof }) => proof),
    };
  });
}

function verifySlot(
  storageRoot: Hash,
  slot: bigint,
  entry: unknown,
  hash: TrieHash,
): { readonly value: bigint; readonly proof: readonly Bytes[] } {
  const fields = readFields(entry, "slot proof");
  const proof = readDataList(fields.proof, "slot proof", MAX_PROOF_NODES);
  const value = accept(verifySlotProof(storageRoot, slot, proof, hash));
  if (readWord(fields.key, "slot key") !== slot || readQuantity(fields.value, "slot value") !== value) {
    refuse("light/wrong-value", "a slot's fields are not those that its proof shows");
  }
  return { value, proof };
}

/** Checks code against the hash that an account names. Errors: `light/wrong-value`. */
export function verifyCode(codeHash: Hash, code: Bytes): LightResult<Bytes> {
  return attemptNow(() => {
    if (!equalBytes(keccak256(code), codeHash)) refuse("light/wrong-value", "not the account's code");
    return code;
  });
}

/** Checks the proof of a block's transaction or receipt at a position. Errors: `proof/...`, `light/wrong-value` (there is none). */
export function verifyIndexProof(
  root: Hash,
  index: number,
  proof: readonly Bytes[],
  hash: TrieHash,
): LightResult<Bytes> {
  return attemptNow(() => {
    const value = accept(verifyTrieProof(root, encodeRlp(rlpUint(index)), proof, hash));
    return value ?? refuse("light/wrong-value", `the block has nothing at position ${index}`);
  });
}

/** Reads and checks a Merkle proof as JSON: at most as many nodes as a key can have. */
export function readProof(value: unknown, what: string): readonly Bytes[] {
  return readDataList(value, what, MAX_PROOF_NODES);
}

/** Checks that values are all that a header's root is of. Errors: `light/wrong-value`. */
export function verifyWhole(
  root: Hash,
  values: readonly Bytes[],
  what: string,
  hash: TrieHash,
): LightResult<readonly Bytes[]> {
  return attemptNow(() => {
    // The trie holds no empty values, and asserts it.
    const isWhole =
      values.every(({ length }) => length > 0) && equalBytes(orderedTrieRoot(values, hash), root);
    if (!isWhole) refuse("light/wrong-value", `these are not all ${what} of the block`);
    return values;
  });
}

/** A receipt as the trie has it. */
export type ProvedReceipt = Pick<Receipt, "type" | "succeeded" | "cumulativeGasUsed" | "bloom" | "logs">;

/** Decodes an EIP-2718 receipt envelope. Errors: `light/malformed`. Sources: EIP-658, EIP-2718. */
export function decodeReceipt(bytes: Bytes): LightResult<ProvedReceipt> {
  return attemptNow(() => {
    const first = bytes[0] ?? 0;
    const isTyped = first > 0 && first <= MAX_TRANSACTION_TYPE;
    const type = (isTyped ? first : 0) as Receipt["type"];
    const decoded = decodeRlpWith(isTyped ? bytes.slice(1) : bytes.slice(), (item) => {
      const fields = readRlpList(item, "receipt", 4);
      const logs = readRlpList(fields[3], "logs").map((entry): Log => {
        const [address, topics, data] = readRlpList(entry, "log", 3);
        return {
          address: readRlpBytes(address, "log address", ADDRESS_BYTES) as Log["address"],
          topics: readRlpList(topics, "topics").map(
            (topic) => readRlpBytes(topic, "topic", HASH_BYTES) as Hash,
          ),
          data: readRlpBytes(data, "log data"),
        };
      });
      return {
        type,
        succeeded: readRlpUint(fields[0], "status", 1) === 1n,
        cumulativeGasUsed: readRlpUint(fields[1], "cumulative gas", MAX_GAS_BYTES),
        bloom: readRlpBytes(fields[2], "bloom"),
        logs,
      };
    });
    if (!decoded.ok) return refuse("light/malformed", `receipt: ${decoded.error.message}`);
    const { logs, bloom } = decoded.value;
    if (logs.some(({ topics }) => topics.length > MAX_TOPICS) || !equalBytes(bloom, logsBloom(logs))) {
      refuse("light/malformed", "a receipt whose bloom is not that of its logs");
    }
    return decoded.value;
  });
}
