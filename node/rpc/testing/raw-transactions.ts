import { type Address, addressFromHex, hex, toHex } from "@ostrom/base";
import { signTransaction, type TransactionFields } from "@ostrom/execution";

const GWEI = 1_000_000_000n;

/** First key of the development mnemonic. */
export const ALICE_KEY: Uint8Array = hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
export const ALICE: Address = addressFromHex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
export const BOB: Address = addressFromHex("70997970c51812dc3a010c7d01b50e0d17dc79c8");

/** Alice's signed transfer of 1 wei to Bob, unless told otherwise. */
export function transfer(
  nonce: number,
  fields: Partial<TransactionFields> = {},
): { raw: string; hash: string } {
  const signed = signTransaction(
    {
      type: 2,
      chainId: 1337n,
      nonce: BigInt(nonce),
      gasLimit: 21_000n,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: 1n,
      to: BOB,
      value: 1n,
      ...fields,
    },
    ALICE_KEY,
  );
  return { raw: toHex(signed.raw), hash: toHex(signed.hash) };
}

/** Creation of a contract that emits LOG1(topic) with `count` bytes of memory each time it is called. */
export const EMITTER_INIT_CODE: Uint8Array = (() => {
  // PUSH32 topic, PUSH1 32, PUSH1 0, LOG1, STOP
  const runtime = `7f${"ee".repeat(32)}60206000a100`;
  const length = (runtime.length / 2).toString(16).padStart(2, "0");
  // PUSH1 length, PUSH1 offset, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN
  return hex(`60${length}600c60003960${length}6000f3${runtime}`);
})();
export const EMITTER_TOPIC: string = `0x${"ee".repeat(32)}`;
