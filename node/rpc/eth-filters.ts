import { text } from "./decode.ts";
import type { RpcLimits } from "./limits.ts";
import { logFilter } from "./log-search.ts";
import { defineMethod, type Method, required } from "./method.ts";
import { invalidParams } from "./rpc-error.ts";

const id = required("id", text);

export const ethFilterMethods = (limits: RpcLimits): readonly Method[] => [
  defineMethod({
    name: "eth_newBlockFilter",
    summary: "Installs a filter that eth_getFilterChanges polls for the hashes of new blocks.",
    parameters: [],
    returns: "id",
    run: ({ filters }) => filters.installBlockFilter(),
  }),
  defineMethod({
    name: "eth_newPendingTransactionFilter",
    summary: "Installs a filter that eth_getFilterChanges polls for the hashes of new pending transactions.",
    parameters: [],
    returns: "id",
    run: ({ filters }) => filters.installPendingFilter(),
  }),
  defineMethod({
    name: "eth_newFilter",
    summary: "Installs a filter that eth_getFilterChanges polls for new logs.",
    parameters: [required("filter", logFilter(limits))],
    returns: "id",
    run: ({ filters }, filter) => {
      if (filter.blockHash !== undefined)
        throw invalidParams("invalid argument 0: a filter takes no blockHash");
      return filters.installLogFilter(filter);
    },
  }),
  defineMethod({
    name: "eth_getFilterChanges",
    summary: "What is new since a filter was polled last.",
    parameters: [id],
    returns: "array of hashes or logs",
    run: ({ filters, deadlineMs }, filterId) => filters.changes(filterId, deadlineMs),
  }),
  defineMethod({
    name: "eth_getFilterLogs",
    summary: "All the logs of a log filter's range.",
    parameters: [id],
    returns: "array of logs",
    run: ({ filters, deadlineMs }, filterId) => filters.allLogs(filterId, deadlineMs),
  }),
  defineMethod({
    name: "eth_uninstallFilter",
    summary: "Removes a filter; unpolled ones go by themselves after a while.",
    parameters: [id],
    returns: "whether it was there",
    run: ({ filters }, filterId) => filters.uninstall(filterId),
  }),
];
