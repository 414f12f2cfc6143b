import { toHex } from "@ostrom/base";
import type { AccountOverride, BlockOverride, CallOutcome, CallRequest } from "@ostrom/execution";
import { accessListToJson, quantity } from "@ostrom/rpc-schema";
import type { Simulation, SimulationFailure } from "./backend.ts";
import { type BlockParameter, blockParameter, LATEST } from "./block-parameter.ts";
import { headerNotFound, stateUnavailable } from "./block-reader.ts";
import type { Decoder } from "./decode.ts";
import { blockOverride, callChainId, callRequest, stateOverrides } from "./decode-call.ts";
import type { RpcLimits } from "./limits.ts";
import { defineMethod, type Method, optional, type RequestContext, required } from "./method.ts";
import { refusal } from "./pool-error.ts";
import { busy, executionReverted, invalidParams, type RpcError, serverError } from "./rpc-error.ts";

/** A call together with the chain it names, so that one for another chain can be refused. */
const call: Decoder<{ readonly request: CallRequest; readonly chainId: bigint | undefined }> = {
  type: callRequest.type,
  decode: (value) => ({ request: callRequest.decode(value), chainId: callChainId(value) }),
};

const accountOverrides = (limits: RpcLimits) =>
  optional("stateOverrides", stateOverrides(limits.overrideEntries), []);
const blockOverrides = optional("blockOverrides", blockOverride, {});
const block = optional("block", blockParameter, LATEST);

/** Simulations are short: there is room again soon. */
const BUSY_RETRY_MS = 250;

export const ethCallMethods = (limits: RpcLimits): readonly Method[] => [
  defineMethod({
    name: "eth_call",
    summary: "Runs a message on a block's state without effect.",
    parameters: [required("call", call), block, accountOverrides(limits), blockOverrides],
    returns: "data; error 3 with the revert data if it reverts",
    run: async (context, given, parameter, accounts, override) => {
      const simulation = simulationOf(context, given, parameter, accounts, override);
      const result = await context.simulations.call(simulation);
      if (!result.ok) throw simulationError(result.error, parameter, simulation);
      throwUnlessSucceeded(result.value);
      return toHex(result.value.output);
    },
  }),
  defineMethod({
    name: "eth_estimateGas",
    summary: "The smallest gas limit with which a message runs.",
    parameters: [required("call", call), block, accountOverrides(limits), blockOverrides],
    returns: "quantity; error 3 with the revert data if it reverts",
    run: async (context, given, parameter, accounts, override) => {
      const simulation = simulationOf(context, given, parameter, accounts, override);
      const result = await context.simulations.estimateGas(simulation);
      if (!result.ok) throw simulationError(result.error, parameter, simulation);
      if (result.value.kind === "estimated") return quantity(result.value.gas);
      const { outcome } = result.value;
      if (outcome.status === "fault" && /out of gas/i.test(outcome.fault ?? "")) {
        throw serverError(`gas required exceeds allowance (${simulation.gasCap})`);
      }
      throwUnlessSucceeded(outcome);
      throw serverError("gas estimation failed");
    },
  }),
  defineMethod({
    name: "eth_createAccessList",
    summary: "The access list of what a message touches, and the gas it uses with that list (EIP-2930).",
    parameters: [required("call", call), block, accountOverrides(limits)],
    returns: "{accessList, gasUsed, error}",
    run: async (context, given, parameter, accounts) => {
      const simulation = simulationOf(context, given, parameter, accounts, {});
      const result = await context.simulations.createAccessList(simulation);
      if (!result.ok) throw simulationError(result.error, parameter, simulation);
      const { accessList, outcome } = result.value;
      return {
        accessList: accessListToJson(accessList),
        ...(outcome.status === "success" ? {} : { error: failureText(outcome) }),
        gasUsed: quantity(outcome.gasUsed),
      };
    },
  }),
];

function simulationOf(
  { blocks, limits, backend, deadlineMs }: RequestContext,
  { request, chainId }: { readonly request: CallRequest; readonly chainId: bigint | undefined },
  parameter: BlockParameter,
  accountOverrides: readonly AccountOverride[],
  blockOverride: BlockOverride,
): Simulation {
  const ours = backend.info.rules.chainId;
  if (chainId !== undefined && chainId !== ours) {
    throw invalidParams(`chainId does not match node's (have=${chainId}, want=${ours})`);
  }
  const blockNumber = blocks.resolve(parameter);
  if (blockNumber === undefined) throw headerNotFound(parameter);
  const timeoutMs = Math.max(1, Math.floor(deadlineMs - performance.now()));
  return { blockNumber, request, accountOverrides, blockOverride, gasCap: limits.callGas, timeoutMs };
}

function throwUnlessSucceeded(outcome: CallOutcome): void {
  if (outcome.status === "revert") throw executionReverted(outcome.output);
  if (outcome.status === "fault") throw serverError(failureText(outcome));
}

function failureText(outcome: CallOutcome): string {
  return outcome.status === "revert" ? "execution reverted" : (outcome.fault ?? "execution failed");
}

function simulationError(
  failure: SimulationFailure,
  parameter: BlockParameter,
  { blockNumber, timeoutMs }: Simulation,
): RpcError {
  switch (failure.code) {
    case "rpc/unknown-block":
      return headerNotFound(parameter);
    case "rpc/state-too-old":
      return stateUnavailable(failure.code, blockNumber);
    case "rpc/timeout":
      return serverError(`execution aborted (timeout = ${timeoutMs} ms)`);
    case "rpc/busy":
      return busy(failure.message, BUSY_RETRY_MS);
    default:
      return refusal(failure);
  }
}
