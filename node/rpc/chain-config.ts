import { crc32 } from "node:zlib";
import { type Hash, must, toHex } from "@ostrom/base";
import { BEACON_ROOTS_ADDRESS, type ChainRules, HISTORY_STORAGE_ADDRESS } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import type { ChainInfo } from "./backend.ts";
import type { JsonObject } from "./json.ts";

/** eth_config's answer. Source: EIP-7910; fork id: EIP-2124, EIP-6122. */

type ForkEntry = ChainRules["forks"][number];
type ForkName = ForkEntry["fork"];

const CANCUN_PRECOMPILES: readonly (readonly [name: string, number: number])[] = [
  ["ECREC", 0x01],
  ["SHA256", 0x02],
  ["RIPEMD160", 0x03],
  ["ID", 0x04],
  ["MODEXP", 0x05],
  ["BN254_ADD", 0x06],
  ["BN254_MUL", 0x07],
  ["BN254_PAIRING", 0x08],
  ["BLAKE2F", 0x09],
  ["KZG_POINT_EVALUATION", 0x0a],
];
const PRAGUE_PRECOMPILES: typeof CANCUN_PRECOMPILES = [
  ...CANCUN_PRECOMPILES,
  ["BLS12_G1ADD", 0x0b],
  ["BLS12_G1MSM", 0x0c],
  ["BLS12_G2ADD", 0x0d],
  ["BLS12_G2MSM", 0x0e],
  ["BLS12_PAIRING_CHECK", 0x0f],
  ["BLS12_MAP_FP_TO_G1", 0x10],
  ["BLS12_MAP_FP2_TO_G2", 0x11],
];
const PRECOMPILES: Record<ForkName, typeof CANCUN_PRECOMPILES> = {
  cancun: CANCUN_PRECOMPILES,
  prague: PRAGUE_PRECOMPILES,
  osaka: [...PRAGUE_PRECOMPILES, ["P256VERIFY", 0x100]],
};

/** Contracts that blocks themselves call. Sources: EIP-4788, EIP-2935. The chain has neither deposits nor requests. */
const BEACON_ROOTS = toHex(BEACON_ROOTS_ADDRESS);
const HISTORY_STORAGE = toHex(HISTORY_STORAGE_ADDRESS);
const SYSTEM_CONTRACTS: Record<ForkName, JsonObject> = {
  cancun: { BEACON_ROOTS_ADDRESS: BEACON_ROOTS },
  prague: { BEACON_ROOTS_ADDRESS: BEACON_ROOTS, HISTORY_STORAGE_ADDRESS: HISTORY_STORAGE },
  osaka: { BEACON_ROOTS_ADDRESS: BEACON_ROOTS, HISTORY_STORAGE_ADDRESS: HISTORY_STORAGE },
};

/** Sources: EIP-4844, EIP-7691. */
const BLOB_SCHEDULES: Record<ForkName, JsonObject> = {
  cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 },
  prague: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
  osaka: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
};

/** @param timestamp of the head, in seconds. */
export function chainConfig(info: ChainInfo, timestamp: number): JsonObject {
  const { forks } = info.rules;
  const current = Math.max(
    0,
    forks.findLastIndex(({ fromTimestamp }) => fromTimestamp <= timestamp),
  );
  const hasNext = current + 1 < forks.length;
  return {
    current: describeFork(info, current),
    next: hasNext ? describeFork(info, current + 1) : null,
    last: hasNext ? describeFork(info, forks.length - 1) : null,
  };
}

function describeFork(info: ChainInfo, index: number): JsonObject {
  const { fork, fromTimestamp } = must(info.rules.forks[index], "a fork index must be in range");
  return {
    activationTime: fromTimestamp,
    blobSchedule: BLOB_SCHEDULES[fork],
    chainId: quantity(info.rules.chainId),
    forkId: forkId(info.genesisHash, info.rules.forks.slice(0, index + 1)),
    precompiles: Object.fromEntries(
      PRECOMPILES[fork].map(([name, number]) => [name, precompileAddress(number)]),
    ),
    systemContracts: SYSTEM_CONTRACTS[fork],
  };
}

function precompileAddress(number: number): string {
  return `0x${number.toString(16).padStart(40, "0")}`;
}

/** CRC-32 of the genesis hash and the activation times after 0, 8 bytes big-endian each. */
function forkId(genesisHash: Hash, forks: readonly ForkEntry[]): string {
  let checksum = crc32(genesisHash);
  for (const { fromTimestamp } of forks) {
    if (fromTimestamp === 0) continue;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(fromTimestamp));
    checksum = crc32(bytes, checksum);
  }
  return `0x${checksum.toString(16).padStart(8, "0")}`;
}
