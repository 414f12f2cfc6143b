export { DatabaseError } from "./database.ts";
export { type Indexer, type IndexerOptions, openIndexer } from "./indexer.ts";
export type * from "./rest-types.ts";
