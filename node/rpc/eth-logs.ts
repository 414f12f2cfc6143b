import { count, type Decoder, objectOf, optionalField } from "./decode.ts";
import type { RpcLimits } from "./limits.ts";
import { type LogCursor, logCursor, logPage } from "./log-pages.ts";
import { getLogs, logFilter } from "./log-search.ts";
import { defineMethod, type Method, optional, required } from "./method.ts";

/** Logs of a page unless the client says how many. */
const DEFAULT_PAGE_LOGS = 1_000;

type Page = { readonly cursor: LogCursor | undefined; readonly limit: number };

const page: Decoder<Page> = objectOf("page {cursor, limit}", (object) => ({
  cursor: optionalField(object, "cursor", logCursor),
  limit: Math.max(1, optionalField(object, "limit", count) ?? DEFAULT_PAGE_LOGS),
}));

const FIRST_PAGE: Page = { cursor: undefined, limit: DEFAULT_PAGE_LOGS };

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
  defineMethod({
    name: "ostrom_getLogs",
    summary: "What eth_getLogs finds, in pages, over any range.",
    parameters: [required("filter", logFilter(limits)), optional("page", page, FIRST_PAGE)],
    returns: "{logs, cursor}; cursor is null after the last page, else for the next call",
    run: ({ blocks, backend, deadlineMs }, filter, wanted) => {
      return logPage(backend.chain, blocks, filter, wanted, limits, deadlineMs);
    },
  }),
];
