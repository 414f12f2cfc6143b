import { logFilter, logsOfBlock, resolveRange, searchLogs } from "./log-search.ts";
import type { RpcLimits } from "./limits.ts";
import { defineMethod, type Method, required } from "./method.ts";
import { limitExceeded, serverError } from "./rpc-error.ts";

export const ethLogMethods = (limits: RpcLimits): readonly Method[] => [
  defineMethod({
    name: "eth_getLogs",
    summary: "The logs of a range of blocks, or of one block, that match addresses and topics.",
    parameters: [required("filter", logFilter(limits))],
    returns: "array of logs",
    run: async ({ blocks, backend, deadlineMs }, filter) => {
      if (filter.blockHash !== undefined) {
        const block = blocks.byHash(filter.blockHash);
        if (block === undefined) throw serverError("unknown block");
        return logsOfBlock(block, filter.criteria);
      }
      const range = resolveRange(blocks, filter);
      const length = range.toBlock - range.fromBlock + 1;
      if (length > limits.logRangeBlocks) {
        throw limitExceeded(
          `block range of ${length} is above the limit of ${limits.logRangeBlocks}: ask in parts`,
          limits.logRangeBlocks,
        );
      }
      const wanted = { ...range, maxResults: limits.logResults };
      const { logs } = await searchLogs(backend.chain, blocks, filter.criteria, wanted, deadlineMs);
      if (logs.length > limits.logResults) {
        throw limitExceeded(
          `query returned more than ${limits.logResults} results: ask for fewer blocks`,
          limits.logResults,
        );
      }
      return logs;
    },
  }),
];
