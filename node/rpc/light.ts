import { type Hash, must, toHex } from "@ostrom/base";
import { type ChainRules, chainHash, encodeHeader, encodeReceipt } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import type { RpcBackend } from "./backend.ts";
import { type BlockParameter, blockParameter } from "./block-parameter.ts";
import { headerNotFound, type ReadBlock } from "./block-reader.ts";
import { count, countOrNumber, hash } from "./decode.ts";
import { type IndexTrie, indexTrie, proveIndex } from "./index-proof.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LightReads, StoredCertificate } from "./light-reads.ts";
import { defineMethod, type Method, optional, type RequestContext, required } from "./method.ts";
import { limitExceeded } from "./rpc-error.ts";

/** Headers in one answer. */
export const MAX_HEADERS = 512;

const FINALIZED: BlockParameter = { kind: "tag", tag: "finalized" };

/** What light clients need to trust nobody: certificates, and proofs under the headers that they certify. */
export const lightMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getGenesis",
    summary: "Genesis' header and the text of its parameters, of which `extraData` is the hash.",
    parameters: [],
    returns: "null (a chain without state certificates) or {header, parameters}",
    run: ({ backend }) => {
      const header = backend.light === undefined ? undefined : backend.chain.header(0)?.header;
      if (backend.light === undefined || header === undefined) return null;
      return { header: toHex(encodeHeader(header)), parameters: backend.light.genesisParameters };
    },
  }),
  defineMethod({
    name: "ostrom_getStateCertificate",
    summary:
      "A header that validators of two thirds of the weight signed: the newest one for a tag, the lowest one kept from a height on for a number.",
    parameters: [optional("block", blockParameter, FINALIZED)],
    returns:
      "null or {height, header, certificate}: the header's RLP, the certificate as core/consensus encodes it",
    run: ({ backend, blocks }, parameter) => {
      const { light } = backend;
      if (light === undefined) return null;
      return certified(backend, findCertificate(light, blocks.resolve(parameter), parameter));
    },
  }),
  defineMethod({
    name: "ostrom_getEpochProof",
    summary:
      "The validator set of the epoch after this one, with a certificate by this epoch's set that names its hash.",
    parameters: [required("epoch", countOrNumber)],
    returns:
      "null (not certified yet) or {epoch, height, header, certificate, schemeId, validators: [{address, consensusKey, transportKey, weight}]}; epoch is the set's",
    run: ({ backend }, epoch) => {
      const { light, validators } = backend;
      const next = validators?.set(epoch + 1);
      const step = next === undefined ? null : certified(backend, light?.epochStep(epoch));
      if (next === undefined || step === null) return null;
      return {
        ...step,
        epoch: quantity(epoch + 1),
        schemeId: quantity(next.schemeId),
        validators: next.validators.map(({ address, consensusKey, transportKey, weight }) => ({
          address: toHex(address),
          consensusKey: toHex(consensusKey),
          transportKey: toHex(transportKey),
          weight: quantity(weight),
        })),
      };
    },
  }),
  defineMethod({
    name: "ostrom_getHeaders",
    summary: `Headers' RLP from a height on, at most ${MAX_HEADERS}.`,
    parameters: [required("fromBlock", count), required("count", countOrNumber)],
    returns: "array of data; shorter than asked at the newest block",
    run: ({ backend }, fromBlock, wanted) => {
      if (wanted > MAX_HEADERS) throw limitExceeded(`too many headers (max ${MAX_HEADERS})`, MAX_HEADERS);
      const headers: string[] = [];
      for (let number = fromBlock; number < fromBlock + wanted; number++) {
        const found = backend.chain.header(number);
        if (found === undefined) break;
        headers.push(toHex(encodeHeader(found.header)));
      }
      return headers;
    },
  }),
  defineMethod({
    name: "ostrom_getBlockBody",
    summary: "All that a header's transactionsRoot and receiptsRoot are of.",
    parameters: [required("block", blockParameter)],
    returns: "{transactions, receipts}: arrays of data, as the tries hold them",
    run: (context, parameter) => {
      const block = findBlock(context, parameter);
      return { transactions: transactionsOf(block).map(toHex), receipts: receiptsOf(block).map(toHex) };
    },
  }),
  defineMethod({
    name: "ostrom_getTransactionProof",
    summary: "Where a transaction is, and the Merkle proof of it in the header's transactionsRoot.",
    parameters: [required("hash", hash)],
    returns: "null or {blockNumber, transactionIndex, proof}",
    run: (context, transactionHash) => {
      const found = locate(context, transactionHash);
      if (found === undefined) return null;
      const proof = proveIndex(
        triesOf(found.block, context.backend.info.rules).transactions(),
        found.index,
      ).map(toHex);
      return { ...placeOf(found), proof };
    },
  }),
  defineMethod({
    name: "ostrom_getReceiptProof",
    summary:
      "Merkle proofs of a transaction and of its receipt, and of the receipt before it, which tells the gas used.",
    parameters: [required("hash", hash)],
    returns: "null or {blockNumber, transactionIndex, proof, receiptProof, previousReceiptProof}",
    run: (context, transactionHash): Json => {
      const found = locate(context, transactionHash);
      if (found === undefined) return null;
      const { block, index } = found;
      const tries = triesOf(block, context.backend.info.rules);
      return {
        ...placeOf(found),
        proof: proveIndex(tries.transactions(), index).map(toHex),
        receiptProof: proveIndex(tries.receipts(), index).map(toHex),
        previousReceiptProof: index === 0 ? [] : proveIndex(tries.receipts(), index - 1).map(toHex),
      };
    },
  }),
];

function findCertificate(
  light: LightReads,
  blockNumber: number | undefined,
  parameter: BlockParameter,
): StoredCertificate | undefined {
  if (parameter.kind === "tag" && parameter.tag !== "earliest") return light.newestCertificate();
  return blockNumber === undefined ? undefined : light.certificateFrom(blockNumber);
}

function certified({ chain }: RpcBackend, stored: StoredCertificate | undefined): JsonObject | null {
  const found = stored === undefined ? undefined : chain.header(stored.height);
  if (stored === undefined || found === undefined) return null;
  return {
    height: quantity(stored.height),
    header: toHex(encodeHeader(found.header)),
    certificate: toHex(stored.bytes),
  };
}

function findBlock({ blocks }: RequestContext, parameter: BlockParameter): ReadBlock {
  const blockNumber = blocks.resolve(parameter);
  const block = blockNumber === undefined ? undefined : blocks.byNumber(blockNumber);
  if (block === undefined) throw headerNotFound(parameter);
  return block;
}

type Located = { readonly block: ReadBlock; readonly index: number };

function locate({ backend, blocks }: RequestContext, transactionHash: Hash): Located | undefined {
  const location = backend.chain.transactionLocation(transactionHash);
  const block = location === undefined ? undefined : blocks.byNumber(location.blockNumber);
  return location === undefined || block === undefined ? undefined : { block, index: location.index };
}

function placeOf({ block, index }: Located): JsonObject {
  return { blockNumber: quantity(block.header.number), transactionIndex: quantity(index) };
}

function transactionsOf({ transactions }: ReadBlock): readonly Uint8Array[] {
  return transactions.map(({ raw }) => raw);
}

function receiptsOf(block: ReadBlock): readonly Uint8Array[] {
  return block.receipts().map(encodeReceipt);
}

type BlockTries = { readonly transactions: () => IndexTrie; readonly receipts: () => IndexTrie };

/** They go when the cache of blocks forgets their block. */
const knownTries = new WeakMap<ReadBlock, BlockTries>();

function triesOf(block: ReadBlock, rules: ChainRules): BlockTries {
  const known = knownTries.get(block);
  if (known !== undefined) return known;
  const hash = chainHash(rules);
  let transactions: IndexTrie | undefined;
  let receipts: IndexTrie | undefined;
  const tries = {
    transactions: () => {
      transactions ??= indexTrie(transactionsOf(block), hash);
      return must(transactions, "it was just made");
    },
    receipts: () => {
      receipts ??= indexTrie(receiptsOf(block), hash);
      return must(receipts, "it was just made");
    },
  };
  knownTries.set(block, tries);
  return tries;
}
