import {
  type Json,
  LATEST,
  type Method,
  optional,
  parameterTypes,
  quantity,
  type RequestContext,
  required,
} from "@ostrom/rpc";
import { type Controls, mineBlocks } from "./controls.ts";
import { alias, define, invalidInput } from "./method-parts.ts";
import { type MineRequest, mineRequest } from "./mine-request.ts";

const NOTHING_ASKED: MineRequest = {};

/** Methods that are made of others, which every node has. @param byName those. */
export function composedMethods(controls: Controls, byName: (name: string) => Method): readonly Method[] {
  const { chain } = controls;
  const ask = async (context: RequestContext, name: string, ...given: readonly unknown[]): Promise<Json> =>
    byName(name).call(context, given);
  const sendNow: Method["call"] = async (context, given) => {
    const hash = await ask(context, "eth_sendTransaction", ...given);
    return (await ask(context, "eth_getTransactionReceipt", hash)) ?? stillWaits(hash);
  };
  const mineDetailed: Method["call"] = async (context, given) => {
    const { timestamp, blocks = 1 } = given[0] === undefined ? NOTHING_ASKED : mineRequest.decode(given[0]);
    const before = chain.maker.head.header.number;
    await mineBlocks(controls, blocks, undefined, timestamp);
    const made = Array.from({ length: Math.min(blocks, MAX_TOLD_BLOCKS) }, (_, index) => before + 1 + index);
    return Promise.all(made.map((number) => ask(context, "eth_getBlockByNumber", quantity(number), true)));
  };
  const mine: Method = {
    name: "evm_mine_detailed",
    summary: "As evm_mine, and tells the blocks.",
    parameters: [optional("options", mineRequest, NOTHING_ASKED)],
    returns: "blocks with their transactions",
    call: mineDetailed,
  };
  const header: Method = { ...byName("eth_getBlockByNumber"), name: "erigon_getHeaderByNumber" };
  return [
    { ...byName("eth_sendTransaction"), name: "eth_sendTransactionSync", returns: "receipt", call: sendNow },
    mine,
    ...alias(mine, "evm_mineDetailed", "anvil_mine_detailed"),
    { ...byName("debug_getRawTransaction"), name: "eth_getRawTransactionByHash" },
    {
      ...header,
      call: (context, given) => ask(context, "eth_getBlockByNumber", given[0] ?? "latest", false),
    },
    accountInfo(ask),
    define({
      name: "anvil_getGenesisTime",
      summary: "The time of block 0, in seconds.",
      parameters: [],
      returns: "number",
      run: () => chain.genesis.timestampMs / MS_PER_SECOND,
    }),
  ];
}

/** Of many blocks that are made at once, the first are told. */
const MAX_TOLD_BLOCKS = 1_000;
const MS_PER_SECOND = 1_000;

function stillWaits(hash: Json): never {
  throw invalidInput("the transaction waits for a block", hash);
}

type Ask = (context: RequestContext, name: string, ...given: readonly unknown[]) => Promise<Json>;

function accountInfo(ask: Ask): Method {
  return {
    name: "eth_getAccountInfo",
    summary: "Balance, nonce and code of an account.",
    parameters: [
      required("address", parameterTypes.address),
      optional("block", parameterTypes.block, LATEST),
    ],
    returns: "{balance, nonce, code}",
    call: async (context, [address, block = "latest"]) => {
      const [balance, nonce, code] = await Promise.all(
        ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"].map((name) =>
          ask(context, name, address, block),
        ),
      );
      return { balance: balance ?? null, nonce: nonce ?? null, code: code ?? null };
    },
  };
}
