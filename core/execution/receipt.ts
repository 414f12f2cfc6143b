import { Address, type Bytes, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  RlpError,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
} from "@ostrom/codec";
import type { Log } from "@ostrom/state";
import { logsBloom } from "./bloom.ts";
import { AGILE_TRANSACTION_TYPE, type Receipt, type TransactionType } from "./types.ts";

const MAX_TOPICS = 4;
const MAX_ETHEREUM_TYPE = 4;

/** Reads what `encodeStoredReceipts` wrote; copies what it keeps. Errors: `receipt/malformed`. */
export function decodeStoredReceipts(bytes: Bytes): Result<readonly Receipt[], Failure<"receipt/malformed">> {
  const decoded = decodeRlpWith(bytes.slice(), (item) =>
    readRlpList(item, "receipts").map(readStoredReceipt),
  );
  return decoded.ok ? ok(decoded.value) : fail("receipt/malformed", decoded.error.message);
}

function readStoredReceipt(item: RlpItem): Receipt {
  const fields = readRlpList(item, "receipt", 7);
  const logs = readRlpList(fields[3], "logs").map(readLog);
  const contractAddress = readRlpBytes(fields[6], "contract address");
  return {
    type: readType(fields[0]),
    succeeded: readStatus(fields[1]),
    cumulativeGasUsed: readRlpUint(fields[2], "cumulative gas", 8),
    bloom: logsBloom(logs),
    logs,
    gasUsed: readRlpUint(fields[4], "gas used", 8),
    effectiveGasPrice: readRlpUint(fields[5], "effective gas price"),
    contractAddress:
      contractAddress.length === 0 ? undefined : Address(readRlpBytes(fields[6], "contract address", 20)),
  };
}

function readType(item: RlpItem | undefined): TransactionType {
  const type = readRlpCount(item, "type");
  if (type > MAX_ETHEREUM_TYPE && type !== AGILE_TRANSACTION_TYPE)
    throw new RlpError("rlp/wrong-shape", "receipt of an unknown type");
  return type as TransactionType;
}

function readStatus(item: RlpItem | undefined): boolean {
  const status = readRlpUint(item, "status", 1);
  if (status > 1n) throw new RlpError("rlp/wrong-shape", "receipt status must be 0 or 1");
  return status === 1n;
}

function readLog(item: RlpItem): Log {
  const [address, topics, data] = readRlpList(item, "log", 3);
  const list = readRlpList(topics, "topics");
  if (list.length > MAX_TOPICS) throw new RlpError("rlp/wrong-shape", "a log has at most four topics");
  return {
    address: Address(readRlpBytes(address, "log address", 20)),
    topics: list.map((topic) => Hash(readRlpBytes(topic, "topic", 32))),
    data: readRlpBytes(data, "log data"),
  };
}
