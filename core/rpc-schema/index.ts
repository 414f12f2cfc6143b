export {
  accessListToJson,
  BLOB_BASE_FEE,
  blockToJson,
  checksumAddress,
  headerToJson,
  type Inclusion,
  inclusionOf,
  logToJson,
  pendingTransactionToJson,
  quantity,
  receiptToJson,
  transactionToJson,
  word,
} from "./encode.ts";
export type { Json, JsonObject } from "./json.ts";
