import { type Address, addressFromHex, type Bytes, hex } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import { MULTICALL3_CODE } from "./multicall3-code.ts";

/** Who calls system contracts. Sources: EIP-2935, EIP-4788. */
export const SYSTEM_ADDRESS: Address = addressFromHex("fffffffffffffffffffffffffffffffffffffffe");
/** Gas of one system call; it does not count against the block's limit. */
export const SYSTEM_CALL_GAS = 30_000_000n;

/** `sealEpoch(uint64 nextEpoch)`: tells the contract at VALIDATOR_SET_ADDRESS that the set of an epoch is about to be read. */
export const SEAL_EPOCH_SELECTOR: Bytes = hex("71cbf905");

/** Keeps the hashes of the last 8191 blocks in storage. Source: EIP-2935. */
export const HISTORY_STORAGE_ADDRESS: Address = addressFromHex("0000f90827f1c53a10cb7a02335b175320002935");
const HISTORY_STORAGE_CODE: Bytes = hex(
  "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff8143031160" +
    "4257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500",
);

/** Keeps beacon block roots. We have no beacon chain: every root is zero. Source: EIP-4788. */
export const BEACON_ROOTS_ADDRESS: Address = addressFromHex("000f3df6d732807ef1319fb7b8bb8522d0beac02");
const BEACON_ROOTS_CODE: Bytes = hex(
  "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff81069081" +
    "5414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500",
);

/** Deploys its input by CREATE2, at the same address on every chain.
 * Source: github.com/Arachnid/deterministic-deployment-proxy. */
export const DEPLOYMENT_PROXY_ADDRESS: Address = addressFromHex("4e59b44847b379578588920ca78fbf26c0b4956c");
export const DEPLOYMENT_PROXY_CODE: Bytes = hex(
  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f580151560" +
    "39578182fd5b8082525050506014600cf3",
);

/** Many calls in one; viem and ethers batch reads through it. Source: github.com/mds1/multicall3. */
export const MULTICALL3_ADDRESS: Address = addressFromHex("ca11bde05977b3631167028862be2a173976ca11");

/** The contracts that Ethereum's rules call: every genesis should have them. */
export const SYSTEM_CONTRACTS: readonly GenesisAccount[] = [
  contractAccount(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE),
  contractAccount(BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE),
];

/** What users of anvil expect to find on a development chain. */
export const DEVELOPMENT_CONTRACTS: readonly GenesisAccount[] = [
  contractAccount(DEPLOYMENT_PROXY_ADDRESS, DEPLOYMENT_PROXY_CODE),
  contractAccount(MULTICALL3_ADDRESS, MULTICALL3_CODE),
];

function contractAccount(address: Address, code: Bytes): GenesisAccount {
  return { address, balance: 0n, nonce: 1n, code, storage: [] };
}
