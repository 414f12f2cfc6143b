import type { Address, Bytes, Hash } from "@ostrom/base";
import { type BlockParameter, blockParameter } from "./block-parameter.ts";
import {
  address,
  count,
  type Decoder,
  data,
  flag,
  hash,
  listOf,
  quantity64,
  quantity256,
  text,
} from "./decode.ts";

/** What parameters may be made of, for methods that other packages define. */
export const parameterTypes: {
  readonly address: Decoder<Address>;
  readonly hash: Decoder<Hash>;
  readonly data: Decoder<Bytes>;
  readonly text: Decoder<string>;
  readonly flag: Decoder<boolean>;
  /** Below 2^53. */
  readonly count: Decoder<number>;
  readonly quantity64: Decoder<bigint>;
  readonly quantity256: Decoder<bigint>;
  readonly block: Decoder<BlockParameter>;
  /** @param limit of entries. */
  readonly listOf: <T>(entry: Decoder<T>, limit: number) => Decoder<readonly T[]>;
} = { address, hash, data, text, flag, count, quantity64, quantity256, block: blockParameter, listOf };
