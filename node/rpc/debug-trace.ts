import { toHex } from "@ostrom/base";
import type { AccountOverride, BlockOverride } from "@ostrom/execution";
import { type BlockParameter, blockNumberOrTag, blockParameter, LATEST } from "./block-parameter.ts";
import { count, type Decoder, data, hash, objectOf, optionalField } from "./decode.ts";
import { blockOverride, callChainId, callRequest, stateOverrides } from "./decode-call.ts";
import type { RpcLimits } from "./limits.ts";
import { defineTextMethod, type Method, optional, required } from "./method.ts";
import { invalidParams, serverError } from "./rpc-error.ts";
import { DEFAULT_TRACE, readTraceChoice, type TraceChoice, traceChoice } from "./trace-options.ts";
import { askForTrace, locate, resolveBlock } from "./trace-request.ts";

const TRACE = "the tracer's answer: {gas, failed, returnValue, structLogs}, or a named tracer's";
const choice = optional("options", traceChoice, DEFAULT_TRACE);

export const debugTraceMethods = (limits: RpcLimits): readonly Method[] => [
  defineTextMethod({
    name: "debug_traceTransaction",
    summary: "Runs a transaction of a block again and tells what it did.",
    parameters: [required("hash", hash), choice],
    returns: TRACE,
    run: (context, transactionHash, { options, timeoutMs }) => {
      const { blockNumber, index } = locate(context, transactionHash);
      return askForTrace(context, { kind: "transaction", blockNumber, index, options }, timeoutMs);
    },
  }),
  ...blockMethods,
  defineTextMethod({
    name: "debug_traceCall",
    summary: "Runs a message on a block's state without effect and tells what it did.",
    parameters: [
      required("call", call),
      optional("block", blockParameter, LATEST),
      optional("options", callChoice(limits), DEFAULT_CALL),
    ],
    returns: TRACE,
    run: (context, { request, chainId }, parameter, given) => {
      const ours = context.backend.info.rules.chainId;
      if (chainId !== undefined && chainId !== ours) {
        throw invalidParams(`chainId does not match node's (have=${chainId}, want=${ours})`);
      }
      const { options, timeoutMs, ...rest } = given;
      const blockNumber = resolveBlock(context, parameter);
      const gasCap = limits.callGas;
      return askForTrace(
        context,
        { kind: "call", blockNumber, request, gasCap, options, ...rest },
        timeoutMs,
      );
    },
  }),
];

const blockMethods: readonly Method[] = [
  defineTextMethod({
    name: "debug_traceBlockByNumber",
    summary: "Runs all transactions of a block again and tells what they did.",
    parameters: [required("block", blockNumberOrTag), choice],
    returns: `array of {txHash, result: ${TRACE}}`,
    run: (context, parameter, { options, timeoutMs }) => {
      const blockNumber = context.blocks.resolve(parameter);
      if (blockNumber === undefined) throw serverError(`block ${nameOf(parameter)} not found`);
      return askForTrace(context, { kind: "block", blockNumber, options }, timeoutMs);
    },
  }),
  defineTextMethod({
    name: "debug_traceBlockByHash",
    summary: "Runs all transactions of a block again and tells what they did.",
    parameters: [required("hash", hash), choice],
    returns: `array of {txHash, result: ${TRACE}}`,
    run: (context, blockHash, { options, timeoutMs }) => {
      const blockNumber = context.blocks.resolve({ kind: "hash", hash: blockHash });
      if (blockNumber === undefined) throw serverError(`block ${toHex(blockHash)} not found`);
      return askForTrace(context, { kind: "block", blockNumber, options }, timeoutMs);
    },
  }),
  defineTextMethod({
    name: "debug_traceBlock",
    summary: "Runs the transactions of a block that is given as RLP, on the state after its parent.",
    parameters: [required("block", data), choice],
    returns: `array of {txHash, result: ${TRACE}}`,
    run: (context, raw, { options, timeoutMs }) =>
      askForTrace(context, { kind: "rawBlock", raw, options }, timeoutMs),
  }),
];

function nameOf(parameter: BlockParameter): string {
  switch (parameter.kind) {
    case "tag":
      return parameter.tag;
    case "number":
      return `#${parameter.number}`;
    case "hash":
      return toHex(parameter.hash);
    default:
      return parameter satisfies never;
  }
}

const call: Decoder<{
  readonly request: ReturnType<typeof callRequest.decode>;
  readonly chainId: bigint | undefined;
}> = {
  type: callRequest.type,
  decode: (value) => ({ request: callRequest.decode(value), chainId: callChainId(value) }),
};

/** geth's TraceCallConfig. */
type CallChoice = TraceChoice & {
  readonly accountOverrides: readonly AccountOverride[];
  readonly blockOverride: BlockOverride;
  /** The call finds the state that the block's transactions before this one have left. */
  readonly transactionIndex: number | undefined;
};

const DEFAULT_CALL: CallChoice = {
  ...DEFAULT_TRACE,
  accountOverrides: [],
  blockOverride: {},
  transactionIndex: undefined,
};

function callChoice(limits: RpcLimits): Decoder<CallChoice> {
  const overrides = stateOverrides(limits.overrideEntries);
  return objectOf(`${traceChoice.type} with {stateOverrides, blockOverrides, txIndex}`, (object) => ({
    ...readTraceChoice(object),
    accountOverrides: optionalField(object, "stateOverrides", overrides) ?? [],
    blockOverride: optionalField(object, "blockOverrides", blockOverride) ?? {},
    transactionIndex: optionalField(object, "txIndex", count),
  }));
}
