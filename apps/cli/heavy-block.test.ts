import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Bytes, concatBytes, fromHex, hex, toHex, unwrap } from "@ostrom/base";
import { signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { ask, askMany } from "./rpc-client.ts";
import { signTransfers } from "./testing/load.ts";
import { createTestNetwork, type TestNetwork, waitUntil } from "./testing/test-network.ts";

/** The most that one transaction may have (EIP-7825): seconds of work, spent on bn254 multiplications. */
const HEAVY_GAS = 16_000_000n;
const LONG_WAIT_MS = 90_000;
/** Answers of an idle server in the time that the block takes are thousands; a stalled one gives a handful. */
const MIN_ANSWERS_MEANWHILE = 100;

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
});

after(async () => {
  await network.dispose();
});

/** Init code that multiplies a curve point until its gas is gone: the generator (1, 2) by 2^256 - 1. */
function endlessMultiplication(): Bytes {
  const store = hex(`600160005260026020527f${"ff".repeat(32)}604052`);
  // JUMPDEST; STATICCALL(gas, 0x07, 0, 96, 0x60, 64); POP; JUMP back.
  const loopAt = store.length;
  const loop = concatBytes(hex("5b604060606060600060075afa5060"), Uint8Array.of(loopAt), hex("56"));
  return concatBytes(store, loop);
}

test("JSON-RPC and consensus go on while a heavy block executes", async () => {
  installNativeCrypto();
  const url = network.urls[0]!;
  const [account] = deriveAccounts(DEVELOPMENT_MNEMONIC, 1);
  const heavy = signTransaction(
    {
      type: 2,
      chainId: BigInt(DEVELOPMENT_CHAIN_ID),
      nonce: 0n,
      maxFeePerGas: 50n * 10n ** 9n,
      maxPriorityFeePerGas: 1n,
      gasLimit: HEAVY_GAS,
      data: endlessMultiplication(),
    },
    unwrap(fromHex(account!.secretKey)),
  );
  await ask(url, "eth_sendRawTransaction", [toHex(heavy.raw)]);
  let answers = 0;
  let receipt: { readonly status: string; readonly gasUsed: string } | null = null;
  await waitUntil("the heavy transaction is executed", LONG_WAIT_MS, async () => {
    for (let i = 0; i < 20 && receipt === null; i++) {
      receipt = await ask(url, "eth_getTransactionReceipt", [toHex(heavy.hash)]);
      answers++;
    }
    return receipt !== null;
  });
  assert.ok(answers >= MIN_ANSWERS_MEANWHILE, `only ${answers} answers came while the block was executed`);
  assert.deepEqual(receipt, {
    ...(receipt as object | null),
    status: "0x0",
    gasUsed: `0x${HEAVY_GAS.toString(16)}`,
  });

  // What was ordered meanwhile is executed after it, and certified.
  const [transfer] = signTransfers(1, 0, 1);
  await ask(url, "eth_sendRawTransaction", [transfer!.raw]);
  await waitUntil("a later transfer is finalized everywhere", LONG_WAIT_MS, async () => {
    const settled = await Promise.all(
      network.urls.map(async (each) => {
        const [included, finalized] = await askMany(each, [
          { method: "eth_getTransactionReceipt", params: [transfer!.hash] },
          { method: "eth_getBlockByNumber", params: ["finalized", false] },
        ]);
        const block = (included?.result as { blockNumber: string } | null)?.blockNumber;
        const newest = (finalized?.result as { number: string } | undefined)?.number;
        return block !== undefined && newest !== undefined && Number(newest) >= Number(block);
      }),
    );
    return settled.every(Boolean);
  });
});
