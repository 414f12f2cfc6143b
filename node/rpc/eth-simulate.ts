import type { AccountOverride } from "@ostrom/execution";
import { blockParameter, LATEST } from "./block-parameter.ts";
import {
  address,
  type Decoder,
  decodePart,
  flag,
  hash,
  listOf,
  objectOf,
  optionalField,
  quantity64,
  ValueError,
} from "./decode.ts";
import { blockOverride, callRequest, stateOverrides } from "./decode-call.ts";
import { isGiven, isParsedObject, own, type ParsedObject } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { defineTextMethod, type Method, optional, required } from "./method.ts";
import { invalidParams, RpcError } from "./rpc-error.ts";
import type { SimulatedBlock, SimulatedBlocks, SimulatedCall } from "./simulate-request.ts";
import { askForTrace, resolveBlock } from "./trace-request.ts";

/** Of the specification. */
const MAX_BLOCKS = 256;
const TOO_MANY_BLOCKS = -38026;
/** Longer lists are cut off while they are read. */
const MAX_LISTED_BLOCKS = 65_536;
/** Calls in one request, all blocks together. */
const MAX_CALLS = 5_000;

export const ethSimulateMethods = (limits: RpcLimits): readonly Method[] => [
  defineTextMethod({
    name: "eth_simulateV1",
    summary: "Runs calls in blocks that do not exist, one after the other, on top of a block.",
    parameters: [
      required("payload", simulatedBlocks(limits.overrideEntries)),
      optional("block", blockParameter, LATEST),
    ],
    returns: "array of blocks with {calls: [{returnData, logs, gasUsed, maxUsedGas, status, error}]}",
    run: (context, blocks, parameter) => {
      if (blocks.blocks.length === 0) throw invalidParams("empty input");
      if (blocks.blocks.length > MAX_BLOCKS) throw new RpcError(TOO_MANY_BLOCKS, "too many blocks");
      const blockNumber = resolveBlock(context, parameter);
      return askForTrace(context, { kind: "simulate", blockNumber, blocks, gasCap: limits.callGas });
    },
  }),
];

function simulatedBlocks(maxEntries: number): Decoder<SimulatedBlocks> {
  const type = "{blockStateCalls, traceTransfers, validation, returnFullTransactions}";
  return objectOf(type, (object) => {
    const isSet = (key: string): boolean => optionalField(object, key, flag) ?? false;
    const blocks = optionalField(
      object,
      "blockStateCalls",
      listOf(simulatedBlock(maxEntries), MAX_LISTED_BLOCKS),
    );
    const calls = (blocks ?? []).reduce((sum, block) => sum + block.calls.length, 0);
    if (calls > MAX_CALLS) throw new ValueError(`more than ${MAX_CALLS} calls`);
    return {
      blocks: blocks ?? [],
      traceTransfers: isSet("traceTransfers"),
      validation: isSet("validation"),
      returnFullTransactions: isSet("returnFullTransactions"),
    };
  });
}

function simulatedBlock(maxEntries: number): Decoder<SimulatedBlock> {
  return objectOf("{blockOverrides, stateOverrides, calls}", (object) => ({
    blockOverride: optionalField(object, "blockOverrides", simulatedOverride) ?? {},
    ...readOverrides(own(object, "stateOverrides"), maxEntries),
    calls: optionalField(object, "calls", listOf(simulatedCall, MAX_CALLS)) ?? [],
  }));
}

const simulatedOverride: Decoder<SimulatedBlock["blockOverride"]> = objectOf(blockOverride.type, (object) => {
  const parentBeaconBlockRoot = optionalField(object, "beaconRoot", hash);
  const override = blockOverride.decode(object);
  return parentBeaconBlockRoot === undefined ? override : { ...override, parentBeaconBlockRoot };
});

const simulatedCall: Decoder<SimulatedCall> = objectOf(callRequest.type, (object) => ({
  request: callRequest.decode(object),
  nonce: optionalField(object, "nonce", quantity64),
}));

type Overrides = Pick<SimulatedBlock, "accountOverrides" | "moves">;

/** Overrides as eth_call has them, and precompiles that are moved. */
function readOverrides(given: unknown, maxEntries: number): Overrides {
  if (!isGiven(given)) return { accountOverrides: [], moves: [] };
  if (!isParsedObject(given)) throw new ValueError("stateOverrides: expected an object");
  const moves: Overrides["moves"][number][] = [];
  const rest: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(given)) {
    const { account, to } = readMove(key, entry);
    rest[key] = account;
    if (to !== undefined) moves.push({ from: decodePart(address, key, "key"), to });
  }
  const decoded = stateOverrides(maxEntries).decode(rest);
  const moved = new Set(moves.map(({ from }) => from.join()));
  const accountOverrides = decoded.filter(
    (override) => !(moved.has(override.address.join()) && isEmptyOverride(override)),
  );
  return { accountOverrides, moves };
}

function readMove(
  key: string,
  entry: unknown,
): { readonly account: unknown; readonly to: Overrides["moves"][number]["to"] | undefined } {
  if (!isParsedObject(entry) || !isGiven(own(entry, "movePrecompileToAddress"))) {
    return { account: entry, to: undefined };
  }
  const { movePrecompileToAddress: target, ...account } = entry as ParsedObject & Record<string, unknown>;
  return { account, to: decodePart(address, target, `${key}: movePrecompileToAddress`) };
}

function isEmptyOverride(override: AccountOverride): boolean {
  return Object.keys(override).length === 1;
}
