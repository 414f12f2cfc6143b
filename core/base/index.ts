export { assert, InvariantError, must } from "./assert.ts";
export {
  type Bytes,
  bigintToBytes,
  bigintToMinimalBytes,
  bytesToBigint,
  bytesToUint64,
  compareBytes,
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  fromHex,
  hex,
  padLeft,
  toHex,
  toHexDigits,
  uint64ToBytes,
  utf8,
} from "./bytes.ts";
export { EventQueue } from "./event-queue.ts";
export {
  Address,
  addressFromHex,
  addressFromWord,
  addressToWord,
  type Brand,
  Epoch,
  Gas,
  Hash,
  Height,
  hashFromHex,
  hashFromWord,
  View,
  Wei,
  Weight,
  wordToBytes,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "./quantities.ts";
export { createRandom, type Random } from "./random.ts";
export { err, type Failure, fail, ok, type Result, unwrap } from "./result.ts";
