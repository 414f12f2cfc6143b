import { toHex } from "@ostrom/base";
import type { CallOutcome, CallRequest } from "@ostrom/execution";
import {
  type BlockParameter,
  blockOverride,
  type ChainReads,
  callRequest,
  DEFAULT_LIMITS,
  type Decoder,
  LATEST,
  type Method,
  objectOf,
  optional,
  parameterTypes,
  quantity,
  type RpcError,
  required,
  type SimulationFailure,
  stateOverrides,
} from "@ostrom/rpc";

import { define, failedRun, internalError, invalidInput, plainFields } from "./method-parts.ts";
import type { FailureExplanation } from "./observation.ts";
import type { CallPlace, DevelopmentCall, Simulations } from "./simulations.ts";

const PENDING: BlockParameter = { kind: "tag", tag: "pending" };

const call: Decoder<CallRequest> = objectOf(callRequest.type, (object) =>
  callRequest.decode(plainFields(object)),
);
const overrides = stateOverrides(DEFAULT_LIMITS.overrideEntries);

/** eth_call and eth_estimateGas as developers' tools expect them: failures in Hardhat's words, estimates for the next block.
 * @param gasCap the most gas of a call that names none. */
export function callingMethods(
  simulations: Simulations,
  reads: ChainReads,
  gasCap: () => bigint,
): readonly Method[] {
  const placed = (
    request: CallRequest,
    parameter: BlockParameter,
    rest: Pick<DevelopmentCall, "accountOverrides" | "blockOverride">,
  ): DevelopmentCall => ({ request, ...rest, gasCap: gasCap(), place: placeOf(parameter, reads) });
  return [
    define({
      name: "eth_call",
      summary: "Runs a message on a block's state without effect; console.log is printed.",
      parameters: [
        required("call", call),
        optional("block", parameterTypes.block, LATEST),
        optional("stateOverrides", overrides, []),
        optional("blockOverrides", blockOverride, {}),
      ],
      returns: "data; error 3 with the revert data if it reverts",
      run: (request, parameter, accountOverrides, override) => {
        const rest = { accountOverrides, blockOverride: override };
        const result = simulations.call(placed(request, parameter, rest));
        if (!result.ok) throw notStarted(result.error);
        throwFailure(result.value.value, result.value.failure);
        return toHex(result.value.value.output);
      },
    }),
    define({
      name: "eth_estimateGas",
      summary: "The smallest gas limit with which a message runs in the next block.",
      parameters: [
        required("call", call),
        optional("block", parameterTypes.block, PENDING),
        optional("stateOverrides", overrides, []),
        optional("blockOverrides", blockOverride, {}),
      ],
      returns: "quantity; error 3 with the revert data if it reverts",
      run: (request, parameter, accountOverrides, override) => {
        const rest = { accountOverrides, blockOverride: override };
        const given = placed(request, parameter, rest);
        const place = given.place.kind === "block" && isNewest(given.place, reads) ? NEXT : given.place;
        const result = simulations.estimateGas({ ...given, place });
        if (!result.ok) throw notStarted(result.error);
        const { value, failure } = result.value;
        if (value.kind === "estimated") return quantity(value.gas);
        throwFailure(value.outcome, failure);
        throw internalError("gas estimation failed");
      },
    }),
  ];
}

const NEXT: CallPlace = { kind: "next" };

function isNewest({ number }: Extract<CallPlace, { readonly kind: "block" }>, reads: ChainReads): boolean {
  return number === reads.heads().latest;
}

function placeOf(parameter: BlockParameter, reads: ChainReads): CallPlace {
  const { latest } = reads.heads();
  switch (parameter.kind) {
    case "number":
      if (parameter.number > latest) {
        throw invalidInput(
          `Received invalid block tag ${parameter.number}. Latest block number is ${latest}`,
        );
      }
      return { kind: "block", number: parameter.number };
    case "hash": {
      const number = reads.blockNumberOf(parameter.hash);
      if (number === undefined) throw invalidInput(`Received invalid block hash ${toHex(parameter.hash)}`);
      return { kind: "block", number };
    }
    case "tag":
      if (parameter.tag === "pending") return { kind: "pending" };
      return { kind: "block", number: parameter.tag === "earliest" ? 0 : latest };
    default:
      return parameter satisfies never;
  }
}

function throwFailure(outcome: CallOutcome, failure: FailureExplanation | undefined): void {
  if (outcome.status === "success") return;
  const message = failure?.message ?? "Transaction reverted without a reason string";
  throw failedRun(outcome, message);
}

function notStarted(failure: SimulationFailure): RpcError {
  return invalidInput(failure.message, { reason: failure.code });
}
