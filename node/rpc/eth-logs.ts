import type { RpcLimits } from "./limits.ts";
import { getLogs, logFilter } from "./log-search.ts";
import { defineMethod, type Method, required } from "./method.ts";

export const ethLogMethods = (limits: RpcLimits): readonly Method[] => [
  defineMethod({
    name: "eth_getLogs",
    summary: "The logs of a range of blocks, or of one block, that match addresses and topics.",
    parameters: [required("filter", logFilter(limits))],
    returns: "array of logs",
    run: ({ blocks, backend, deadlineMs }, filter) => {
      return getLogs(backend.chain, blocks, filter, limits, deadlineMs);
    },
  }),
];
