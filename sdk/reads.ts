import {
  type Address,
  type Bytes,
  EMPTY_BYTES,
  equalBytes,
  type Hash,
  hashFromWord,
  must,
  toHex,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  chainHash,
  decodeSignedTransaction,
  effectiveGasPrice,
  type Header,
  type Receipt,
  type SignedTransaction,
} from "@ostrom/execution";
import { EMPTY_CODE_HASH, emptyTrieRoot, type Log } from "@ostrom/state";
import { createAddress } from "@ostrom/vm";
import { accept, refuse } from "./failure.ts";
import { readCount, readData, readDataList, readFields } from "./read-json.ts";
import type { RpcCall } from "./server.ts";
import type { Ask } from "./servers.ts";
import {
  decodeReceipt,
  type ProvedAccount,
  type ProvedReceipt,
  readProof,
  verifyCode,
  verifyIndexProof,
  verifyStateProof,
  verifyWhole,
} from "./state-proof.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** Slots in one eth_getProof. */
const MAX_SLOTS = 1_024;
/** Transactions in a block that is read whole. */
const MAX_BODY = 65_536;
/** Whole blocks in one request. */
const BODIES_AT_ONCE = 32;

/** An account and slots of it to be proved together with others. */
export type StateQuestion = { readonly address: Address; readonly slots: readonly bigint[] };

/** A transaction in its block. */
export type ProvedTransaction = {
  readonly block: VerifiedHeader;
  readonly index: number;
  readonly transaction: SignedTransaction;
};

/** A receipt with all that JSON-RPC tells besides. */
export type ProvedOutcome = ProvedTransaction & {
  readonly receipt: Receipt;
  /** Logs of the block before this transaction's first. */
  readonly firstLogIndex: number;
};

/** A block with all its transactions and receipts, as the tries hold them. */
export type ProvedBody = {
  readonly block: VerifiedHeader;
  readonly transactions: readonly Bytes[];
  readonly receipts: readonly ProvedReceipt[];
};

/** What logs are wanted: of any of these addresses, with any of these topics at each position; undefined wants any. */
export type LogCriteria = {
  readonly addresses?: readonly Address[] | undefined;
  readonly topics?: readonly (readonly Hash[] | undefined)[] | undefined;
};

export type ProvedLog = {
  readonly block: VerifiedHeader;
  readonly transactionHash: Hash;
  readonly transactionIndex: number;
  /** Within the block. */
  readonly logIndex: number;
  readonly log: Log;
};

/** Proves accounts and slots of one state, in one request. Refuses with the codes of `verifyStateProof`. */
export function proveAccounts(
  ask: Ask,
  block: VerifiedHeader,
  questions: readonly StateQuestion[],
): Promise<readonly ProvedAccount[]> {
  const { header } = block;
  const at = toQuantity(header.number);
  const hash = chainHash(block);
  const calls = questions.map(({ address, slots }): RpcCall => {
    if (slots.length > MAX_SLOTS) refuse("light/too-large", `more than ${MAX_SLOTS} slots at once`);
    const keys = slots.map((slot) => toHex(hashFromWord(slot)));
    return { method: "eth_getProof", params: [toHex(address), keys, at] };
  });
  return ask(calls, (answers) =>
    questions.map(({ address, slots }, index) =>
      accept(verifyStateProof(header.stateRoot, address, slots, answers.at(index), hash)),
    ),
  );
}

/** The code of an account, proved by the hash that its account names. */
export function proveCode(
  ask: Ask,
  { header }: VerifiedHeader,
  address: Address,
  codeHash: Hash,
): Promise<Bytes> {
  if (equalBytes(codeHash, EMPTY_CODE_HASH)) return Promise.resolve(EMPTY_BYTES);
  const call = { method: "eth_getCode", params: [toHex(address), toQuantity(header.number)] };
  return ask([call], (answers) => accept(verifyCode(codeHash, readData(answers.at(0), "code"))));
}

type FindHeader = (height: number) => Promise<VerifiedHeader>;

/** A transaction by its hash. @returns undefined where the server knows of none that is certified: that alone nobody can prove. */
export function proveTransaction(
  ask: Ask,
  headerAt: FindHeader,
  hash: Hash,
): Promise<ProvedTransaction | undefined> {
  return ask([{ method: "ostrom_getTransactionProof", params: [toHex(hash)] }], async (answers) => {
    const answer = answers.at(0);
    if (answer === null) return undefined;
    return placeTransaction(headerAt, hash, answer);
  });
}

async function placeTransaction(
  headerAt: FindHeader,
  hash: Hash,
  answer: unknown,
): Promise<ProvedTransaction> {
  const fields = readFields(answer, "transaction proof");
  const block = await headerAt(readCount(fields.blockNumber, "blockNumber"));
  const index = readCount(fields.transactionIndex, "transactionIndex");
  const proof = readProof(fields.proof, "transaction proof");
  const raw = accept(verifyIndexProof(block.header.transactionsRoot, index, proof, chainHash(block)));
  if (!equalBytes(keccak256(raw), hash)) refuse("light/wrong-value", "the proof is of another transaction");
  return { block, index, transaction: decodeProved(raw) };
}

/** What is in a certified block was decoded by validators: if it cannot be decoded here, the server's proof is not of a block. */
export function decodeProved(raw: Bytes): SignedTransaction {
  const decoded = decodeSignedTransaction(raw);
  return decoded.ok ? decoded.value : refuse("light/malformed", `transaction: ${decoded.error.message}`);
}

/** What became of a transaction. @returns undefined as `proveTransaction` does. */
export function proveReceipt(ask: Ask, headerAt: FindHeader, hash: Hash): Promise<ProvedOutcome | undefined> {
  return ask([{ method: "ostrom_getReceiptProof", params: [toHex(hash)] }], async (answers) => {
    const answer = answers.at(0);
    if (answer === null) return undefined;
    const fields = readFields(answer, "receipt proof");
    const placed = await placeTransaction(headerAt, hash, answer);
    const { index, block } = placed;
    const root = block.header.receiptsRoot;
    const receiptAt = (position: number, proof: unknown): ProvedReceipt =>
      accept(
        decodeReceipt(
          accept(verifyIndexProof(root, position, readProof(proof, "receipt proof"), chainHash(block))),
        ),
      );
    const proved = receiptAt(index, fields.receiptProof);
    const gasBefore = index === 0 ? 0n : receiptAt(index - 1, fields.previousReceiptProof).cumulativeGasUsed;
    const receipt = completeReceipt(placed.transaction, block.header, proved, gasBefore);
    // Which number in the block its first log has, only all receipts before it can tell.
    if (receipt.logs.length === 0 || index === 0) return { ...placed, receipt, firstLogIndex: 0 };
    const body = await proveBody(ask, block);
    return { ...placed, receipt, firstLogIndex: logsBefore(body.receipts, index) };
  });
}

/** Adds what follows from the transaction, its block and the receipt before. */
export function completeReceipt(
  transaction: SignedTransaction,
  header: Header,
  proved: ProvedReceipt,
  gasBefore: bigint,
): Receipt {
  if (proved.type !== transaction.type || proved.cumulativeGasUsed < gasBefore) {
    refuse("light/wrong-value", "the receipt is of another transaction");
  }
  return {
    ...proved,
    gasUsed: proved.cumulativeGasUsed - gasBefore,
    effectiveGasPrice: effectiveGasPrice(transaction, header.baseFeePerGas),
    contractAddress:
      transaction.to === undefined ? createAddress(transaction.sender, transaction.nonce) : undefined,
  };
}

export function logsBefore(receipts: readonly ProvedReceipt[], index: number): number {
  return receipts.slice(0, index).reduce((sum, { logs }) => sum + logs.length, 0);
}

/** All transactions and receipts of a block: nothing can be left out, because both roots are of all of them. */
export async function proveBody(ask: Ask, block: VerifiedHeader): Promise<ProvedBody> {
  const [body] = await proveBodies(ask, [block]);
  return must(body, "a block has a body");
}

/** As `proveBody`, of several blocks, some in one request each time. */
export async function proveBodies(
  ask: Ask,
  blocks: readonly VerifiedHeader[],
): Promise<readonly ProvedBody[]> {
  const bodies: ProvedBody[] = [];
  for (let start = 0; start < blocks.length; start += BODIES_AT_ONCE) {
    const some = blocks.slice(start, start + BODIES_AT_ONCE);
    const full = some.filter(
      (block) => !equalBytes(block.header.transactionsRoot, emptyTrieRoot(chainHash(block))),
    );
    const calls = full.map(({ header }) => ({
      method: "ostrom_getBlockBody",
      params: [toQuantity(header.number)],
    }));
    const read =
      full.length === 0
        ? []
        : await ask(calls, (answers) => full.map((block, i) => bodyOf(block, answers.at(i))));
    const found = new Map(read.map((body) => [body.block.header.number, body]));
    for (const block of some)
      bodies.push(found.get(block.header.number) ?? { block, transactions: [], receipts: [] });
  }
  return bodies;
}

function bodyOf(block: VerifiedHeader, answer: unknown): ProvedBody {
  const { transactionsRoot, receiptsRoot } = block.header;
  const hash = chainHash(block);
  const fields = readFields(answer, "block body");
  const transactions = readDataList(fields.transactions, "transactions", MAX_BODY);
  const receipts = readDataList(fields.receipts, "receipts", MAX_BODY);
  accept(verifyWhole(transactionsRoot, transactions, "transactions", hash));
  accept(verifyWhole(receiptsRoot, receipts, "receipts", hash));
  if (transactions.length !== receipts.length) refuse("light/wrong-value", "a block with a receipt too few");
  return { block, transactions, receipts: receipts.map((encoded) => accept(decodeReceipt(encoded))) };
}

/** The logs of a block that are wanted, all of them: they are picked here, out of all receipts. */
export function pickLogs(
  { block, transactions, receipts }: ProvedBody,
  criteria: LogCriteria,
): readonly ProvedLog[] {
  const found: ProvedLog[] = [];
  let logIndex = 0;
  receipts.forEach(({ logs }, transactionIndex) => {
    for (const log of logs) {
      if (isWanted(log, criteria)) {
        const transactionHash = keccak256(transactions[transactionIndex] ?? EMPTY_BYTES);
        found.push({ block, transactionHash, transactionIndex, logIndex, log });
      }
      logIndex++;
    }
  });
  return found;
}

function isWanted(log: Log, { addresses, topics = [] }: LogCriteria): boolean {
  if (addresses !== undefined && !addresses.some((address) => equalBytes(address, log.address))) return false;
  return topics.every((wanted, position) => {
    const topic = log.topics[position];
    if (topic === undefined) return false;
    return wanted === undefined || wanted.some((one) => equalBytes(one, topic));
  });
}

export function toQuantity(value: number): string {
  return `0x${value.toString(16)}`;
}
