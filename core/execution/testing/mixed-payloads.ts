import { type Address, addressFromHex, concatBytes, hex, type Random, wordToBytes } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import { addressOfSecretKey, signAuthorization } from "../signature.ts";
import { BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS } from "../system-contracts.ts";
import { signTransaction, type TransactionFields } from "../transaction.ts";
import { testKey } from "./random-transactions.ts";
import { contractAt, funded, TEST_CHAIN_ID, type TestChain } from "./test-chain.ts";

const SENDERS = 6;

/** Contracts that mixed payloads call, each a few instructions of EVM assembly. */
export const WRITER: Address = addressFromHex("00000000000000000000000000000000000c0001");
export const LOGGER: Address = addressFromHex("00000000000000000000000000000000000c0002");
export const REVERTER: Address = addressFromHex("00000000000000000000000000000000000c0003");
export const HISTORIAN: Address = addressFromHex("00000000000000000000000000000000000c0004");
export const FACTORY: Address = addressFromHex("00000000000000000000000000000000000c0005");
const CONTRACTS: readonly GenesisAccount[] = [
  // SSTORE(calldata[0], calldata[32]); SSTORE(slot 0, SLOAD(slot 0) + 1)
  contractAt(WRITER, hex("60203560003555600054600101600055" + "00")),
  // LOG2 of the call data with topics CALLER and NUMBER; SSTORE(NUMBER, TIMESTAMP)
  contractAt(LOGGER, hex("366000600037" + "4333366000a2" + "4243" + "55" + "00")),
  // SSTORE(1, 1); REVERT with 32 bytes
  contractAt(REVERTER, hex("6001600155" + "602a60005260206000fd")),
  // SSTORE(NUMBER, BLOCKHASH(NUMBER - 1)), then what EIP-2935 says of NUMBER - 1 and EIP-4788 of TIMESTAMP
  contractAt(
    HISTORIAN,
    concatBytes(
      hex("6001430340" + "4355"),
      hex("60014303600052" + "60206020602060006000" + "73"),
      HISTORY_STORAGE_ADDRESS,
      hex("5af1" + "61010043015" + "5"),
      hex("602051" + "610200430155"),
      hex("42600052" + "60206020602060006000" + "73"),
      BEACON_ROOTS_ADDRESS,
      hex("5af1" + "610300430155" + "00"),
    ),
  ),
  // CREATE of init code that returns one STOP; SELFDESTRUCT inside a fresh contract
  contractAt(FACTORY, hex("6460016000f3600052" + "6005601b6000f050" + "6133ff600052" + "6002601e6000f05000")),
];

export function mixedAccounts(): GenesisAccount[] {
  const senders = Array.from({ length: SENDERS }, (_, i) => funded(addressOfSecretKey(testKey(i))));
  return [...senders, ...CONTRACTS];
}

/** A payload for the chain's next block: transfers, calls, creations and delegations that run, among some that are skipped
 * (wrong nonce, no funds, fee too low, garbage, a repetition). */
export function mixedPayload(chain: TestChain, random: Random): Uint8Array[] {
  const nonces = new Map<number, bigint>();
  const payload: Uint8Array[] = [];
  const count = random.below(6);
  for (let i = 0; i < count; i++) {
    const sender = random.below(SENDERS);
    const key = testKey(sender);
    const known = nonces.get(sender) ?? chain.state.account(addressOfSecretKey(key))?.nonce ?? 0n;
    if (random.chance(1, 8)) {
      payload.push(unrunnable(random, key, known));
      continue;
    }
    payload.push(
      signTransaction({ ...baseFields(chain, random, known), ...shapeOf(random, sender, known) }, key).raw,
    );
    nonces.set(sender, known + 1n);
    if (random.chance(1, 10)) payload.push(payload[payload.length - 1]!);
  }
  return payload;
}

function baseFields(chain: TestChain, random: Random, nonce: bigint): TransactionFields {
  const { baseFeePerGas } = chain.head.header;
  const type = ([0, 1, 2, 2] as const)[random.below(4)]!;
  return {
    type,
    chainId: TEST_CHAIN_ID,
    nonce,
    gasLimit: 150_000n + BigInt(random.below(200_000)),
    maxFeePerGas: 2n * baseFeePerGas + BigInt(random.below(1000)),
    maxPriorityFeePerGas: BigInt(random.below(1000)),
  };
}

function shapeOf(random: Random, sender: number, nonce: bigint): Partial<TransactionFields> {
  const word = () => wordToBytes(BigInt(random.below(12)));
  switch (random.below(9)) {
    case 0:
      return { to: addressOfSecretKey(testKey(random.below(SENDERS))), value: BigInt(random.below(10 ** 9)) };
    case 1:
      return { to: addressOfSecretKey(testKey(100 + random.below(5))), value: BigInt(random.below(3)) };
    case 2:
      return { to: WRITER, data: concatBytes(word(), word()) };
    case 3:
      return { to: LOGGER, data: random.bytes(random.below(70)) };
    case 4:
      return { to: REVERTER };
    case 5:
      return { to: HISTORIAN };
    case 6:
      return { to: FACTORY };
    case 7:
      // Init code: SSTORE(0, NUMBER); returns two bytes of memory as code.
      return { data: hex("4360005560026000f3"), value: BigInt(random.below(5)) };
    default:
      return {
        type: 4,
        to: WRITER,
        data: concatBytes(word(), word()),
        authorizations: delegation(random, sender, nonce),
      };
  }
}

function delegation(
  random: Random,
  sender: number,
  nonce: bigint,
): TransactionFields["authorizations"] & object {
  const signer = random.below(SENDERS);
  // Of its own account the sender has used this nonce when authorizations are read.
  const expected = signer === sender ? nonce + 1n : BigInt(random.below(6));
  const address = random.chance(1, 3) ? addressFromHex("00".repeat(20)) : WRITER;
  return [
    signAuthorization(
      { chainId: random.chance(1, 2) ? 0n : TEST_CHAIN_ID, address, nonce: expected },
      testKey(signer),
    ),
  ];
}

function unrunnable(random: Random, key: Uint8Array, nonce: bigint): Uint8Array {
  const fields = { chainId: TEST_CHAIN_ID, nonce, gasLimit: 21_000n, maxFeePerGas: 10n ** 12n, to: WRITER };
  switch (random.below(7)) {
    case 0:
      return signTransaction({ ...fields, nonce: nonce + 5n }, key).raw;
    case 1:
      return signTransaction({ ...fields, nonce: nonce === 0n ? 7n : nonce - 1n }, key).raw;
    case 2:
      return signTransaction({ ...fields, maxFeePerGas: 1n }, key).raw;
    case 3:
      return signTransaction(fields, testKey(700)).raw;
    case 4:
      return signTransaction({ ...fields, chainId: 1n }, key).raw;
    case 5:
      return signTransaction({ ...fields, gasLimit: 20_999n }, key).raw;
    default:
      return random.bytes(random.below(40));
  }
}
