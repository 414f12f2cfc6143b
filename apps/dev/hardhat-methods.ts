import { toHex } from "@ostrom/base";
import { type Method, optional, parameterTypes, required } from "@ostrom/rpc";
import { pendingTransactionToJson } from "@ostrom/rpc-schema";
import type { Controls } from "./controls.ts";
import { anything, define } from "./method-parts.ts";

/** What Hardhat's tools alone ask for. */
export function hardhatMethods({ chain, clientVersion, instanceId }: Controls): readonly Method[] {
  let failures = 0;
  return [
    define({
      name: "eth_pendingTransactions",
      summary: "What waits for a block, as it came.",
      parameters: [],
      returns: "transactions",
      run: () => chain.pool.all().map(pendingTransactionToJson),
    }),
    define({
      name: "hardhat_metadata",
      summary: "What this chain is and how far it is.",
      parameters: [],
      returns: "{clientVersion, chainId, instanceId, latestBlockNumber, latestBlockHash}",
      run: () => ({
        clientVersion,
        chainId: Number(chain.genesis.rules.chainId),
        instanceId,
        latestBlockNumber: chain.maker.head.header.number,
        latestBlockHash: toHex(chain.maker.head.hash),
      }),
    }),
    define({
      name: "hardhat_addCompilationResult",
      summary: "Gives the compiler's input and output of contracts, for stack traces and names in the log.",
      parameters: [
        required("solcVersion", parameterTypes.text),
        required("input", anything),
        required("output", anything),
        optional("unused", anything, undefined),
      ],
      returns: "whether it was taken",
      run: (version, input, output) => {
        const isTaken = chain.observer.addCompilationResult?.(version, input, output) ?? false;
        if (!isTaken) failures += 1;
        return isTaken;
      },
    }),
    define({
      name: "hardhat_getStackTraceFailuresCount",
      summary: "How many compilation results could not be read.",
      parameters: [],
      returns: "number",
      run: () => failures,
    }),
    define({
      name: "hardhat_intervalMine",
      summary: "Makes a block, as the timer does.",
      parameters: [],
      returns: "true",
      run: async () => {
        await chain.exclusive(() => chain.makeBlock());
        return true;
      },
    }),
  ];
}
