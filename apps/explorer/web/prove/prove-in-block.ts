import { type Bytes, fromHex, type Hash, hashFromHex, toHex, toHexDigits } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { chainHash } from "@ostrom/execution";
import type { ProvedOutcome, ProvedTransaction, VerifiedHeader } from "@ostrom/sdk";
import { accept, Ended, finish, type Subject } from "./ended.ts";
import type { ProofPath, ProofQuestion, ProvedField, StepFacts } from "./proof-model.ts";
import type { RecordedServer } from "./recorder.ts";
import { retracePath } from "./trie-path.ts";

type BlockQuestion = Extract<ProofQuestion, { readonly hash: unknown }>;
type ProofAnswer = { readonly proof?: readonly string[]; readonly receiptProof?: readonly string[] };

/** Proves a transaction, or what became of it, in its block. @throws Ended */
export async function proveInBlock(subject: Subject, question: BlockQuestion): Promise<void> {
  const { client, recorded, head, add } = subject;
  const isReceipt = question.kind === "receipt";
  const hash = hashFromHex(question.hash);
  const result = await (isReceipt ? client.receipt(hash) : client.transaction(hash));
  // A header on the way that does not fit is another wrong than a proof that does not.
  const phase = !result.ok && result.error.code === "light/wrong-header" ? "block" : "proof";
  const found: ProvedTransaction | ProvedOutcome | undefined = accept(phase, result);
  if (found === undefined) {
    const message = "the node shows no certified block that holds it";
    throw new Ended("proof", { code: "page/not-certified", message });
  }
  const { block } = found;
  if (block.header.number !== head.header.number) add(ancestorFacts(recorded, block));
  const method = isReceipt ? "ostrom_getReceiptProof" : "ostrom_getTransactionProof";
  add({ step: "path", paths: pathsOf(found, (recorded.lastAnswer(method) ?? {}) as ProofAnswer, isReceipt) });
  const fields = isReceipt
    ? await receiptFields(recorded, question, found as ProvedOutcome)
    : await transactionFields(recorded, question, found);
  finish(subject, fields, false);
}

function pathsOf(
  { block, index }: ProvedTransaction,
  { proof, receiptProof }: ProofAnswer,
  isReceipt: boolean,
): readonly ProofPath[] {
  const key = toHexDigits(encodeRlp(rlpUint(index)));
  const path = (of: ProofPath["of"], root: Hash, nodes: readonly string[] = []): ProofPath => ({
    of,
    root: toHex(root),
    key,
    nodes: retracePath(key, nodes.map(bytesOf), chainHash(block)),
  });
  const { transactionsRoot, receiptsRoot } = block.header;
  const transaction = path("transaction", transactionsRoot, proof);
  return isReceipt ? [transaction, path("receipt", receiptsRoot, receiptProof)] : [transaction];
}

function ancestorFacts(recorded: RecordedServer, { header, hash }: VerifiedHeader): StepFacts {
  const way = recorded.wasAsked("eth_getProof") ? "history" : "parents";
  return { step: "ancestor", height: header.number, hash: toHex(hash), way };
}

type Said = Readonly<Record<string, unknown>>;

/** What the node says without proof of the same thing. */
async function ask(recorded: RecordedServer, method: string, hash: string): Promise<Said> {
  const [answer] = await recorded.server.ask([{ method, params: [hash] }]);
  return answer?.ok === true && typeof answer.value === "object" && answer.value !== null
    ? (answer.value as Said)
    : {};
}

async function transactionFields(
  recorded: RecordedServer,
  { hash }: BlockQuestion,
  { block, index, transaction }: ProvedTransaction,
): Promise<readonly ProvedField[]> {
  const said = await ask(recorded, "eth_getTransactionByHash", hash);
  const to = transaction.to === undefined ? "" : toHex(transaction.to);
  return [
    { name: "block", value: String(block.header.number), said: decimal(said["blockNumber"]) },
    { name: "index", value: String(index), said: decimal(said["transactionIndex"]) },
    { name: "from", value: toHex(transaction.sender), said: lowerCase(said["from"]) },
    { name: "to", value: to, said: said["to"] === null ? "" : lowerCase(said["to"]) },
    { name: "value", value: String(transaction.value), said: decimal(said["value"]) },
    { name: "nonce", value: String(transaction.nonce), said: decimal(said["nonce"]) },
  ];
}

async function receiptFields(
  recorded: RecordedServer,
  { hash }: BlockQuestion,
  { block, receipt }: ProvedOutcome,
): Promise<readonly ProvedField[]> {
  const said = await ask(recorded, "eth_getTransactionReceipt", hash);
  const logs = Array.isArray(said["logs"]) ? String(said["logs"].length) : undefined;
  return [
    { name: "status", value: receipt.succeeded ? "1" : "0", said: decimal(said["status"]) },
    { name: "block", value: String(block.header.number), said: decimal(said["blockNumber"]) },
    { name: "gasUsed", value: String(receipt.gasUsed), said: decimal(said["gasUsed"]) },
    { name: "logs", value: String(receipt.logs.length), said: logs },
  ];
}

function decimal(value: unknown): string | undefined {
  return typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value)
    ? BigInt(value).toString()
    : undefined;
}

function lowerCase(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase() : undefined;
}

function bytesOf(text: string): Bytes {
  const read = fromHex(text);
  return read.ok ? read.value : new Uint8Array(0);
}
